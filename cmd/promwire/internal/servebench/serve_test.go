package servebench

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/exp/api/remote"
	"github.com/prometheus/client_golang/prometheus"
	promremote "github.com/prometheus/prometheus/storage/remote"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/util/compression"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/tsdbstore"
	"github.com/promwire/promwire/internal/workload"
	"github.com/promwire/promwire/internal/xcompress"
	"github.com/promwire/promwire/server"
)

// impls make write handlers, each on a TSDB of its own.
var impls = []struct {
	name string
	make func(tb testing.TB) http.Handler
}{
	{"promwire", func(tb testing.TB) http.Handler { return server.NewWriteHandler(openStore(tb)) }},
	{"promwire-plain", func(tb testing.TB) http.Handler {
		return server.NewWriteHandler(struct{ promwire.Writer }{openStore(tb)})
	}},
	{"prometheus", func(tb testing.TB) http.Handler {
		return promremote.NewWriteHandler(slog.New(slog.DiscardHandler), prometheus.NewRegistry(), openTSDB(tb),
			remote.MessageTypes{remote.WriteV1MessageType, remote.WriteV2MessageType}, false, false, false)
	}},
}

func openStore(tb testing.TB) *tsdbstore.Store {
	tb.Helper()
	s, err := tsdbstore.Open(tb.TempDir(), tsdbstore.Options{MinFree: -1})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	return s
}

// openTSDB opens what openStore does, without the store around it.
func openTSDB(tb testing.TB) *tsdb.DB {
	tb.Helper()
	o := tsdb.DefaultOptions()
	o.OutOfOrderTimeWindow = time.Hour.Milliseconds()
	o.WALCompression = compression.Snappy
	o.EnableExemplarStorage, o.MaxExemplars = true, tsdbstore.DefaultMaxExemplars
	db, err := tsdb.Open(tb.TempDir(), nil, nil, o, nil)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := db.Close(); err != nil {
			tb.Error(err)
		}
	})
	return db
}

// BenchmarkServe is one request of known series, from ServeHTTP on. Each request is newer than the one before; making
// it is not measured.
func BenchmarkServe(b *testing.B) {
	for _, set := range workload.Sets() {
		for _, mt := range []promwire.MessageType{promwire.WriteV1, promwire.WriteV2} {
			for _, impl := range impls {
				b.Run(fmt.Sprintf("msg=%s/work=%s/impl=%s", version(mt), set.Name, impl.name), func(b *testing.B) {
					measure(b, newRequests(set.Make(), mt), impl.make(b))
				})
			}
		}
	}
}

func version(mt promwire.MessageType) string {
	if mt == promwire.WriteV2 {
		return "2.0"
	}
	return "1.0"
}

func measure(b *testing.B, r *requests, h http.Handler) {
	serve(b, h, r.next(b)) // creates the series, and warms pools and buffers
	var spent time.Duration
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		req := r.next(b)
		before := cpuTime()
		serve(b, h, req)
		spent += cpuTime() - before
	}
	b.ReportMetric(float64(spent)/float64(b.N), "cpu-ns/op")
	b.ReportMetric(0, "ns/op") // has the making of the requests in it
}

func serve(tb testing.TB, h http.Handler, r *http.Request) {
	w := httptest.NewRecorder()
	if h.ServeHTTP(w, r); w.Code != http.StatusNoContent {
		tb.Fatalf("%d: %s", w.Code, w.Body)
	}
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// requests makes one request after the other of the same series, in memory that it reuses.
type requests struct {
	req       *promwire.WriteRequest
	mt        promwire.MessageType
	time      int64
	msg, body []byte
	header    http.Header
}

// newRequests starts at a time that leaves room for as many requests as a benchmark makes.
func newRequests(req *promwire.WriteRequest, mt promwire.MessageType) *requests {
	return &requests{req: req, mt: mt, time: time.Now().Add(-50 * time.Minute).UnixMilli(), header: http.Header{
		"Content-Type":              {mt.ContentType()},
		"Content-Encoding":          {promwire.EncodingSnappy},
		promwire.HeaderWriteVersion: {mt.Version()},
	}}
}

func (r *requests) next(tb testing.TB) *http.Request {
	for i := range r.req.Timeseries {
		ts := &r.req.Timeseries[i]
		for k := range ts.Samples {
			ts.Samples[k].Timestamp = r.time + int64(k)
		}
		for k := range ts.Histograms {
			ts.Histograms[k].Timestamp = r.time + int64(k)
		}
	}
	r.time += 200
	var err error
	if r.msg, err = r.req.AppendProto(r.msg[:0], r.mt); err != nil {
		tb.Fatal(err)
	}
	r.body = xcompress.AppendSnappy(r.body[:0], r.msg)
	req := httptest.NewRequest(http.MethodPost, "/api/v1/write", bytes.NewReader(r.body))
	req.Header = r.header
	return req
}
