package servebench

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
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

// fill writes the read workload into both handlers and returns the query that selects all of it.
func fill(b testing.TB, handlers ...http.Handler) promwire.Query {
	req := workload.ReadSeries(readSeries, readSamples)
	start := time.Now().Add(-readSamples * workload.ReadStep * time.Millisecond).Truncate(time.Second)
	shift(req, start.UnixMilli()-workload.Now)
	for _, h := range handlers {
		for from := 0; from < readSamples; from += readSamples / 10 {
			write(b, h, slice(req, from, from+readSamples/10))
		}
	}
	m, err := promwire.NewMatcher(promwire.MatchEqual, promwire.MetricName, "node_cpu_seconds_total")
	if err != nil {
		b.Fatal(err)
	}
	return promwire.Query{Start: start, End: time.Now().Add(time.Minute), Matchers: []promwire.Matcher{m}}
}

// readHandlers returns our read handler and Prometheus', each on a filled store, and the query for all of it.
func readHandlers(b testing.TB) (ours, peer http.Handler, q promwire.Query) {
	store, db := openStore(b), openTSDB(b)
	q = fill(b, server.NewWriteHandler(store), promremote.NewWriteHandler(slog.New(slog.DiscardHandler), prometheus.NewRegistry(), db,
		remoteapi.MessageTypes{remoteapi.WriteV1MessageType}, false, false, false))
	peer = promremote.NewReadHandler(slog.New(slog.DiscardHandler), prometheus.NewRegistry(), db,
		func() config.Config { return config.Config{} }, 50_000_000, 10, 1<<20)
	return server.NewReadHandler(store), peer, q
}

func readBody(q promwire.Query, t promwire.ResponseType) []byte {
	r := promwire.ReadRequest{Queries: []promwire.Query{q}, AcceptedResponseTypes: []promwire.ResponseType{t}}
	return xcompress.AppendSnappy(nil, r.AppendProto(nil))
}

// BenchmarkReadServer answers a read request from the store, without a network.
func BenchmarkReadServer(b *testing.B) {
	ours, peer, q := readHandlers(b)
	for _, t := range responseTypes {
		for _, impl := range []struct {
			name string
			h    http.Handler
		}{{"promwire", ours}, {"prometheus", peer}} {
			b.Run("type="+t.name+"/work=1000x1000/impl="+impl.name, func(b *testing.B) {
				body := readBody(q, t.t)
				w := &discard{header: http.Header{}}
				measureOp(b, func() {
					r := httptest.NewRequest(http.MethodPost, "/api/v1/read", bytes.NewReader(body))
					*w = discard{header: http.Header{}}
					impl.h.ServeHTTP(w, r)
					if w.status >= 300 || w.bytes < 1_000_000 {
						b.Fatalf("status %d, %d bytes: %s", w.status, w.bytes, w.text)
					}
				})
			})
		}
	}
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

// shift moves all samples in time, by milliseconds.
func shift(req *promwire.WriteRequest, by int64) {
	for i := range req.Timeseries {
		for j := range req.Timeseries[i].Samples {
			req.Timeseries[i].Samples[j].Timestamp += by
		}
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
