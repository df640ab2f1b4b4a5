package compat

import (
	"log/slog"
	"math"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/prometheus/client_golang/exp/api/remote"
	"github.com/prometheus/client_golang/prometheus"
	config_util "github.com/prometheus/common/config"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/prompb"
	promremote "github.com/prometheus/prometheus/storage/remote"
	"github.com/prometheus/prometheus/tsdb"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/tsdbstore"
	promwireremote "github.com/promwire/promwire/remote"
	"github.com/promwire/promwire/server"
)

// promwireServer serves an embedded store, and returns the URL of the server.
func promwireServer(t *testing.T) string {
	t.Helper()
	s, err := tsdbstore.Open(t.TempDir(), tsdbstore.Options{MinFree: -1})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(server.NewHandler(s))
	t.Cleanup(func() {
		srv.Close()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return srv.URL
}

// prometheusServer serves a TSDB with Prometheus' own handlers.
func prometheusServer(t *testing.T) string {
	t.Helper()
	o := tsdb.DefaultOptions()
	o.EnableExemplarStorage, o.MaxExemplars, o.OutOfOrderTimeWindow = true, 100, time.Hour.Milliseconds()
	db, err := tsdb.Open(t.TempDir(), nil, nil, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	logger, reg := slog.New(slog.DiscardHandler), prometheus.NewRegistry()
	write := promremote.NewWriteHandler(logger, reg, db,
		remote.MessageTypes{remote.WriteV1MessageType, remote.WriteV2MessageType}, false, false, false)
	read := promremote.NewReadHandler(logger, reg, db, func() config.Config { return config.Config{} }, 0, 10, 1<<20)
	srv := httptest.NewServer(mux(write, read))
	t.Cleanup(func() {
		srv.Close()
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return srv.URL
}

// promwireWriter and promwireReader are the clients of promwire.
func promwireWriter(t *testing.T, base string, mt promwire.MessageType) promwire.Writer {
	t.Helper()
	c, err := promwireremote.NewWriteClient(base+server.WritePath, promwireremote.WithMessageType(mt))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func promwireReader(t *testing.T, base string, rt promwire.ResponseType) promwire.Reader {
	t.Helper()
	c, err := promwireremote.NewReadClient(base+server.ReadPath, promwireremote.WithResponseTypes(rt))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func clientConfig(t *testing.T, address string) *promremote.ClientConfig {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return &promremote.ClientConfig{
		URL: &config_util.URL{URL: u}, Timeout: model.Duration(time.Minute), HTTPClientConfig: config_util.DefaultHTTPClientConfig,
		ChunkedReadLimit: config.DefaultChunkedReadLimit, AcceptedResponseTypes: []prompb.ReadRequest_ResponseType{},
	}
}

// series are the series of the tests: all kinds of values, in label order. Version 1.0 has neither histograms with custom
// buckets nor start timestamps.
func series(mt promwire.MessageType, now time.Time) []promwire.TimeSeries {
	at := now.Add(-time.Minute).UnixMilli()
	values := promwire.TimeSeries{Labels: promwire.LabelsFromStrings("__name__", "floats", "utf8", "ö \n\"\\")}
	for i, v := range []float64{
		0, math.Copysign(0, -1), 1.5, math.Inf(1), math.Inf(-1), math.MaxFloat64, math.SmallestNonzeroFloat64,
		math.NaN(), math.Float64frombits(0x7ff8dead0000beef), promwire.StaleNaN(), 3,
	} {
		values.Samples = append(values.Samples, promwire.Sample{Timestamp: at + int64(i), Value: v})
	}
	spans := []promwire.BucketSpan{{Offset: -3, Length: 2}, {Offset: 1, Length: 1}}
	ints := promwire.TimeSeries{Labels: promwire.LabelsFromStrings("__name__", "ints"), Histograms: []promwire.Histogram{
		{
			Timestamp: at, Schema: 2, Count: 9, Sum: 18.5, ZeroThreshold: 1e-3, ZeroCount: 2, PositiveSpans: spans, PositiveDeltas: []int64{1, 1, -1},
			NegativeSpans: []promwire.BucketSpan{{Offset: 4, Length: 1}}, NegativeDeltas: []int64{3},
		},
		{Timestamp: at + 1, Sum: promwire.StaleNaN()},
	}}
	floats := promwire.TimeSeries{Labels: promwire.LabelsFromStrings("__name__", "nativefloats"), Histograms: []promwire.Histogram{
		{
			Timestamp: at, IsFloat: true, Schema: -1, CountFloat: 4.5, Sum: -2, ZeroThreshold: 0.5, ZeroCountFloat: 0.5,
			PositiveSpans: spans, PositiveCounts: []float64{1, 2, 1},
		},
	}}
	out := []promwire.TimeSeries{values, ints, floats}
	if mt == promwire.WriteV2 {
		out = append(out, promwire.TimeSeries{Labels: promwire.LabelsFromStrings("__name__", "nhcb"), Histograms: []promwire.Histogram{
			{
				Timestamp: at, Schema: promwire.CustomBucketsSchema, Count: 3, Sum: 5.5, CustomValues: []float64{0.1, 1},
				PositiveSpans: []promwire.BucketSpan{{Length: 1}, {Offset: 1, Length: 1}}, PositiveDeltas: []int64{2, -1},
			},
		}})
	}
	long := promwire.TimeSeries{Labels: promwire.LabelsFromStrings("__name__", "zlong")}
	for i := range int64(500) {
		long.Samples = append(long.Samples, promwire.Sample{Timestamp: at + i*10, Value: float64(i * i)})
	}
	return append(out, long)
}
