package remote

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"testing"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/xcompress"
)

// answered makes an answer of a body.
func answered(body []byte) (*response, func()) {
	b := newPatientBody(context.Background(), 0, errors.New("late"))
	b.body = io.NopCloser(bytes.NewReader(body))
	return &response{body: b, length: -1, lo: 0, hi: 1 << 40}, b.Close
}

// checked returns a loop body that checks what the contract of Reader promises.
func checked(t *testing.T, sorted bool) func(promwire.TimeSeries, error) bool {
	var last promwire.Labels
	end := int64(-1)
	return func(ts promwire.TimeSeries, err error) bool {
		n := len(ts.Samples) + len(ts.Histograms)
		if err != nil || n == 0 || n > maxPart || !samplesAscend(ts.Samples) || !histogramsAscend(ts.Histograms) {
			t.Fatalf("got %+v, %v", ts, err)
		}
		lo, hi := span(ts)
		if lo < 0 || hi > 1<<40 {
			t.Fatalf("samples from %d to %d", lo, hi)
		}
		switch order := ts.Labels.Compare(last); {
		case sorted && last != nil && order < 0:
			t.Fatalf("%s after %s", ts.Labels, last)
		case last != nil && order == 0 && lo < end:
			t.Fatalf("part from %d after one to %d", lo, end)
		}
		last, end = append(promwire.Labels{}, ts.Labels.Clone()...), hi
		return true
	}
}

func FuzzSamplesAnswer(f *testing.F) {
	var both []byte
	for _, ts := range [][]series{
		{{Labels: named(1), Samples: floats(0, 1, 3), Histograms: natives(0, 1, 2)}},
		{{Labels: named(2), Samples: floats(5, 1, 3)}, {Labels: named(1), Samples: floats(5, -1, 3)}, {Labels: named(2), Samples: floats(6, 2, 3)}},
	} {
		r := promwire.ReadResponse{Results: []promwire.QueryResult{{Timeseries: ts}}}
		both = r.AppendProto(nil)
		f.Add(both)
	}
	f.Add(append(slices.Clone(both), both...))
	f.Fuzz(func(t *testing.T, message []byte) {
		a, done := answered(xcompress.AppendSnappy(nil, message))
		defer done()
		_ = a.walkSamples(1<<20, checked(t, true))
	})
}

func FuzzStream(f *testing.F) {
	f.Add([]byte(named(1)[1].Value), []byte(xor(floats(0, 1, 30)...)[0].Data), byte(1), int64(0), int64(5))
	f.Add([]byte("x"), native(natives(0, 1, 30)...)[0].Data, byte(2), int64(0), int64(29))
	f.Fuzz(func(t *testing.T, label, data []byte, encoding byte, start, next int64) {
		labels := promwire.Labels{{Name: "l", Value: string(label)}}
		c := promwire.Chunk{MinTime: start, MaxTime: 1 << 40, Encoding: promwire.ChunkEncoding(encoding), Data: data}
		d := c
		d.MinTime = next
		body := append(frame(labels, c, d), frame(labels, d)...)
		a, done := answered(append(body, frame(named(1), c)...))
		defer done()
		_ = a.streamSamples(checked(t, false))
	})
}

// Whatever arrives as a stream, its reading ends, without panic.
func FuzzFrames(f *testing.F) {
	f.Add(frame(named(1), xor(floats(0, 1, 30)...)...))
	f.Add([]byte("internal error"))
	f.Fuzz(func(t *testing.T, body []byte) {
		a, done := answered(body)
		defer done()
		_ = a.streamSamples(checked(t, false))
		b, done := answered(body)
		defer done()
		_ = b.streamChunks(func(promwire.ChunkedSeries, error) bool { return true })
	})
}

// Walking an answer takes memory for neither series nor samples, once it has seen a larger one.
func TestReadAllocations(t *testing.T) {
	if raceEnabled {
		t.Log("sync.Pool drops memory at random under the race detector: allocations are not counted")
		return
	}
	var sent []series
	var stream []byte
	for i := range 200 {
		sent = append(sent, series{Labels: named(200 - i), Samples: floats(0, 1, 500), Histograms: natives(500, 1, 5)})
		stream = append(stream, frame(named(i), append(xor(sent[i].Samples...), native(sent[i].Histograms...)...)...)...)
	}
	samples := samplesBody(sent...)
	n := 0
	count := func(ts promwire.TimeSeries, _ error) bool {
		n += len(ts.Samples) + len(ts.Histograms)
		return true
	}
	for name, walk := range map[string]func() error{
		"samples": func() error {
			a, done := answered(samples)
			defer done()
			return a.walkSamples(1<<30, count)
		},
		"stream": func() error {
			a, done := answered(stream)
			defer done()
			return a.streamSamples(count)
		},
	} {
		n = 0
		if err := walk(); err != nil || n != 200*505 {
			t.Fatalf("%s: %d, %v", name, n, err)
		}
		// The body and, for a stream, the frame reader; nothing for each of 200 series.
		if got := testing.AllocsPerRun(20, func() { _ = walk() }); got > maxReadAllocs {
			t.Errorf("%s: got %v allocations, want at most %d", name, got, maxReadAllocs)
		}
	}
}

const maxReadAllocs = 20
