package realserver

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/tsdbstore"
	"github.com/promwire/promwire/internal/xcompress"
	"github.com/promwire/promwire/promwiretest"
	"github.com/promwire/promwire/server"
)

// TestQueryParity has Prometheus write to our handlers, on either store, by either message, and another Prometheus that
// has nothing but these handlers to read from, by either answer. More than 200 PromQL queries give the same JSON there
// as at the first one, which has the data itself.
func TestQueryParity(t *testing.T) {
	each(t, func(t *testing.T, p program) {
		natives := p.major >= 3 // 2.42 does not see native histograms over remote read
		sinks := newSinks(t, p)
		config := "remote_write:\n"
		for _, s := range sinks {
			config += s.writeTo()
		}
		local := start(t, p, config, p.features()...)
		first := (time.Now().UnixMilli()/parityStep + 2) * parityStep
		all := parityData(first, natives)
		writeAll(t, writeClient(t, local.writeURL()), all)
		var current atomic.Pointer[sink]
		reads := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { current.Load().read.ServeHTTP(w, r) }))
		t.Cleanup(reads.Close)
		distant := start(t, p, fmt.Sprintf("remote_read:\n- {url: %q, read_recent: true}\n", reads.URL), p.features()...)
		queries := parityQueries(natives)
		want := make([]string, len(queries))
		for i, q := range queries {
			if want[i] = local.answer(t, q, first); want[i] == nothing {
				t.Errorf("%s selects nothing: it compares nothing", q)
			}
		}
		t.Logf("%d queries", len(queries))
		if len(queries) < 200 {
			t.Errorf("%d queries only", len(queries))
		}
		for _, s := range sinks {
			t.Run(s.name, func(t *testing.T) {
				s.await(t, all)
				current.Store(s)
				for i, q := range queries {
					if got := distant.answer(t, q, first); got != want[i] {
						t.Errorf("%s\n got %s\nwant %s", q, excerpt(got, want[i]), excerpt(want[i], got))
					}
				}
				if got := s.answer.Load(); got == nil || *got != s.wantAnswer {
					t.Errorf("answered with %v, want %s", got, s.wantAnswer)
				}
			})
		}
	})
}

// sink is one of our handlers, which a Prometheus writes to and another one reads from.
type sink struct {
	name       string
	message    promwire.MessageType
	storage    promwire.Storage
	url        string
	read       http.Handler
	wantAnswer string
	answer     atomic.Pointer[string] // content type of the last one
}

// newSinks pairs stores, messages and answers.
func newSinks(t *testing.T, p program) []*sink {
	t.Helper()
	store := func() promwire.Storage {
		s, err := tsdbstore.Open(t.TempDir(), tsdbstore.Options{MinFree: -1})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return s
	}
	memory := func() promwire.Storage { return promwiretest.NewMemory(promwiretest.RefuseOlder) }
	if !p.speaksV2() { // and asks for samples only
		return []*sink{
			newSink(t, "TSDB, 1.0, samples", promwire.WriteV1, store(), promwire.ResponseSamples),
			newSink(t, "memory, 1.0, samples", promwire.WriteV1, memory(), promwire.ResponseSamples),
		}
	}
	return []*sink{
		newSink(t, "TSDB, 2.0, chunks", promwire.WriteV2, store(), promwire.ResponseStreamedXORChunks),
		newSink(t, "TSDB, 1.0, samples", promwire.WriteV1, store(), promwire.ResponseSamples),
		newSink(t, "memory, 1.0, chunks", promwire.WriteV1, memory(), promwire.ResponseStreamedXORChunks),
		newSink(t, "memory, 2.0, samples", promwire.WriteV2, memory(), promwire.ResponseSamples),
	}
}

func newSink(t *testing.T, name string, message promwire.MessageType, storage promwire.Storage, answer promwire.ResponseType) *sink {
	t.Helper()
	s := &sink{name: name, message: message, storage: storage, wantAnswer: promwire.ContentTypeProtobuf}
	if answer == promwire.ResponseStreamedXORChunks {
		s.wantAnswer = promwire.ContentTypeStream
	}
	h := server.NewHandler(storage)
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	s.url = srv.URL
	s.read = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.URL.Path = server.ReadPath
		if answer == promwire.ResponseSamples {
			asksForSamples(t, r)
		}
		h.ServeHTTP(w, r)
		got := w.Header().Get("Content-Type")
		s.answer.Store(&got)
	})
	return s
}

// asksForSamples makes a request one that accepts samples only: Prometheus has no option for that.
func asksForSamples(t *testing.T, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err == nil {
		body, err = xcompress.AppendDecoded(nil, body, 1<<20)
	}
	var req promwire.ReadRequest
	if err == nil {
		err = req.UnmarshalProto(body)
	}
	if err != nil {
		t.Error(err)
		return
	}
	req.AcceptedResponseTypes = []promwire.ResponseType{promwire.ResponseSamples}
	body = xcompress.AppendSnappy(nil, req.AppendProto(nil))
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
}

// writeTo is the part of a configuration that makes Prometheus send to s.
func (s *sink) writeTo() string {
	out := fmt.Sprintf(`- url: %s
  name: %q
  send_native_histograms: true
  queue_config: {min_shards: 1, max_shards: 1, batch_send_deadline: 100ms}
  metadata_config: {send: false}
`, s.url+server.WritePath, s.name)
	if s.message == promwire.WriteV2 {
		out += "  protobuf_message: " + string(s.message) + "\n"
	}
	return out
}

// await waits until s has got everything.
func (s *sink) await(t *testing.T, all []promwire.TimeSeries) {
	t.Helper()
	want := 0
	for _, ts := range all {
		want += len(ts.Samples) + len(ts.Histograms)
	}
	q := between(t, 0, math.MaxInt64/2, `{__name__=~"q_.*"}`)
	waitFor(t, "everything to be sent on", func() bool {
		n := 0
		for ts, err := range s.storage.Read(t.Context(), q) {
			if err != nil {
				t.Fatal(err)
			}
			n += len(ts.Samples) + len(ts.Histograms)
		}
		return n == want
	})
}

// nothing is the answer to a query without a result.
const nothing = `matrix []`

// answer evaluates a query at every few points of the data and returns the JSON of the result, series in the order of
// their labels: PromQL promises none.
func (s *instance) answer(t *testing.T, query string, first int64) string {
	t.Helper()
	var data struct {
		ResultType string
		Result     []struct {
			Metric             json.RawMessage
			Values, Histograms json.RawMessage
		}
	}
	s.get(t, "/api/v1/query_range", url.Values{
		"query": {query}, "start": {seconds(first + 2*parityStep)}, "end": {seconds(first + (parityPoints+10)*parityStep)}, "step": {"17"},
	}, &data)
	var rows []string
	for _, r := range data.Result {
		rows = append(rows, fmt.Sprintf("%s values %s histograms %s", r.Metric, r.Values, r.Histograms))
	}
	slices.Sort(rows)
	return fmt.Sprintf("%s [%s]", data.ResultType, strings.Join(rows, "\n"))
}

// excerpt returns what there is of s where it begins to differ from other.
func excerpt(s, other string) string {
	i := 0
	for i < min(len(s), len(other)) && s[i] == other[i] {
		i++
	}
	return s[max(0, i-200):min(len(s), i+200)]
}
