package servebench

import (
	"context"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/golang/snappy"
	"github.com/prometheus/common/config"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/prompb"
	promremote "github.com/prometheus/prometheus/storage/remote"
	"github.com/prometheus/prometheus/tsdb/chunkenc"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/remote"
)

const (
	readStart = 1_760_000_000_000
	readStep  = 15_000
	readEnd   = readStart + 1_000_000*readStep
)

// readers read everything at a URL and return the number of samples and the sum of their values.
var readers = []struct {
	name string
	make func(tb testing.TB, url string) func() (int, float64)
}{
	{"promwire", readPromwire},
	{"prometheus", readPrometheus},
}

// BenchmarkReadClient is one answer, made before, over loopback: until every sample has been seen. The sender runs in
// the same process; it does no more than write the bytes.
func BenchmarkReadClient(b *testing.B) {
	for _, kind := range []string{"samples", "chunks"} {
		for _, k := range readWorks {
			url := ""
			for _, r := range readers {
				b.Run("type="+kind+"/work="+k.name+"/impl="+r.name, func(leaf *testing.B) {
					if url == "" {
						url = answering(b, kind, k)
					}
					read := r.make(leaf, url)
					measureOp(leaf, func() { read() })
				})
			}
		}
	}
}

func TestReadClientsAgree(t *testing.T) {
	for _, kind := range []string{"samples", "chunks"} {
		for _, k := range []readWork{readWorks[0], {"3x100k", 3, 100_000, 5}} {
			url := answering(t, kind, k)
			n, sum := readPromwire(t, url)()
			if m, other := readPrometheus(t, url)(); n != k.series*k.samples || n != m || sum != other || sum == 0 {
				t.Errorf("%s, %s: got %d samples with sum %v, Prometheus' client %d with %v", kind, k.name, n, sum, m, other)
			}
		}
	}
}

func readPromwire(tb testing.TB, url string) func() (int, float64) {
	c, err := remote.NewReadClient(url)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(c.CloseIdleConnections)
	matchers, err := promwire.ParseSelector("billing_orders_total")
	if err != nil {
		tb.Fatal(err)
	}
	q := promwire.Query{Start: time.UnixMilli(readStart), End: time.UnixMilli(readEnd), Matchers: matchers}
	return func() (n int, sum float64) {
		for ts, err := range c.Read(context.Background(), q) {
			if err != nil {
				tb.Fatal(err)
			}
			for i := range ts.Samples {
				sum += ts.Samples[i].Value
			}
			n += len(ts.Samples)
		}
		return n, sum
	}
}

func readPrometheus(tb testing.TB, rawURL string) func() (int, float64) {
	u, err := url.Parse(rawURL)
	if err != nil {
		tb.Fatal(err)
	}
	c, err := promremote.NewReadClient("peer", &promremote.ClientConfig{
		URL: &config.URL{URL: u}, Timeout: model.Duration(time.Minute), ChunkedReadLimit: promwire.MaxFrame,
	})
	if err != nil {
		tb.Fatal(err)
	}
	q := &prompb.Query{StartTimestampMs: readStart, EndTimestampMs: readEnd, Matchers: []*prompb.LabelMatcher{
		{Type: prompb.LabelMatcher_EQ, Name: "__name__", Value: "billing_orders_total"},
	}}
	return func() (n int, sum float64) {
		set, err := c.Read(context.Background(), q, true)
		if err != nil {
			tb.Fatal(err)
		}
		var it chunkenc.Iterator
		for set.Next() {
			for it = set.At().Iterator(it); it.Next() != chunkenc.ValNone; n++ {
				_, v := it.At()
				sum += v
			}
		}
		if set.Err() != nil {
			tb.Fatal(set.Err())
		}
		return n, sum
	}
}

// answering serves one answer again and again.
func answering(tb testing.TB, kind string, k readWork) string {
	tb.Helper()
	header := http.Header{"Content-Type": {promwire.ContentTypeProtobuf}, "Content-Encoding": {"snappy"}}
	var body []byte
	if kind == "samples" {
		body = samplesAnswer(tb, k)
	} else {
		body, header = chunksAnswer(tb, k), http.Header{"Content-Type": {promwire.ContentTypeStream}}
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for name, value := range header {
			w.Header()[name] = value
		}
		_, _ = w.Write(body)
	}))
	tb.Cleanup(s.Close)
	return s.URL
}

// readLabels are those of series i, of 1,000 in label order.
func readLabels(i int) []prompb.Label {
	return []prompb.Label{
		{Name: "__name__", Value: "billing_orders_total"},
		{Name: "instance", Value: "billing-worker-" + strconv.Itoa(100+i/10) + ".eu-west-1.example:9100"},
		{Name: "job", Value: "billing"},
		{Name: "queue", Value: "queue-" + strconv.Itoa(i%10)},
		{Name: "region", Value: "eu-west-1"},
	}
}

// readValues are those of series i: a counter.
func readValues(i, samples int) []prompb.Sample {
	random := rand.New(rand.NewPCG(uint64(i), 1))
	out, v := make([]prompb.Sample, samples), float64(random.IntN(1_000_000))
	for k := range out {
		v += float64(random.IntN(200))
		out[k] = prompb.Sample{Timestamp: readStart + int64(k)*readStep, Value: math.Floor(v)}
	}
	return out
}

func samplesAnswer(tb testing.TB, k readWork) []byte {
	tb.Helper()
	result := &prompb.QueryResult{}
	for i := range k.series {
		result.Timeseries = append(result.Timeseries, &prompb.TimeSeries{Labels: readLabels(i), Samples: readValues(i, k.samples)})
	}
	msg, err := (&prompb.ReadResponse{Results: []*prompb.QueryResult{result}}).Marshal()
	if err != nil {
		tb.Fatal(err)
	}
	return snappy.Encode(nil, msg)
}

func chunksAnswer(tb testing.TB, k readWork) []byte {
	tb.Helper()
	out := &recorder{}
	w := promremote.NewChunkedWriter(out, out)
	for i := range k.series {
		// Frames of less than a MiB, as servers send them.
		for some := range slices.Chunk(readValues(i, k.samples), 2000*120) {
			s := &prompb.ChunkedSeries{Labels: readLabels(i)}
			for part := range slices.Chunk(some, 120) {
				s.Chunks = append(s.Chunks, xorChunk(tb, part))
			}
			msg, err := (&prompb.ChunkedReadResponse{ChunkedSeries: []*prompb.ChunkedSeries{s}}).Marshal()
			if err != nil {
				tb.Fatal(err)
			}
			if _, err := w.Write(msg); err != nil {
				tb.Fatal(err)
			}
		}
	}
	return out.bytes
}

func xorChunk(tb testing.TB, part []prompb.Sample) prompb.Chunk {
	tb.Helper()
	c := chunkenc.NewXORChunk()
	app, err := c.Appender()
	if err != nil {
		tb.Fatal(err)
	}
	for _, v := range part {
		app.Append(0, v.Timestamp, v.Value)
	}
	return prompb.Chunk{MinTimeMs: part[0].Timestamp, MaxTimeMs: part[len(part)-1].Timestamp, Type: prompb.Chunk_XOR, Data: c.Bytes()}
}

// recorder keeps what is written.
type recorder struct{ bytes []byte }

func (r *recorder) Write(p []byte) (int, error) {
	r.bytes = append(r.bytes, p...)
	return len(p), nil
}

func (r *recorder) Flush() {}
