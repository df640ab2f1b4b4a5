package realserver

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/tsdbstore"
	"github.com/promwire/promwire/internal/xcompress"
	"github.com/promwire/promwire/server"
)

// receiver is our handler on an embedded store. It keeps what it is asked and answers.
type receiver struct {
	*httptest.Server
	store *tsdbstore.Store

	mu       sync.Mutex
	writes   []promwire.WriteRequest
	exchange map[string]int // how often it was asked with what and answered how
	trouble  []string       // answers that were not 2xx
}

func newReceiver(t *testing.T, o tsdbstore.Options) *receiver {
	t.Helper()
	o.MinFree = -1
	store, err := tsdbstore.Open(t.TempDir(), o)
	if err != nil {
		t.Fatal(err)
	}
	r := &receiver{store: store, exchange: map[string]int{}}
	r.Server = httptest.NewServer(r.watch(server.NewHandler(store)))
	t.Cleanup(func() {
		r.Close()
		if err := store.Close(); err != nil {
			t.Error(err)
		}
		for _, text := range r.trouble {
			t.Error("we answered ", text)
		}
	})
	return r
}

// watch notes what goes through next.
func (r *receiver) watch(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return // the sender has gone
		}
		req.Body = io.NopCloser(bytes.NewReader(body))
		answer := &watchedAnswer{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(answer, req)
		r.note(req, body, answer)
	})
}

func (r *receiver) note(req *http.Request, body []byte, answer *watchedAnswer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	exchange := fmt.Sprintf("%s %s: %d %s", req.URL.Path, req.Header.Get("Content-Type"), answer.status, answer.Header().Get("Content-Type"))
	r.exchange[strings.TrimSpace(exchange)]++
	if answer.status/100 != 2 {
		r.trouble = append(r.trouble, fmt.Sprintf("%d to %s: %s", answer.status, req.URL.Path, answer.text.String()))
		return
	}
	if req.URL.Path != server.WritePath {
		return
	}
	var write promwire.WriteRequest
	message, err := promwire.ParseContentType(req.Header.Get("Content-Type"))
	if err == nil {
		body, err = xcompress.AppendDecoded(nil, body, 1<<30)
	}
	if err == nil {
		err = write.UnmarshalProto(body, message)
	}
	if err != nil {
		r.trouble = append(r.trouble, fmt.Sprintf("2xx to a request that does not decode: %v", err))
	}
	r.writes = append(r.writes, write)
}

// watchedAnswer keeps an answer's status and the text of errors.
type watchedAnswer struct {
	http.ResponseWriter
	status int
	text   strings.Builder
}

func (w *watchedAnswer) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func (w *watchedAnswer) Write(p []byte) (int, error) {
	if w.status/100 != 2 {
		w.text.Write(p)
	}
	return w.ResponseWriter.Write(p)
}

// Unwrap is for http.ResponseController.
func (w *watchedAnswer) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// exchanges returns the kinds of requests and answers there were.
func (r *receiver) exchanges() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Sorted(maps.Keys(r.exchange))
}

// exemplars returns those received of a time range, in order of time and value, by the labels of their series.
func (r *receiver) exemplars(lo, hi int64) map[string][]promwire.Exemplar {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := map[string][]promwire.Exemplar{}
	for _, w := range r.writes {
		for _, ts := range w.Timeseries {
			for _, e := range ts.Exemplars {
				if e.Timestamp >= lo && e.Timestamp <= hi {
					out[ts.Labels.String()] = append(out[ts.Labels.String()], e)
				}
			}
		}
	}
	return out
}

// writeTo is the part of a Prometheus configuration that makes it send to r at once, in order.
func (r *receiver) writeTo(message promwire.MessageType) string {
	out := fmt.Sprintf(`- url: %s
  send_exemplars: true
  send_native_histograms: true
  queue_config: {min_shards: 1, max_shards: 1, batch_send_deadline: 100ms}
  metadata_config: {send_interval: 500ms}
`, r.URL+server.WritePath)
	if message == promwire.WriteV2 {
		out += "  protobuf_message: " + string(message) + "\n"
	}
	return out
}
