package remote

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/xcompress"
)

type series = promwire.TimeSeries

// Remote Read, "Samples": the server promises neither an order of series nor to keep to the range.
func TestReadSamples(t *testing.T) {
	unsortedLabels := promwire.Labels{{Name: "i", Value: "002"}, {Name: "none"}, {Name: "__name__", Value: "m"}}
	tests := []struct {
		name string
		sent []series
		want []series
	}{
		{"nothing", nil, nil},
		{"one", []series{{Labels: named(1), Samples: floats(10, 1, 3)}}, []series{{Labels: named(1), Samples: floats(10, 1, 3)}}},
		{
			"both kinds",
			[]series{{Labels: named(1), Samples: floats(10, 1, 3), Histograms: natives(12, 1, 2)}},
			[]series{{Labels: named(1), Samples: floats(10, 1, 3), Histograms: natives(12, 1, 2)}},
		},
		{
			"sorted by the client",
			[]series{
				{Labels: named(3), Samples: floats(10, 1, 1)},
				{Labels: named(1), Samples: floats(10, 1, 2)},
				{Labels: named(1)[:1], Samples: floats(10, 1, 4)},
				{Labels: named(2), Histograms: natives(10, 1, 3)},
			},
			[]series{
				{Labels: named(1)[:1], Samples: floats(10, 1, 4)},
				{Labels: named(1), Samples: floats(10, 1, 2)},
				{Labels: named(2), Histograms: natives(10, 1, 3)},
				{Labels: named(3), Samples: floats(10, 1, 1)},
			},
		},
		{
			"labels of a series out of order",
			[]series{
				{Labels: named(1), Samples: floats(10, 1, 1)},
				{Labels: unsortedLabels, Samples: floats(10, 1, 1)},
				{Labels: named(3), Samples: floats(10, 1, 1)},
			},
			[]series{
				{Labels: named(1), Samples: floats(10, 1, 1)},
				{Labels: named(2), Samples: floats(10, 1, 1)},
				{Labels: named(3), Samples: floats(10, 1, 1)},
			},
		},
		{
			"cut to the range",
			[]series{
				{Labels: named(1), Samples: floats(0, 5, 300), Histograms: natives(-3, 4, 300)},
				{Labels: named(2), Samples: floats(0, 1, 10), Histograms: natives(101, 1, 9)},
				{Labels: named(3)},
			},
			[]series{{Labels: named(1), Samples: floats(10, 5, 19), Histograms: natives(13, 4, 22)}},
		},
		{
			"samples out of order and repeated",
			[]series{{
				Labels: named(1), Samples: slices.Concat(floats(30, 1, 3), floats(20, 1, 11)),
				Histograms: slices.Concat(natives(30, 1, 3), natives(20, 1, 11)),
			}},
			[]series{{Labels: named(1), Samples: floats(20, 1, 13), Histograms: natives(20, 1, 13)}},
		},
		{
			"a series in three pieces",
			[]series{
				{Labels: named(1), Samples: floats(30, 2, 3)},
				{Labels: named(2), Samples: floats(10, 1, 1)},
				{Labels: named(1), Samples: floats(20, 2, 8), Histograms: natives(20, 1, 1)},
				{Labels: named(1), Samples: floats(21, 2, 2), Histograms: natives(19, 1, 1)},
			},
			[]series{
				{
					Labels: named(1), Histograms: natives(19, 1, 2),
					Samples: slices.Concat(floats(20, 1, 5), floats(26, 2, 5)),
				},
				{Labels: named(2), Samples: floats(10, 1, 1)},
			},
		},
		{
			"pieces in order",
			[]series{
				{Labels: named(1), Samples: floats(10, 1, 2)},
				{Labels: named(1), Samples: floats(12, 1, 2)},
				{Labels: named(2), Samples: floats(10, 1, 2)},
				{Labels: named(2), Samples: floats(10, 1, 4)},
			},
			[]series{{Labels: named(1), Samples: floats(10, 1, 4)}, {Labels: named(2), Samples: floats(10, 1, 4)}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			url := newServer(t, samplesAnswered(samplesBody(tt.sent...)))
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

func TestReadManyUnsortedSeries(t *testing.T) {
	var want []series
	for i := range 500 {
		want = append(want, series{Labels: named(i), Samples: floats(int64(i), 1, i%7+1)})
	}
	sent := slices.Clone(want)
	random := rand.New(rand.NewPCG(1, 1))
	random.Shuffle(len(sent), func(i, j int) { sent[i], sent[j] = sent[j], sent[i] })
	got, err := read(t, newServer(t, samplesAnswered(samplesBody(sent...))), 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	expectSeries(t, got, want)
}

// A part has at most 10,000 samples and histograms, and lies before the next one in time.
func TestReadSamplesInParts(t *testing.T) {
	sent := []series{
		{Labels: named(1), Samples: floats(0, 1, 25_000)},
		{Labels: named(2), Histograms: natives(0, 1, 10_001)},
		{Labels: named(3), Samples: floats(0, 2, 9_000), Histograms: natives(1, 2, 9_000)},
	}
	frames := func(ts series) []byte {
		chunks := append(xor(ts.Samples...), native(ts.Histograms...)...)
		sortChunks(chunks)
		return frame(ts.Labels, chunks...)
	}
	servers := map[string]string{
		"samples": newServer(t, samplesAnswered(samplesBody(sent...))),
		"stream":  newServer(t, streamAnswered(frames(sent[0]), frames(sent[1]), frames(sent[2]))),
	}
	for name, url := range servers {
		got, err := read(t, url, 0, 1<<40)
		if err != nil {
			t.Fatal(err)
		}
		checkParts(t, name, got)
		if n := len(got); n != 3+2+2 {
			t.Errorf("%s: got %d parts", name, n)
		}
		expectSeries(t, joined(got), sent)
	}
}

// checkParts checks size and order of parts.
func checkParts(t *testing.T, name string, parts []series) {
	t.Helper()
	for i, p := range parts {
		if n := len(p.Samples) + len(p.Histograms); n == 0 || n > maxPart {
			t.Errorf("%s, part %d: %d samples and histograms", name, i, n)
		}
		if i == 0 || !p.Labels.Equal(parts[i-1].Labels) {
			continue
		}
		if first, _ := span(p); first <= last(parts[i-1]) {
			t.Errorf("%s, part %d: begins at %d, the part before ends at %d", name, i, first, last(parts[i-1]))
		}
	}
}

func span(p series) (lo, hi int64) {
	var times []int64
	for _, s := range p.Samples {
		times = append(times, s.Timestamp)
	}
	for _, h := range p.Histograms {
		times = append(times, h.Timestamp)
	}
	return slices.Min(times), slices.Max(times)
}

func last(p series) int64 {
	_, hi := span(p)
	return hi
}

// Histograms of the reserved fine schemas are reduced, impossible ones are an error.
func TestReadChecksHistograms(t *testing.T) {
	fine := promwire.Histogram{
		Timestamp: 1, Schema: 10, Count: 3, Sum: 4, PositiveSpans: []promwire.BucketSpan{{Offset: 1, Length: 2}},
		PositiveDeltas: []int64{1, 1},
	}
	wrong := fine
	wrong.Schema, wrong.Count = 3, 99
	for name, url := range map[string]func(promwire.Histogram) string{
		"samples": func(h promwire.Histogram) string {
			return newServer(t, samplesAnswered(samplesBody(series{Labels: named(1), Histograms: []promwire.Histogram{h}})))
		},
		"stream": func(h promwire.Histogram) string {
			return newServer(t, streamAnswered(frame(named(1), native(h)...)))
		},
	} {
		got, err := read(t, url(fine), 0, 10)
		if err != nil || len(got) != 1 || got[0].Histograms[0].Schema != 8 || len(got[0].Histograms[0].PositiveDeltas) != 1 ||
			got[0].Histograms[0].PositiveDeltas[0] != 3 {
			t.Errorf("%s: fine schema: got %+v, %v", name, got, err)
		}
		if got, err = read(t, url(wrong), 0, 10); !errors.Is(err, promwire.ErrInvalidHistogram) || got != nil ||
			!strings.Contains(err.Error(), `m{i="001"}`) {
			t.Errorf("%s: wrong count: got %+v, %v", name, got, err)
		}
	}
}

// The index has to fit the limit, too: a small body can list many series.
func TestIndexLimit(t *testing.T) {
	var message []byte
	for range 100 { // {} and {a="1"} in turn, with an empty sample each
		message = append(message, 0x0a, 2, 0x12, 0, 0x0a, 9, 0x0a, 5, 0x0a, 1, 'a', 0x12, 0, 0x12, 0)
		message = append(message, 0x0a, 10, 0x0a, 6, 0x0a, 1, 'a', 0x12, 1, '1', 0x12, 0)
	}
	message = append([]byte{0x0a, byte(len(message)) | 0x80, byte(len(message) >> 7)}, message...)
	body := xcompress.AppendSnappy(nil, message)
	c := newReadClient(t, newServer(t, samplesAnswered(body)), WithMaxResponse(len(message)))
	got, err := collect(c.Read(context.Background(), query(t, 0, 10)))
	if !errors.Is(err, promwire.ErrTooLarge) || !strings.Contains(err.Error(), "index") || got != nil {
		t.Errorf("got %v, %v", got, err)
	}
}

// Labels behind the samples of a series are legal protobuf, but come too late to sort by.
func TestLabelsBehindSamples(t *testing.T) {
	late := "\x0a\x0c\x12\x02\x10\x01\x0a\x06\x0a\x01a\x12\x01" // one sample, then {a="..."}
	message := late + "2" + late + "1"
	body := xcompress.AppendSnappy(nil, []byte("\x0a"+string(rune(len(message)))+message))
	got, err := read(t, newServer(t, samplesAnswered(body)), 0, 10)
	if !errors.Is(err, errLateLabels) {
		t.Errorf("got %v, %v", got, err)
	}
}
