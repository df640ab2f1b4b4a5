package chunk

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/promwire/promwire"
)

func TestEncodeVectors(t *testing.T) {
	for _, v := range vectors {
		if v.encoding > promwire.ChunkFloatHistogram {
			continue
		}
		t.Run(v.name, func(t *testing.T) {
			var e Encoder
			got := e.AppendHistograms(e.AppendSamples(nil, v.want.Samples), v.want.Histograms)
			want := v.chunk(t)
			times := timesOf(&v.want)
			if len(got) != 1 || !bytes.Equal(got[0].Data, want.Data) || got[0].Encoding != want.Encoding ||
				got[0].MinTime != times[0] || got[0].MaxTime != times[len(times)-1] {
				t.Errorf("got %+v (%x)", got, got[0].Data)
			}
		})
	}
}

// TestEncodeSamples covers all forms of time and value, and the cut after 120 samples.
func TestEncodeSamples(t *testing.T) {
	for _, n := range []int{0, 1, 2, 119, 120, 121, 1000} {
		var ss []promwire.Sample
		at := int64(math.MinInt64 / 2)
		for i := range n {
			at += 15000
			switch i % 16 {
			case 3:
				at += 8192
			case 5:
				at += 65536
			case 8:
				at += 524288
			case 11:
				at += 1 << 40
			}
			v := [...]float64{0, 1, 1, math.Pi, math.Copysign(0, -1), math.NaN(), promwire.StaleNaN(), 1e300}[i*i%8]
			ss = append(ss, promwire.Sample{Timestamp: at, Value: v})
		}
		var e Encoder
		chunks := e.AppendSamples(nil, ss)
		if want := (n + maxSamples - 1) / maxSamples; len(chunks) != want {
			t.Fatalf("%d samples: got %d chunks, want %d", n, len(chunks), want)
		}
		if got := decodeAll(t, chunks); !sameSamples(got.Samples, ss) {
			t.Errorf("%d samples: got %+v", n, got)
		}
	}
}

// TestEncodeLargest fills an XOR chunk with the longest codes there are.
func TestEncodeLargest(t *testing.T) {
	var ss []promwire.Sample
	at := int64(math.MinInt64)
	for i := range 2 * maxSamples {
		at += [...]int64{1, 1 << 54}[i%2]
		ss = append(ss, promwire.Sample{Timestamp: at, Value: math.Float64frombits(0x8000000000000001 * uint64(i%2))})
	}
	var e Encoder
	chunks := e.AppendSamples(nil, ss)
	if len(chunks[0].Data) > maxXORBytes {
		t.Errorf("chunk takes %d bytes, more than %d", len(chunks[0].Data), maxXORBytes)
	}
	if got := decodeAll(t, chunks); !sameSamples(got.Samples, ss) {
		t.Errorf("got %+v", got.Samples)
	}
}

func decodeAll(t testing.TB, chunks []promwire.Chunk) promwire.TimeSeries {
	t.Helper()
	var d Decoder
	var ts promwire.TimeSeries
	for _, c := range chunks {
		if err := d.Append(&ts, c, c.MinTime, c.MaxTime); err != nil {
			t.Fatal(err)
		}
	}
	return ts
}

// counting returns n histograms of one layout whose buckets grow.
func counting(n int, isFloat bool) []promwire.Histogram {
	out := make([]promwire.Histogram, n)
	for i := range out {
		h := &out[i]
		*h = promwire.Histogram{
			Timestamp: int64(1000 + 10*i), Schema: 3, ZeroThreshold: 0x1p-128, Sum: float64(i), IsFloat: isFloat,
			PositiveSpans: []promwire.BucketSpan{{Offset: -1, Length: 2}},
			NegativeSpans: []promwire.BucketSpan{{Offset: 4, Length: 1}},
		}
		if isFloat {
			h.CountFloat, h.ZeroCountFloat = float64(4*i+1), 1
			h.PositiveCounts, h.NegativeCounts = []float64{float64(i), float64(2 * i)}, []float64{float64(i)}
		} else {
			h.Count, h.ZeroCount = uint64(4*i+1), 1
			h.PositiveDeltas, h.NegativeDeltas = []int64{int64(i), int64(i)}, []int64{int64(i)}
		}
	}
	return out
}

func setCounts(h *promwire.Histogram, count, zeros uint64) {
	if h.IsFloat {
		h.CountFloat, h.ZeroCountFloat = float64(count), float64(zeros)
	} else {
		h.Count, h.ZeroCount = count, zeros
	}
}

// TestEncodeHistograms checks where chunks are cut and what their headers say about counter resets.
func TestEncodeHistograms(t *testing.T) {
	type cut struct {
		n     int // of the histogram that starts a chunk
		reset byte
	}
	stale := promwire.Histogram{Sum: promwire.StaleNaN()}
	tests := []struct {
		name string
		n    int
		edit func(hs []promwire.Histogram)
		want []cut
	}{
		{"one", 1, func([]promwire.Histogram) {}, []cut{{0, resetUnknown}}},
		{"by number", 250, func([]promwire.Histogram) {}, []cut{{0, resetUnknown}, {120, resetNo}, {240, resetNo}}},
		{"schema", 4, func(hs []promwire.Histogram) { hs[2].Schema = 2 }, []cut{{0, 0}, {2, 0}, {3, 0}}},
		{"zero threshold", 4, func(hs []promwire.Histogram) { hs[3].ZeroThreshold = 0 }, []cut{{0, 0}, {3, 0}}},
		{"spans", 4, func(hs []promwire.Histogram) { hs[3].PositiveSpans[0].Offset = 7 }, []cut{{0, 0}, {3, 0}}},
		{"hint of a reset", 4, func(hs []promwire.Histogram) {
			hs[2].ResetHint = promwire.ResetYes
		}, []cut{{0, 0}, {2, resetYes}}},
		{"count", 4, func(hs []promwire.Histogram) { setCounts(&hs[2], 1, 1) }, []cut{{0, 0}, {2, resetYes}}},
		{"zero count", 4, func(hs []promwire.Histogram) { setCounts(&hs[2], 9, 0) }, []cut{{0, 0}, {2, resetYes}}},
		{"bucket", 4, func(hs []promwire.Histogram) {
			if hs[3].IsFloat {
				hs[3].PositiveCounts[1] = 3
			} else {
				hs[3].PositiveDeltas[1] = 0
			}
		}, []cut{{0, 0}, {3, resetYes}}},
		{"gauge", 4, func(hs []promwire.Histogram) {
			for i := range hs {
				hs[i].ResetHint = promwire.ResetGauge
			}
			setCounts(&hs[3], 1, 1)
		}, []cut{{0, resetGauge}}},
		{"gauge and counter", 4, func(hs []promwire.Histogram) {
			hs[2].ResetHint = promwire.ResetGauge
		}, []cut{{0, 0}, {2, resetGauge}, {3, 0}}},
		{"stale", 5, func(hs []promwire.Histogram) {
			hs[1] = stale
			hs[2] = stale
		}, []cut{{0, 0}, {3, 0}}},
		{"stale in front", 3, func(hs []promwire.Histogram) { hs[0] = stale }, []cut{{0, 0}, {1, 0}}},
	}
	for _, tt := range tests {
		for _, isFloat := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, float %v", tt.name, isFloat), func(t *testing.T) {
				hs := counting(tt.n, isFloat)
				tt.edit(hs)
				for i := range hs {
					hs[i].Timestamp, hs[i].IsFloat = int64(i), isFloat
				}
				var e Encoder
				chunks := e.AppendHistograms(nil, hs)
				var got []cut
				for _, c := range chunks {
					got = append(got, cut{int(c.MinTime), c.Data[2] >> 6})
					if want := promwire.ChunkHistogram; !isFloat && c.Encoding != want || isFloat && c.Encoding != want+1 {
						t.Errorf("got encoding %d", c.Encoding)
					}
				}
				if !slices.Equal(got, tt.want) {
					t.Errorf("got chunks %v, want %v", got, tt.want)
				}
				checkHistograms(t, decodeAll(t, chunks).Histograms, hs)
			})
		}
	}
}

// checkHistograms compares but for the hints that the decoder derives.
func checkHistograms(t *testing.T, got, want []promwire.Histogram) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("got %d histograms, want %d", len(got), len(want))
	}
	for i := range got {
		w := want[i].Clone()
		if g := got[i].ResetHint; g != promwire.ResetGauge && w.ResetHint != promwire.ResetGauge {
			w.ResetHint = g
		}
		if !sameHistogram(got[i], w) {
			t.Fatalf("histogram %d: got  %+v\nwant %+v", i, got[i], w)
		}
	}
}

// TestEncodeBySize cuts chunks of large histograms after 1024 bytes, but keeps ten together.
func TestEncodeBySize(t *testing.T) {
	for _, tt := range []struct{ buckets, first int }{{40, 11}, {4000, 10}} {
		hs := make([]promwire.Histogram, 30)
		counts := make([]float64, tt.buckets)
		for i := range hs {
			h := &hs[i]
			h.Timestamp, h.IsFloat = int64(i), true
			h.PositiveSpans = []promwire.BucketSpan{{Length: uint32(tt.buckets)}}
			for j := range counts {
				counts[j] += float64(j+1) / 3
			}
			h.PositiveCounts = slices.Clone(counts)
		}
		var e Encoder
		chunks := e.AppendHistograms(nil, hs)
		if n := int(chunks[1].MinTime); n < minHistogramSamples || n > tt.first || chunks[1].Data[2]>>6 != resetNo {
			t.Errorf("%d buckets: first chunk has %d histograms", tt.buckets, n)
		}
		checkHistograms(t, decodeAll(t, chunks).Histograms, hs)
	}
}

// TestEncodeForms alternates integer and float histograms.
func TestEncodeForms(t *testing.T) {
	hs := append(counting(3, false), counting(2, true)...)
	hs = append(hs, counting(1, false)...)
	for i := range hs {
		hs[i].Timestamp = int64(i)
	}
	var e Encoder
	chunks := e.AppendHistograms(nil, hs)
	if len(chunks) != 3 || chunks[1].MinTime != 3 || chunks[2].MinTime != 5 {
		t.Errorf("got %+v", chunks)
	}
	checkHistograms(t, decodeAll(t, chunks).Histograms, hs)
}

// TestEncodeThresholdsAndBounds round-trips floats that have a short form, and their neighbours that have none.
func TestEncodeThresholdsAndBounds(t *testing.T) {
	values := []float64{
		0, math.Copysign(0, -1), 1, -1, 0.5, 0x1p-128, 0x1p-243, 0x1p-244, 0x1p10, 0x1p11, 1.5, 0.001, 0.0005, 12.345,
		33554.43, 33554.431, math.Nextafter(12.345, 13), 1e300, math.MaxFloat64, 5e-324,
	}
	for _, v := range values {
		h := promwire.Histogram{Schema: promwire.CustomBucketsSchema, ZeroThreshold: v, CustomValues: []float64{v, v}}
		var e Encoder
		checkHistograms(t, decodeAll(t, e.AppendHistograms(nil, []promwire.Histogram{h})).Histograms, []promwire.Histogram{h})
	}
}

// TestEncodeDisagreeing leaves out spans and buckets that have no counterpart, so that the chunk can be decoded.
func TestEncodeDisagreeing(t *testing.T) {
	const huge = math.MaxUint32
	tests := []struct {
		name    string
		spans   []promwire.BucketSpan
		buckets int
		want    []promwire.BucketSpan
		n       int
	}{
		{"more buckets", []promwire.BucketSpan{{Length: 1}}, 3, []promwire.BucketSpan{{Length: 1}}, 1},
		{"no spans", nil, 3, nil, 0},
		{
			"longer span",
			[]promwire.BucketSpan{{Length: 1}, {Offset: 1, Length: huge}, {Length: huge}},
			3,
			[]promwire.BucketSpan{{Length: 1}, {Offset: 1, Length: 2}, {}},
			3,
		},
	}
	for _, tt := range tests {
		for _, isFloat := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, float %v", tt.name, isFloat), func(t *testing.T) {
				h := promwire.Histogram{IsFloat: isFloat, PositiveSpans: tt.spans, NegativeSpans: tt.spans}
				if isFloat {
					h.PositiveCounts = make([]float64, tt.buckets)
					h.NegativeCounts = h.PositiveCounts
				} else {
					h.PositiveDeltas = make([]int64, tt.buckets)
					h.NegativeDeltas = h.PositiveDeltas
				}
				next := h.Clone()
				next.Timestamp, next.Sum = 1, 2
				var e Encoder
				got := decodeAll(t, e.AppendHistograms(nil, []promwire.Histogram{h, next})).Histograms
				if len(got) != 2 || got[1].Sum != 2 {
					t.Fatalf("got %+v", got)
				}
				for _, g := range got {
					if !slices.Equal(g.PositiveSpans, tt.want) || !slices.Equal(g.NegativeSpans, tt.want) ||
						len(g.PositiveDeltas)+len(g.PositiveCounts) != tt.n || len(g.NegativeDeltas)+len(g.NegativeCounts) != tt.n {
						t.Errorf("got %+v", g)
					}
				}
			})
		}
	}
}

// TestEncodeMemory keeps all chunks valid until Reset, and then reuses their memory.
func TestEncodeMemory(t *testing.T) {
	samples := make([]promwire.Sample, 5000)
	for i := range samples {
		samples[i] = promwire.Sample{Timestamp: int64(i), Value: math.Sqrt(float64(i))}
	}
	large := promwire.Histogram{
		IsFloat: true, PositiveSpans: []promwire.BucketSpan{{Length: 50000}}, PositiveCounts: make([]float64, 50000),
	}
	hs := []promwire.Histogram{large}
	var e Encoder
	var chunks []promwire.Chunk
	for round := range 4 {
		e.Reset()
		chunks = e.AppendSamples(chunks[:0], samples)
		chunks = e.AppendHistograms(chunks, hs)
		chunks = e.AppendSamples(chunks, samples[:round])
		got := decodeAll(t, chunks)
		if !sameSamples(got.Samples[:len(samples)], samples) || !sameHistograms(got.Histograms, hs) ||
			!sameSamples(got.Samples[len(samples):], samples[:round]) {
			t.Fatalf("round %d: got other samples", round)
		}
		for _, c := range chunks {
			if cap(c.Data) != len(c.Data) {
				t.Fatalf("round %d: an append to the data would spoil the next chunk", round)
			}
		}
	}
	first := &chunks[0].Data[0]
	e.Reset()
	if again := e.AppendSamples(nil, samples[:1]); &again[0].Data[0] != first {
		t.Error("Reset does not reuse memory")
	}
}

func TestEncodeAllocs(t *testing.T) {
	samples := make([]promwire.Sample, 5000)
	for i := range samples {
		samples[i] = promwire.Sample{Timestamp: int64(i), Value: math.Sqrt(float64(i))}
	}
	ints, floats := counting(200, false), counting(200, true)
	var e Encoder
	var chunks []promwire.Chunk
	encode := func() {
		e.Reset()
		chunks = e.AppendSamples(chunks[:0], samples)
		chunks = e.AppendHistograms(chunks, ints)
		chunks = e.AppendHistograms(chunks, floats)
	}
	encode()
	if n := testing.AllocsPerRun(100, encode); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
