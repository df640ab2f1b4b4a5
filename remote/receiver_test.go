package remote

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/xcompress"
)

// received is one request as a receiver saw it.
type received struct {
	method, uri string
	header      http.Header
	message     promwire.MessageType
	request     promwire.WriteRequest
}

// receiver is a real server that keeps what it got.
type receiver struct {
	*httptest.Server
	mu  sync.Mutex
	all []received
}

// newReceiver answers each request by answer, which gets the number of the request, from 0.
func newReceiver(t testing.TB, answer func(w http.ResponseWriter, n int, got received)) *receiver {
	t.Helper()
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		got, err := receive(req)
		if err != nil {
			t.Errorf("receiver: %v", err)
		}
		r.mu.Lock()
		r.all = append(r.all, got)
		n := len(r.all) - 1
		r.mu.Unlock()
		answer(w, n, got)
	}))
	t.Cleanup(r.Close)
	return r
}

// receive decodes a request with the promwire decoder.
func receive(req *http.Request) (received, error) {
	got := received{method: req.Method, uri: req.RequestURI, header: req.Header}
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return got, err
	}
	if got.message, err = promwire.ParseContentType(req.Header.Get("Content-Type")); err != nil {
		return got, err
	}
	message, err := xcompress.AppendDecoded(nil, body, 1<<26)
	if err != nil {
		return got, err
	}
	return got, got.request.UnmarshalProto(message, got.message)
}

// messages returns the messages of all requests so far.
func (r *receiver) messages() []promwire.MessageType {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []promwire.MessageType
	for _, got := range r.all {
		out = append(out, got.message)
	}
	return out
}

// good answers like a 2.0 receiver that has written everything.
func good(w http.ResponseWriter, _ int, got received) {
	writtenHeaders(w, got.request.Stats())
	w.WriteHeader(http.StatusNoContent)
}

// writtenHeaders sets the Written headers.
func writtenHeaders(w http.ResponseWriter, s promwire.WriteStats) {
	w.Header().Set(promwire.HeaderSamplesWritten, strconv.Itoa(s.Samples))
	w.Header().Set(promwire.HeaderHistogramsWritten, strconv.Itoa(s.Histograms))
	w.Header().Set(promwire.HeaderExemplarsWritten, strconv.Itoa(s.Exemplars))
}

func newWriteClient(t testing.TB, url string, opts ...WriteOption) *WriteClient {
	t.Helper()
	c, err := NewWriteClient(url, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

// request makes a request of n series that belong to name, each with two samples, an exemplar and metadata.
func request(name string, n int) *promwire.WriteRequest {
	req := &promwire.WriteRequest{}
	for i := range n {
		req.Timeseries = append(req.Timeseries, promwire.TimeSeries{
			Labels: promwire.LabelsFromStrings("__name__", name, "i", strconv.Itoa(i)),
			Samples: []promwire.Sample{
				{Timestamp: 1_700_000_000_000, StartTimestamp: 1_600_000_000_000, Value: float64(i)},
				{Timestamp: 1_700_000_015_000, StartTimestamp: 1_600_000_000_000, Value: float64(2 * i)},
			},
			Exemplars: []promwire.Exemplar{{
				Labels: promwire.LabelsFromStrings("trace_id", name), Value: 1, Timestamp: 1_700_000_000_000,
			}},
			Metadata: promwire.Metadata{Type: promwire.TypeCounter, Help: "Help of " + name + "."},
		})
	}
	return req
}

// newServer starts a real server and returns its URL.
func newServer(t testing.TB, handle http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(handle)
	t.Cleanup(s.Close)
	return s.URL
}
