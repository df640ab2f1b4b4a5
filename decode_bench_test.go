package promwire_test

import (
	"fmt"
	"testing"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/xcompress"
)

// benchLoad makes deterministic series like those of a busy Prometheus, and both messages of them.
type benchLoad struct {
	series, labels, samples int
	histograms              bool
}

var benchLoads = []struct {
	name string
	w    benchLoad
}{
	{"W1", benchLoad{1, 5, 1, false}},
	{"W2", benchLoad{2000, 12, 1, false}},
	{"W3", benchLoad{100, 6, 200, false}},
	{"W4", benchLoad{10000, 6, 1, false}},
	{"W5", benchLoad{500, 6, 1, true}},
}

var labelNames = []string{
	"__name__", "cluster", "container", "endpoint", "instance", "job", "namespace", "node", "pod", "region", "service",
	"status_code",
}

func (w benchLoad) labelSet(i int) []string {
	target := i / 20
	values := []string{
		fmt.Sprintf("http_server_requests_seconds_%d_total", i%20), "production-eu-1", "api-gateway",
		fmt.Sprintf("/api/v%d/items", i%3), fmt.Sprintf("10.12.%d.%d:9100", target/250, target%250), "kubernetes-pods",
		"billing-and-payments", fmt.Sprintf("node-%03d.internal", target%50), fmt.Sprintf("api-gateway-6d5f%05d-x", target),
		"eu-central-1", "api-gateway-internal", fmt.Sprint(200 + i%5),
	}
	n := w.labels
	if n == 12 {
		n -= i % 3
	}
	var ls []string
	for k := range n {
		ls = append(ls, labelNames[k], values[k])
	}
	return ls
}

const benchTime = 1_700_000_000_000

func (w benchLoad) data(i int, histogramField int) (m msg) {
	if w.histograms {
		return m.sub(histogramField, benchHistogram(i))
	}
	for k := range w.samples {
		m = m.sub(2, sampleMsg(float64(i*w.samples+k)*1.5, benchTime+int64(k)*15000))
	}
	return m
}

func benchHistogram(i int) msg {
	n := 25 + i%21
	var deltas []int64
	for k := range n {
		deltas = append(deltas, int64((i*7+k*13)%200-100)*int64(k%3*k%3+1))
	}
	spans := msg{}.sub(11, spanMsg(-4, uint64(n/3))).sub(11, spanMsg(2, uint64(n/3))).
		sub(11, spanMsg(3, uint64(n-n/3*2)))
	return msg{}.uint(1, uint64(10000+i)).double(3, float64(i)*3.25).sint(4, 3).double(5, 1e-128).uint(6, uint64(i%7)).
		append(spans).sints(12, deltas...).uint(14, 2).int(15, benchTime)
}

func (w benchLoad) encodeV1() []byte {
	var m msg
	for i := range w.series {
		var ts msg
		ls := w.labelSet(i)
		for k := 0; k < len(ls); k += 2 {
			ts = ts.sub(1, labelMsg(ls[k], ls[k+1]))
		}
		m = m.sub(1, ts.append(w.data(i, 4)))
	}
	return m
}

func (w benchLoad) encodeV2() []byte {
	ids := map[string]uint64{"": 0}
	symbols, series := msg{}.str(4, ""), msg{}
	for i := range w.series {
		var refs []uint64
		for _, s := range w.labelSet(i) {
			id, ok := ids[s]
			if !ok {
				id = uint64(len(ids))
				ids[s] = id
				symbols = symbols.str(4, s)
			}
			refs = append(refs, id)
		}
		series = series.sub(5, msg{}.uints(1, refs...).append(w.data(i, 3)).sub(5, msg{}.uint(1, 1)))
	}
	return append(symbols, series...)
}

func eachWorkload(b *testing.B, run func(b *testing.B, src []byte, t promwire.MessageType)) {
	for _, w := range benchLoads {
		for version, t := range []promwire.MessageType{v1, v2} {
			src := w.w.encodeV1()
			if t == v2 {
				src = w.w.encodeV2()
			}
			b.Run(fmt.Sprintf("%s/v%d", w.name, version+1), func(b *testing.B) {
				b.ReportAllocs()
				b.SetBytes(int64(len(src)))
				run(b, src, t)
			})
		}
	}
}

// seen sums up a series, so that every label and sample is looked at.
func seen(ts *promwire.TimeSeries) (n int) {
	for i := range ts.Labels {
		n += len(ts.Labels[i].Name) + len(ts.Labels[i].Value)
	}
	for i := range ts.Samples {
		n += int(ts.Samples[i].Timestamp) + int(ts.Samples[i].Value)
	}
	for i := range ts.Histograms {
		h := &ts.Histograms[i]
		n += int(h.Count) + len(h.PositiveSpans)
		for _, d := range h.PositiveDeltas {
			n += int(d)
		}
	}
	return n
}

var sink int

func BenchmarkDecodeWalk(b *testing.B) {
	eachWorkload(b, func(b *testing.B, src []byte, t promwire.MessageType) {
		var d promwire.Decoder
		for b.Loop() {
			for d.Reset(src, t); d.Next(); {
				sink += seen(d.Series())
			}
		}
		if d.Err() != nil {
			b.Fatal(d.Err())
		}
	})
}

func BenchmarkDecodeWalkSnappy(b *testing.B) {
	eachWorkload(b, func(b *testing.B, src []byte, t promwire.MessageType) {
		var d promwire.Decoder
		body, buf := xcompress.AppendSnappy(nil, src), make([]byte, 0, len(src))
		for b.Loop() {
			buf, _ = xcompress.AppendDecoded(buf[:0], body, len(src))
			for d.Reset(buf, t); d.Next(); {
				sink += seen(d.Series())
			}
		}
	})
}

func BenchmarkDecodeRaw(b *testing.B) {
	eachWorkload(b, func(b *testing.B, src []byte, t promwire.MessageType) {
		var d promwire.Decoder
		for b.Loop() {
			for d.Reset(src, t); d.NextRaw(); {
				sink += len(d.RawLabels()) + len(d.LabelRefs())
			}
		}
	})
}

func BenchmarkUnmarshalProtoAlias(b *testing.B) {
	eachWorkload(b, func(b *testing.B, src []byte, t promwire.MessageType) {
		var req promwire.WriteRequest
		for b.Loop() {
			if err := req.UnmarshalProtoAlias(src, t); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkUnmarshalProto(b *testing.B) {
	eachWorkload(b, func(b *testing.B, src []byte, t promwire.MessageType) {
		var req promwire.WriteRequest
		for b.Loop() {
			if err := req.UnmarshalProto(src, t); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkUnmarshalProtoFresh(b *testing.B) {
	eachWorkload(b, func(b *testing.B, src []byte, t promwire.MessageType) {
		for b.Loop() {
			var req promwire.WriteRequest
			if err := req.UnmarshalProto(src, t); err != nil {
				b.Fatal(err)
			}
		}
	})
}
