package servebench

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"
	"time"

	remoteapi "github.com/prometheus/client_golang/exp/api/remote"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/config"
	promremote "github.com/prometheus/prometheus/storage/remote"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/workload"
	"github.com/promwire/promwire/internal/xcompress"
	"github.com/promwire/promwire/server"
)

var responseTypes = []struct {
	name string
	t    promwire.ResponseType
}{
	{"samples", promwire.ResponseSamples},
	{"chunks", promwire.ResponseStreamedXORChunks},
}

// readWork is what a read is asked for.
type readWork struct {
	name            string
	series, samples int
	step            int64 // between samples, in milliseconds: all of them stay in the head of a TSDB
}

var readWorks = []readWork{{"1000x1000", 1000, 1000, workload.ReadStep}, {"10x1M", 10, 1_000_000, 5}}

// fill writes the work into both handlers and returns the query that selects all of it.
func (k readWork) fill(b testing.TB, handlers ...http.Handler) promwire.Query {
	req := workload.ReadSeries(k.series, k.samples)
	start := time.Now().Add(-time.Duration(k.samples) * time.Duration(k.step) * time.Millisecond).Truncate(time.Second)
	for i := range req.Timeseries {
		for j := range req.Timeseries[i].Samples {
			req.Timeseries[i].Samples[j].Timestamp = start.UnixMilli() + int64(j)*k.step
		}
	}
	for _, h := range handlers {
		part := 100_000 / k.series
		for from := 0; from < k.samples; from += part {
			write(b, h, slice(req, from, from+part))
		}
	}
	m, err := promwire.NewMatcher(promwire.MatchEqual, promwire.MetricName, "node_cpu_seconds_total")
	if err != nil {
		b.Fatal(err)
	}
	return promwire.Query{Start: start, End: time.Now().Add(time.Minute), Matchers: []promwire.Matcher{m}}
}

// readServers are our read handler and Prometheus', each on a filled store, and the query for all of it.
type readServers struct {
	ours, peer http.Handler
	query      promwire.Query
}

func newReadServers(b testing.TB, k readWork) readServers {
	store, db := openStore(b), openTSDB(b)
	q := k.fill(b, server.NewWriteHandler(store), promremote.NewWriteHandler(slog.New(slog.DiscardHandler), prometheus.NewRegistry(), db,
		remoteapi.MessageTypes{remoteapi.WriteV1MessageType}, false, false, false))
	peer := promremote.NewReadHandler(slog.New(slog.DiscardHandler), prometheus.NewRegistry(), db,
		func() config.Config { return config.Config{} }, 50_000_000, 10, 1<<20)
	return readServers{server.NewReadHandler(store), peer, q} // with its limits
}

// eachReadServer runs a benchmark for each type, work and implementation. Stores are filled when they are needed.
func eachReadServer(b *testing.B, run func(b *testing.B, h http.Handler, body []byte)) {
	servers := map[string]readServers{}
	for _, t := range responseTypes {
		for _, k := range readWorks {
			for _, impl := range []string{"promwire", "prometheus"} {
				b.Run("type="+t.name+"/work="+k.name+"/impl="+impl, func(leaf *testing.B) {
					s, ok := servers[k.name]
					if !ok {
						s = newReadServers(b, k)
						servers[k.name] = s
					}
					h := s.ours
					if impl == "prometheus" {
						h = s.peer
					}
					run(leaf, h, readBody(s.query, t.t))
				})
			}
		}
	}
}

func readBody(q promwire.Query, t promwire.ResponseType) []byte {
	r := promwire.ReadRequest{Queries: []promwire.Query{q}, AcceptedResponseTypes: []promwire.ResponseType{t}}
	return xcompress.AppendSnappy(nil, r.AppendProto(nil))
}

// readOnce asks for everything, and returns the size of the answer in bytes.
func readOnce(b *testing.B, h http.Handler, body []byte) int {
	w := &discard{header: http.Header{}}
	h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/api/v1/read", bytes.NewReader(body)))
	if w.status >= 300 || w.bytes < 1_000_000 {
		b.Fatalf("status %d, %d bytes: %s", w.status, w.bytes, w.text)
	}
	return w.bytes
}

// BenchmarkReadServer answers a read request from the store, without a network.
func BenchmarkReadServer(b *testing.B) {
	eachReadServer(b, func(b *testing.B, h http.Handler, body []byte) {
		measureOp(b, func() { readOnce(b, h, body) })
	})
}

// BenchmarkReadPeak reports what an answer takes of memory at its peak, over the level before, garbage included, beside
// the size of the answer.
func BenchmarkReadPeak(b *testing.B) {
	eachReadServer(b, func(b *testing.B, h http.Handler, body []byte) {
		for b.Loop() {
			b.StopTimer()
			for range 3 { // pools let go of memory in two steps
				runtime.GC()
			}
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			b.StartTimer()
			stop := watchHeap()
			size := readOnce(b, h, body)
			b.ReportMetric(float64(int64(stop())-int64(m.HeapAlloc))/1e6, "peak-MB")
			b.ReportMetric(float64(size)/1e6, "answer-MB")
		}
	})
}

// slice returns the samples from..to of every series, so that all series advance together.
func slice(req *promwire.WriteRequest, from, to int) *promwire.WriteRequest {
	out := &promwire.WriteRequest{}
	for _, ts := range req.Timeseries {
		ts.Samples = ts.Samples[from:to]
		out.Timeseries = append(out.Timeseries, ts)
	}
	return out
}

func write(b testing.TB, h http.Handler, req *promwire.WriteRequest) {
	message, err := req.AppendProto(nil, promwire.WriteV1)
	if err != nil {
		b.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, "/api/v1/write", bytes.NewReader(xcompress.AppendSnappy(nil, message)))
	r.Header.Set("Content-Type", promwire.ContentTypeProtobuf)
	r.Header.Set("Content-Encoding", promwire.EncodingSnappy)
	w := httptest.NewRecorder()
	if h.ServeHTTP(w, r); w.Code != http.StatusNoContent {
		b.Fatalf("status %d: %.500s", w.Code, w.Body)
	}
}

// discard is a ResponseWriter that keeps the status, the number of bytes and the text of an error.
type discard struct {
	header http.Header
	status int
	text   []byte
	bytes  int
}

func (d *discard) Header() http.Header { return d.header }
func (d *discard) WriteHeader(s int)   { d.status = s }
func (d *discard) Flush()              {}
func (d *discard) Write(p []byte) (int, error) {
	if d.status >= 300 {
		d.text = append(d.text, p...)
	}
	d.bytes += len(p)
	return len(p), nil
}

func measureOp(b *testing.B, op func()) {
	b.Helper()
	op()
	b.ReportAllocs()
	b.ResetTimer()
	before := cpuTime()
	for range b.N {
		op()
	}
	b.ReportMetric(float64(cpuTime()-before)/float64(b.N), "cpu-ns/op")
}
