package compat

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/exp/api/remote"
	"github.com/prometheus/prometheus/prompb"
	promremote "github.com/prometheus/prometheus/storage/remote"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/xcompress"
	"github.com/promwire/promwire/server"
)

func mux(write, read http.Handler) http.Handler {
	m := http.NewServeMux()
	m.Handle(server.WritePath, write)
	m.Handle(server.ReadPath, read)
	return m
}

var (
	servers = map[string]func(t *testing.T) string{"promwire": promwireServer, "prometheus": prometheusServer}
	writers = map[string]func(t *testing.T, base string, mt promwire.MessageType) promwire.Writer{
		"promwire": promwireWriter, "prometheus": prometheusWriter,
	}
	readers = map[string]func(t *testing.T, base string, rt promwire.ResponseType) promwire.Reader{
		"promwire": promwireReader, "prometheus": prometheusReader,
	}
	messages  = []promwire.MessageType{promwire.WriteV1, promwire.WriteV2}
	responses = []promwire.ResponseType{promwire.ResponseSamples, promwire.ResponseStreamedXORChunks}
)

// TestEveryPair writes with each client to each server, over both versions, and reads with each client, both kinds of
// answer: what comes back is what was sent, bit for bit.
func TestEveryPair(t *testing.T) {
	for serverName, newServer := range servers {
		for writerName, newWriter := range writers {
			for _, mt := range messages {
				t.Run(fmt.Sprintf("%s/%s/%s", serverName, writerName, mt), func(t *testing.T) {
					now := time.Now()
					base, sent := newServer(t), series(mt, now)
					req := &promwire.WriteRequest{Timeseries: sent}
					stats, err := newWriter(t, base, mt).Write(t.Context(), req)
					if err != nil || stats != req.Stats() {
						t.Fatalf("wrote %+v of %+v, %v", stats, req.Stats(), err)
					}
					for readerName, newReader := range readers {
						for _, rt := range responses {
							got := readAll(t, newReader(t, base, rt), now)
							want := sent
							if serverName == "prometheus" && rt == promwire.ResponseSamples {
								want = withoutMinusZero(sent)
							}
							compare(t, fmt.Sprintf("%s, response type %d", readerName, rt), want, got)
						}
					}
				})
			}
		}
	}
}

// withoutMinusZero is what Prometheus makes of -0 when it encodes samples: it takes it for a field that is not set.
func withoutMinusZero(series []promwire.TimeSeries) []promwire.TimeSeries {
	var out []promwire.TimeSeries
	for i := range series {
		ts := series[i].Clone()
		for k := range ts.Samples {
			if ts.Samples[k].Value == 0 {
				ts.Samples[k].Value = 0
			}
		}
		out = append(out, ts)
	}
	return out
}

func readAll(t *testing.T, r promwire.Reader, now time.Time) []promwire.TimeSeries {
	t.Helper()
	matcher, err := promwire.NewMatcher(promwire.MatchRegexp, promwire.MetricName, ".+")
	if err != nil {
		t.Fatal(err)
	}
	q := promwire.Query{Start: now.Add(-time.Hour), End: now.Add(time.Hour), Matchers: []promwire.Matcher{matcher}}
	var out []promwire.TimeSeries
	for ts, err := range promwire.JoinSeries(r.Read(t.Context(), q)) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, ts.Clone())
	}
	return out
}

// compare compares bit by bit. Reset hints are left out: the TSDB finds out itself.
func compare(t *testing.T, how string, want, got []promwire.TimeSeries) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d series, want %d", how, len(got), len(want))
	}
	sameSample := func(a, b promwire.Sample) bool {
		return a.Timestamp == b.Timestamp && math.Float64bits(a.Value) == math.Float64bits(b.Value)
	}
	sameHistogram := func(a, b promwire.Histogram) bool {
		a.ResetHint, b.ResetHint = 0, 0
		sums := [2]uint64{math.Float64bits(a.Sum), math.Float64bits(b.Sum)}
		a.Sum, b.Sum = 0, 0
		return sums[0] == sums[1] && fmt.Sprint(a) == fmt.Sprint(b)
	}
	for i := range want {
		w, g := &want[i], &got[i]
		if !w.Labels.Equal(g.Labels) || !slices.EqualFunc(w.Samples, g.Samples, sameSample) ||
			!slices.EqualFunc(w.Histograms, g.Histograms, sameHistogram) {
			t.Errorf("%s: got %+v\nwant %+v", how, *g, *w)
		}
	}
}

// storeClient is Prometheus' write client as a Writer.
type storeClient struct {
	client promremote.WriteClient
	mt     promwire.MessageType
}

func prometheusWriter(t *testing.T, base string, mt promwire.MessageType) promwire.Writer {
	t.Helper()
	conf := clientConfig(t, base+server.WritePath)
	conf.WriteProtoMsg = remote.WriteMessageType(mt)
	c, err := promremote.NewWriteClient("test", conf)
	if err != nil {
		t.Fatal(err)
	}
	return storeClient{c, mt}
}

// Write implements promwire.Writer.
func (s storeClient) Write(ctx context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	msg, err := req.AppendProto(nil, s.mt)
	if err != nil {
		return promwire.WriteStats{}, err
	}
	stats, err := s.client.Store(ctx, xcompress.AppendSnappy(nil, msg), 0)
	if s.mt == promwire.WriteV1 && err == nil {
		return req.Stats(), nil // 1.0 has no counts
	}
	return promwire.WriteStats{Samples: stats.Samples, Histograms: stats.Histograms, Exemplars: stats.Exemplars}, err
}

// readClient is Prometheus' read client as a Reader.
type readClient struct{ client promremote.ReadClient }

func prometheusReader(t *testing.T, base string, rt promwire.ResponseType) promwire.Reader {
	t.Helper()
	conf := clientConfig(t, base+server.ReadPath)
	conf.AcceptedResponseTypes = []prompb.ReadRequest_ResponseType{prompb.ReadRequest_ResponseType(rt)}
	c, err := promremote.NewReadClient("test", conf)
	if err != nil {
		t.Fatal(err)
	}
	return readClient{c}
}
