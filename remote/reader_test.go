package remote

import (
	"context"
	"fmt"
	"io"
	"iter"
	"net/http"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/chunk"
	"github.com/promwire/promwire/internal/xcompress"
)

func newReadClient(t testing.TB, url string, opts ...ReadOption) *ReadClient {
	t.Helper()
	c, err := NewReadClient(url, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

// query selects {__name__="m"} from lo to hi, in milliseconds.
func query(t testing.TB, lo, hi int64) promwire.Query {
	t.Helper()
	m, err := promwire.NewMatcher(promwire.MatchEqual, "__name__", "m")
	if err != nil {
		t.Fatal(err)
	}
	return promwire.Query{Start: time.UnixMilli(lo), End: time.UnixMilli(hi), Matchers: []promwire.Matcher{m}}
}

// named makes the labels of series i.
func named(i int) promwire.Labels {
	return promwire.LabelsFromStrings("__name__", "m", "i", fmt.Sprintf("%03d", i))
}

// floats makes n samples from time t on, step apart, with values that tell the time.
func floats(t, step int64, n int) []promwire.Sample {
	out := make([]promwire.Sample, n)
	for i := range out {
		at := t + int64(i)*step
		out[i] = promwire.Sample{Timestamp: at, Value: float64(at) / 8}
	}
	return out
}

// natives makes n native histograms from time t on, step apart.
func natives(t, step int64, n int) []promwire.Histogram {
	out := make([]promwire.Histogram, n)
	for i := range out {
		at := t + int64(i)*step
		out[i] = promwire.Histogram{
			Timestamp: at, Count: uint64(at) + 1, ZeroCount: 1, Sum: float64(at), ResetHint: promwire.ResetGauge,
			ZeroThreshold: 1e-128, PositiveSpans: []promwire.BucketSpan{{Offset: 1, Length: 2}},
			PositiveDeltas: []int64{at, -at},
		}
	}
	return out
}

// samplesBody encodes a samples answer.
func samplesBody(series ...promwire.TimeSeries) []byte {
	r := promwire.ReadResponse{Results: []promwire.QueryResult{{Timeseries: series}}}
	return xcompress.AppendSnappy(nil, r.AppendProto(nil))
}

// frame encodes a frame of one series.
func frame(labels promwire.Labels, chunks ...promwire.Chunk) []byte {
	return promwire.AppendFrame(nil, &promwire.ChunkedReadResponse{
		ChunkedSeries: []promwire.ChunkedSeries{{Labels: labels, Chunks: chunks}},
	})
}

// xor encodes samples, and histograms, as chunks.
func xor(ss ...promwire.Sample) []promwire.Chunk {
	var e chunk.Encoder
	return e.AppendSamples(nil, ss)
}

func native(hs ...promwire.Histogram) []promwire.Chunk {
	var e chunk.Encoder
	return e.AppendHistograms(nil, hs)
}

// samplesAnswered answers with a samples body.
func samplesAnswered(body []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		_, _ = io.Copy(io.Discard, req.Body)
		w.Header().Set("Content-Type", "application/x-protobuf")
		w.Header().Set("Content-Encoding", "snappy")
		_, _ = w.Write(body)
	}
}

// streamAnswered answers with frames, each flushed.
func streamAnswered(frames ...[]byte) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		_, _ = io.Copy(io.Discard, req.Body)
		w.Header().Set("Content-Type", promwire.ContentTypeStream)
		for _, f := range frames {
			_, _ = w.Write(f)
			w.(http.Flusher).Flush()
		}
	}
}

// collect reads to the end and returns copies of the parts.
func collect(seq iter.Seq2[promwire.TimeSeries, error]) ([]promwire.TimeSeries, error) {
	var out []promwire.TimeSeries
	for ts, err := range seq {
		if err != nil {
			return out, err
		}
		out = append(out, ts.Clone())
	}
	return out, nil
}

// read reads everything from lo to hi at url.
func read(t testing.TB, url string, lo, hi int64) ([]promwire.TimeSeries, error) {
	t.Helper()
	return collect(newReadClient(t, url).Read(context.Background(), query(t, lo, hi)))
}

// text describes series so that they can be compared and read.
func text(series []promwire.TimeSeries) string {
	var out []byte
	for _, ts := range series {
		out = ts.Labels.AppendText(out)
		for _, s := range ts.Samples {
			out = strconv.AppendInt(append(out, ' '), s.Timestamp, 10)
			out = strconv.AppendFloat(append(out, '='), s.Value, 'g', -1, 64)
		}
		for _, h := range ts.Histograms {
			out = fmt.Appendf(out, " %d=h%d,%g,%v,%v,%d", h.Timestamp, h.Count, h.Sum, h.PositiveSpans, h.PositiveDeltas, h.ResetHint)
		}
		out = append(out, '\n')
	}
	return string(out)
}

func expectSeries(t testing.TB, got, want []promwire.TimeSeries) {
	t.Helper()
	if g, w := text(got), text(want); g != w {
		t.Errorf("got\n%.2000s\nwant\n%.2000s", g, w)
	}
}

// joined joins parts.
func joined(parts []promwire.TimeSeries) []promwire.TimeSeries {
	seq := func(yield func(promwire.TimeSeries, error) bool) {
		for _, p := range parts {
			if !yield(p, nil) {
				return
			}
		}
	}
	out, _ := collect(promwire.JoinSeries(seq))
	return out
}

func flatten(chunks ...[]promwire.Chunk) []promwire.Chunk { return slices.Concat(chunks...) }
