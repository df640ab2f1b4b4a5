package remote

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/chunk"
)

type chunks = []promwire.Chunk

// Remote Read, "Streamed chunks": series split over frames, chunks outside the range, chunks that overlap.
func TestReadStream(t *testing.T) {
	two := promwire.AppendFrame(nil, &promwire.ChunkedReadResponse{ChunkedSeries: []promwire.ChunkedSeries{
		{Labels: named(1), Chunks: xor(floats(10, 1, 2)...)}, {Labels: named(2), Chunks: xor(floats(10, 1, 2)...)},
	}})
	tests := []struct {
		name   string
		frames [][]byte
		want   []series
	}{
		{"nothing", nil, nil},
		{"empty frames", [][]byte{{0, 0, 0, 0, 0}, frame(nil)}, nil},
		{"one", [][]byte{frame(named(1), xor(floats(10, 1, 3)...)...)}, []series{{Labels: named(1), Samples: floats(10, 1, 3)}}},
		{
			"split over frames",
			[][]byte{
				frame(named(1), xor(floats(10, 1, 3)...)...), frame(named(1), xor(floats(13, 1, 3)...)...),
				frame(named(1), native(natives(16, 1, 3)...)...), frame(named(2), xor(floats(10, 1, 3)...)...),
			},
			[]series{{Labels: named(1), Samples: floats(10, 1, 6), Histograms: natives(16, 1, 3)}, {Labels: named(2), Samples: floats(10, 1, 3)}},
		},
		{
			"two series in a frame",
			[][]byte{two, frame(named(2), xor(floats(12, 1, 2)...)...)},
			[]series{{Labels: named(1), Samples: floats(10, 1, 2)}, {Labels: named(2), Samples: floats(10, 1, 4)}},
		},
		{
			"outside the range",
			[][]byte{
				frame(named(1), flatten(xor(floats(0, 1, 9)...), xor(floats(9, 1, 9)...), xor(floats(98, 1, 9)...), xor(floats(150, 1, 9)...))...),
				frame(named(2), xor(floats(0, 1, 9)...)...), frame(named(3), xor(floats(0, 7, 100)...)...),
			},
			[]series{{Labels: named(1), Samples: slices.Concat(floats(10, 1, 8), floats(98, 1, 3))}, {Labels: named(3), Samples: floats(14, 7, 13)}},
		},
		{
			"overlap",
			[][]byte{
				frame(named(1), flatten(xor(floats(10, 2, 10)...), xor(floats(11, 2, 3)...))...),
				frame(named(1), flatten(xor(floats(12, 1, 30)...), native(natives(20, 2, 5)...), native(natives(20, 1, 5)...))...),
			},
			[]series{{
				Labels: named(1), Samples: floats(10, 1, 32),
				Histograms: slices.Concat(natives(20, 1, 5), natives(26, 2, 2)),
			}},
		},
		{
			"unsorted labels",
			[][]byte{frame(promwire.Labels{{Name: "i", Value: "001"}, {Name: "__name__", Value: "m"}}, xor(floats(10, 1, 3)...)...)},
			[]series{{Labels: named(1), Samples: floats(10, 1, 3)}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			url := newServer(t, streamAnswered(tt.frames...))
			for range 2 {
				got, err := read(t, url, 10, 100)
				if err != nil {
					t.Fatal(err)
				}
				expectSeries(t, got, tt.want)
			}
		})
	}
}

func TestReadStreamRefuses(t *testing.T) {
	long := xor(floats(0, 1, 12_000)...)
	damaged := frame(named(1), xor(floats(10, 1, 3)...)...)
	damaged[len(damaged)-1] ^= 1
	backwards := xor(floats(10, 1, 1)...)[0]
	backwards.Data = slices.Concat([]byte{0, 2}, backwards.Data[2:], []byte{0, 0})
	other := promwire.AppendFrame(nil, &promwire.ChunkedReadResponse{QueryIndex: 1})
	tests := []struct {
		name   string
		frames [][]byte
		is     error
		text   string
	}{
		{"wrong checksum", [][]byte{damaged}, promwire.ErrChecksum, ""},
		{"other query", [][]byte{other}, nil, "query 1"},
		{"unknown encoding", [][]byte{frame(named(1), promwire.Chunk{MaxTime: 50, Encoding: 9, Data: []byte{1}})}, promwire.ErrUnsupported, `m{i="001"}`},
		{"chunk cut", [][]byte{frame(named(1), promwire.Chunk{MaxTime: 50, Encoding: promwire.ChunkXOR, Data: []byte{0}})}, nil, "XOR"},
		{"times stand still", [][]byte{frame(named(1), backwards)}, nil, "do not ascend"},
		{"chunks not in order", [][]byte{frame(named(1), long...), frame(named(1), long...)}, nil, "comes after"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			good := frame(named(0), xor(floats(10, 1, 1)...)...)
			url := newServer(t, streamAnswered(append([][]byte{good}, tt.frames...)...))
			got, err := read(t, url, 0, 1<<40)
			if err == nil || tt.is != nil && !errors.Is(err, tt.is) || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("got %v, want %v with %q", err, tt.is, tt.text)
			}
			// What was complete before the fault may have been given out.
			for _, ts := range got[:min(1, len(got))] {
				if !ts.Labels.Equal(named(0)) {
					t.Errorf("got %v", ts)
				}
			}
		})
	}
}

// Chunks of any overlap come out as if all samples had been sorted and the first of each time kept.
func TestOverlapAgainstSorting(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 7))
	for round := range 15 {
		var all chunks
		for range 1 + random.IntN(12) {
			start, step, n := random.Int64N(30_000), 1+random.Int64N(40), 1+random.IntN(1_500)
			all = append(all, xor(floats(start, step, n)...)...)
			all = append(all, native(natives(start, step, n)...)...)
		}
		sortChunks(all)
		var frames [][]byte
		for part := range slices.Chunk(all, 7) {
			frames = append(frames, frame(named(1), part...))
		}
		lo, hi := random.Int64N(20_000), 20_000+random.Int64N(40_000)
		got, err := read(t, newServer(t, streamAnswered(frames...)), lo, hi)
		if err != nil {
			t.Fatal(err)
		}
		checkParts(t, "stream", got)
		var want series
		var p parts
		for _, c := range all {
			if err := p.decoder.Append(&want, c, lo, hi); err != nil {
				t.Fatal(err)
			}
		}
		want.Labels = named(1)
		want.Samples = straighten(want.Samples, sampleTime)
		want.Histograms = straighten(want.Histograms, histogramTime)
		if t.Failed() || len(joined(got)) != 1 || text(joined(got)) != text([]series{want}) {
			t.Fatalf("round %d: differs", round)
		}
	}
}

// Memory for a stream does not grow with it, neither with many series nor with one long one.
func TestStreamTakesConstantMemory(t *testing.T) {
	const perFrame = 60_000
	frames := 100
	if raceEnabled {
		frames = 20
	}
	for name, labels := range map[string]func(i int) promwire.Labels{
		"many series": named, "one series": func(int) promwire.Labels { return named(0) },
	} {
		t.Run(name, func(t *testing.T) {
			url := newServer(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", promwire.ContentTypeStream)
				var encoder chunk.Encoder
				var buf []byte
				c := promwire.ChunkedReadResponse{ChunkedSeries: make([]promwire.ChunkedSeries, 1)}
				s, samples := &c.ChunkedSeries[0], floats(0, 15_000, perFrame)
				for i := range frames {
					encoder.Reset()
					s.Labels, s.Chunks = labels(i), encoder.AppendSamples(s.Chunks[:0], samples)
					for i := range samples {
						samples[i].Timestamp += 15_000 * perFrame
					}
					buf = promwire.AppendFrame(buf[:0], &c)
					if _, err := w.Write(buf); err != nil {
						t.Error(err)
					}
				}
			})
			samples, parts, base, peak := 0, 0, heap(), uint64(0)
			for ts, err := range newReadClient(t, url).Read(context.Background(), query(t, 0, 1<<60)) {
				if err != nil {
					t.Fatal(err)
				}
				samples += len(ts.Samples)
				if parts++; parts%16 == 0 {
					peak = max(peak, heap())
				}
			}
			if samples != frames*perFrame {
				t.Fatalf("got %d samples", samples)
			}
			if peak > base+8<<20 { // the samples alone take 144 MB
				t.Errorf("heap grew from %d to %d bytes over %d samples", base, peak, samples)
			}
		})
	}
}

// heap returns the live memory.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// Chunks go through as they are, and a samples answer becomes chunks of the same samples.
func TestReadChunks(t *testing.T) {
	sent := []series{
		{Labels: named(1), Samples: floats(10, 1, 300), Histograms: natives(400, 1, 30)},
		{Labels: named(2), Samples: floats(0, 1, 300)},
	}
	chunks1 := append(xor(sent[0].Samples...), native(sent[0].Histograms...)...)
	chunks2 := xor(sent[1].Samples...)
	stream := newServer(t, streamAnswered(frame(named(1), chunks1[:2]...), frame(named(1), chunks1[2:]...), frame(named(2), chunks2...)))
	samples := newServer(t, samplesAnswered(samplesBody(sent[1], sent[0])))
	for name, url := range map[string]string{"stream": stream, "samples": samples} {
		const lo, hi = 130, 1000
		var got series
		var all []series
		var p parts
		for cs, err := range newReadClient(t, url).ReadChunks(context.Background(), query(t, lo, hi)) {
			if err != nil {
				t.Fatal(err)
			}
			got = series{Labels: cs.Labels}
			for i, c := range cs.Chunks {
				if c.MaxTime < lo || i > 0 && c.MinTime < cs.Chunks[i-1].MinTime {
					t.Errorf("%s: chunk from %d to %d", name, c.MinTime, c.MaxTime)
				}
				if err := p.decoder.Append(&got, c, lo, hi); err != nil {
					t.Fatal(err)
				}
			}
			all = append(all, got.Clone())
		}
		want, err := read(t, url, lo, hi)
		if err != nil {
			t.Fatal(err)
		}
		expectSeries(t, joined(all), joined(want))
	}
	n := 0
	for cs := range newReadClient(t, stream).ReadChunks(context.Background(), query(t, 130, 1000)) {
		for _, c := range cs.Chunks {
			if all := append(chunks1, chunks2...); !slices.ContainsFunc(all, func(s promwire.Chunk) bool { return string(s.Data) == string(c.Data) }) {
				t.Error("a chunk was changed")
			}
			n++
		}
	}
	if want := len(chunks1) + len(chunks2) - 2; n != want {
		t.Errorf("got %d chunks, want %d: all but the one before the range of each series", n, want)
	}
}

// An answer read after a larger one holds nothing of it.
func TestSecondReadFromThePool(t *testing.T) {
	large, small := []series{}, []series{{Labels: named(7), Samples: floats(5, 1, 2), Histograms: natives(8, 1, 2)}}
	for i := range 15 {
		large = append(large, series{Labels: named(i), Samples: floats(0, 3, 700), Histograms: natives(1, 5, 300)})
	}
	both := func(all []series) []string {
		var frames [][]byte
		for _, ts := range all {
			cs := append(xor(ts.Samples...), native(ts.Histograms...)...)
			sortChunks(cs)
			frames = append(frames, frame(ts.Labels, cs...))
		}
		return []string{newServer(t, streamAnswered(frames...)), newServer(t, samplesAnswered(samplesBody(all...)))}
	}
	larges, smalls := both(large), both(small)
	for round := range 3 {
		for i := range 2 {
			for _, step := range []struct {
				url  string
				want []series
			}{{larges[i], large}, {smalls[i], small}} {
				got, err := read(t, step.url, 0, 1<<40)
				if err != nil {
					t.Fatal(err)
				}
				if text(joined(got)) != text(step.want) {
					t.Errorf("round %d, kind %d: differs", round, i)
				}
			}
		}
	}
}
