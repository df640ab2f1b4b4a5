package remote

import (
	"errors"
	"slices"
	"testing"

	"github.com/promwire/promwire"
)

// counters makes n native histograms that count up, so that chunks carry no-reset hints.
func counters(t, step int64, n, buckets int) []promwire.Histogram {
	out := make([]promwire.Histogram, n)
	for i := range out {
		at := t + int64(i)*step
		h := promwire.Histogram{
			Timestamp: at, Count: uint64(buckets) * uint64(at), PositiveSpans: []promwire.BucketSpan{{Length: uint32(buckets)}},
			PositiveDeltas: make([]int64, buckets),
		}
		h.PositiveDeltas[0] = at
		out[i] = h
	}
	return out
}

// A histogram between others of an overlapping chunk has got another predecessor than the chunk's writer knew.
func TestOverlappingHistogramsLoseResetHints(t *testing.T) {
	overlapping := flatten(native(counters(10, 10, 5, 2)...), native(counters(35, 10, 3, 2)...))
	got, err := read(t, newServer(t, streamAnswered(frame(named(1), overlapping...))), 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	var times []int64
	var hints []promwire.ResetHint
	for _, h := range got[0].Histograms {
		times, hints = append(times, h.Timestamp), append(hints, h.ResetHint)
	}
	no, unknown := promwire.ResetNo, promwire.ResetUnknown
	if !slices.Equal(times, []int64{10, 20, 30, 35, 40, 45, 50, 55}) ||
		!slices.Equal(hints, []promwire.ResetHint{unknown, no, no, unknown, unknown, unknown, unknown, unknown}) {
		t.Errorf("got hints %v at %v", hints, times)
	}
}

// Histograms that are large come in smaller parts, and their memory is not kept for ever.
func TestLargeHistograms(t *testing.T) {
	const n, buckets = 700, 8000
	large := native(counters(1, 1, n, buckets)...)
	url := newServer(t, streamAnswered(frame(named(1), large...), frame(named(2), native(counters(1, 1, 20, 3)...)...)))
	got, err := read(t, url, 0, 1<<40)
	if err != nil {
		t.Fatal(err)
	}
	checkParts(t, "stream", got)
	if len(got) < n*buckets/(2*maxValues) {
		t.Errorf("got %d parts for %d numbers", len(got), n*buckets)
	}
	whole := joined(got)
	if len(whole) != 2 || len(whole[0].Histograms) != n || len(whole[1].Histograms) != 20 {
		t.Fatalf("got %d series", len(whole))
	}
	for i, h := range append(whole[0].Histograms, whole[1].Histograms...) {
		at, width := int64(i%n)+1, buckets
		if i >= n {
			width = 3
		}
		if h.Timestamp != at || h.PositiveDeltas[0] != at || len(h.PositiveDeltas) != width || h.Count != uint64(width)*uint64(at) {
			t.Fatalf("histogram %d: got %d at %d with %d buckets", i, h.Count, h.Timestamp, len(h.PositiveDeltas))
		}
	}
	var p parts
	p.reset(0, 1<<40, func(promwire.TimeSeries, error) bool { return true })
	for _, c := range large {
		if err := p.add(&promwire.ChunkedSeries{Labels: named(1), Chunks: chunks{c}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.finish(); err != nil || p.held > maxHeld+maxValues {
		t.Errorf("got %v, memory for %d numbers is held", err, p.held)
	}
}

// Chunks that all claim to begin at once would have to be held back without end.
func TestEndlessOverlap(t *testing.T) {
	var frames [][]byte
	for part := range slices.Chunk(xor(floats(0, 1, maxOverlap+20_000)...), 1000) {
		for i := range part {
			part[i].MinTime = 0
		}
		frames = append(frames, frame(named(1), part...))
	}
	got, err := read(t, newServer(t, streamAnswered(frames...)), 0, 1<<40)
	if !errors.Is(err, promwire.ErrTooLarge) || got != nil {
		t.Errorf("got %d parts, %v", len(got), err)
	}
}

// Of two samples at one time the first is kept: the one of the chunk, or of the series, that came first.
func TestFirstOfRepeatedTimesIsKept(t *testing.T) {
	first, second := floats(10, 2, 4), floats(10, 1, 4)
	for i := range second {
		second[i].Value = -1
	}
	want := []promwire.Sample{first[0], {Timestamp: 11, Value: -1}, first[1], {Timestamp: 13, Value: -1}, first[2], first[3]}
	for name, url := range map[string]string{
		"stream": newServer(t, streamAnswered(frame(named(1), flatten(xor(first...), xor(second...))...))),
		"samples": newServer(t, samplesAnswered(samplesBody(
			promwire.TimeSeries{Labels: named(1), Samples: first}, promwire.TimeSeries{Labels: named(1), Samples: second},
		))),
		"one series": newServer(t, samplesAnswered(samplesBody(
			promwire.TimeSeries{Labels: named(1), Samples: append(first[:4:4], second...)},
		))),
	} {
		got, err := read(t, url, 0, 100)
		if err != nil || len(got) != 1 || !slices.Equal(got[0].Samples, want) {
			t.Errorf("%s: got %v, %v, want %v", name, got, err, want)
		}
	}
}

// What is held back when a part is yielded keeps its memory for itself.
func TestHeldBackHistogramsAreNotOverwritten(t *testing.T) {
	var overlapping chunks
	for start := int64(0); start < 50_000; start += 100 {
		overlapping = append(overlapping, native(natives(start, 1, 120)...)...)
	}
	sortChunks(overlapping)
	got, err := read(t, newServer(t, streamAnswered(frame(named(1), overlapping...))), 0, 1<<40)
	if err != nil {
		t.Fatal(err)
	}
	checkParts(t, "stream", got)
	expectSeries(t, joined(got), []series{{Labels: named(1), Histograms: natives(0, 1, 50_020)}})
}
