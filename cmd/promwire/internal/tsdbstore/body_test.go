package tsdbstore

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/promwire/promwire"
)

// newBody encodes req; t.Fatal on what has no form in the message type.
func newBody(t testing.TB, req *promwire.WriteRequest, mt promwire.MessageType) *promwire.Body {
	t.Helper()
	msg, err := req.AppendProto(nil, mt)
	if err != nil {
		t.Fatal(err)
	}
	return bodyOf(msg, mt)
}

func bodyOf(msg []byte, mt promwire.MessageType) *promwire.Body {
	var b promwire.Body
	b.Reset(msg, "", mt, 32<<20)
	return &b
}

// writePlain is what a handler does with a store that takes no bodies: the oracle of WriteBody.
func writePlain(t testing.TB, s *Store, body *promwire.Body) (promwire.WriteStats, error) {
	t.Helper()
	msg, err := body.Decoded()
	if err != nil {
		return promwire.WriteStats{}, err
	}
	var d promwire.Decoder
	var req promwire.WriteRequest
	var refused []promwire.Refusal
	var removed promwire.Removed
	d.Reset(msg, body.Type)
	for d.Next() {
		ts := d.Series().Clone()
		keep := false
		if err := d.SeriesErr(); err != nil {
			refused = body.Rules.Refuse(refused, d.Index(), ts.Labels, err)
		} else {
			refused, keep = body.Rules.Apply(refused, d.Index(), &ts)
		}
		if !keep {
			removed = append(removed, d.Index())
			continue
		}
		req.Timeseries = append(req.Timeseries, ts)
	}
	if err := body.Rules.CheckMessage(&d); err != nil {
		return promwire.WriteStats{}, err
	}
	req.Metadata = d.Metadata()
	stats, err := s.Write(t.Context(), &req)
	var partial *promwire.PartialWriteError
	if errors.As(err, &partial) {
		refused = removed.AppendRefusals(refused, partial.Refused)
	} else if err != nil {
		return stats, err
	}
	if len(refused) > 0 {
		return stats, &promwire.PartialWriteError{Written: stats, Refused: refused}
	}
	return stats, nil
}

// comparePaths sends the same bodies to two stores, one over each path, and compares what they say and keep.
func comparePaths(t *testing.T, bodies ...*promwire.Body) {
	t.Helper()
	fast, plain := openStore(t, t.TempDir(), Options{}), openStore(t, t.TempDir(), Options{})
	for i, body := range bodies {
		fastStats, fastErr := fast.WriteBody(t.Context(), body)
		plainStats, plainErr := writePlain(t, plain, body)
		if fastStats != plainStats {
			t.Errorf("body %d: wrote %+v, plain path %+v", i, fastStats, plainStats)
		}
		if f, p := verdict(fastErr), verdict(plainErr); f != p {
			t.Errorf("body %d:\n%s\nplain path:\n%s", i, f, p)
		}
	}
	got, want := readAll(t, fast), readAll(t, plain)
	if len(got) != len(want) {
		t.Fatalf("%d series, plain path %d", len(got), len(want))
	}
	for i := range got {
		if d := difference(&want[i], &got[i]); d != "" {
			t.Errorf("series %d: %s", i, d)
		}
	}
	if f, p := countExemplars(t, fast), countExemplars(t, plain); f != p {
		t.Errorf("%d exemplars, plain path %d", f, p)
	}
	if f, p := fast.Families(), plain.Families(); !slices.Equal(f, p) {
		t.Errorf("metadata %v, plain path %v", f, p)
	}
}

// verdict spells out an error, the refusals in a fixed order.
func verdict(err error) string {
	var partial *promwire.PartialWriteError
	if !errors.As(err, &partial) {
		return fmt.Sprint(err)
	}
	lines := []string{fmt.Sprintf("%+v", partial.Written)}
	for _, r := range partial.Refused {
		lines = append(lines, r.Error())
	}
	slices.Sort(lines[1:])
	return strings.Join(lines, "\n")
}

func TestWriteBodyLikeWrite(t *testing.T) {
	with := func(ts promwire.TimeSeries, change func(ts *promwire.TimeSeries)) promwire.TimeSeries {
		change(&ts)
		return ts
	}
	meta := func(m promwire.Metadata) func(ts *promwire.TimeSeries) {
		return func(ts *promwire.TimeSeries) { ts.Metadata = m }
	}
	gauge := promwire.Metadata{Type: promwire.TypeGauge, Help: "h", Unit: "u"}
	hist := promwire.TimeSeries{Labels: labelsOf("__name__", "h"), Histograms: []promwire.Histogram{intHistogram(0, 1)}}
	badHist := promwire.TimeSeries{Labels: labelsOf("__name__", "h"), Histograms: []promwire.Histogram{{Timestamp: base + 1, Count: 3, Schema: 77}, intHistogram(2, 1)}}
	unsorted := promwire.TimeSeries{
		Labels:  promwire.Labels{{Name: "b", Value: "x"}, {Name: "__name__", Value: "m"}, {Name: "a", Value: ""}},
		Samples: []promwire.Sample{{Timestamp: base, Value: 1}},
	}
	nameless := promwire.TimeSeries{Labels: labelsOf("a", "b"), Samples: []promwire.Sample{{Timestamp: base}}}
	exemplars := func(ts *promwire.TimeSeries) {
		ts.Exemplars = []promwire.Exemplar{exemplarAt(0, "t", 1), exemplarAt(1, strings.Repeat("x", 200), 1)}
	}
	type requests [][]promwire.TimeSeries
	for _, tc := range []struct {
		name string
		reqs requests
	}{
		{"new, then known", requests{{float("m", 0, 1), float("n", 0, 2)}, {float("m", 1, 1), float("n", 1, 2)}, {float("n", 2, 2), float("m", 2, 1)}}},
		{"known twice in a request", requests{{float("m", 0, 1)}, {float("m", 1, 1), float("m", 2, 1), float("m", 1, 1), float("m", 2, 3)}}},
		{"new twice in a request", requests{{float("m", 0, 1), float("m", 1, 1)}, {float("m", 2, 1)}}},
		{"refused of a known one", requests{{float("m", 0, 1)}, {float("m", 0, 2), float("m", -2*60*60000, 1), float("m", 60*60000, 1), float("m", 5, 1)}}},
		{"refused of a new one", requests{{float("m", 60*60000, 1)}, {float("m", 0, 1)}}},
		{"unsorted", requests{{unsorted}, {unsorted}, {with(unsorted, func(ts *promwire.TimeSeries) { ts.Samples = []promwire.Sample{{Timestamp: base, Value: 2}} })}}},
		{"nameless", requests{{nameless, float("m", 0, 1)}, {nameless}}},
		{"empty", requests{{}, {{Labels: labelsOf("__name__", "m")}, float("m", 0, 1)}, {{Labels: labelsOf("__name__", "m")}}}},
		{"histograms", requests{{hist}, {badHist}, {badHist}}},
		{"histogram on a float", requests{{float("m", 0, 1)}, {with(float("m"), func(ts *promwire.TimeSeries) { ts.Histograms = hist.Histograms })}}},
		{"exemplars", requests{{with(float("m", 0, 1), exemplars)}, {with(float("m", 1, 1), exemplars)}, {with(float("m"), exemplars)}, {with(float("new"), exemplars)}}},
		{"metadata", requests{
			{with(float("m", 0, 1), meta(gauge))},
			{float("m", 1, 1)},
			{with(float("m", 2, 1), meta(gauge))},
			{with(float("m", 3, 1), meta(promwire.Metadata{Type: promwire.TypeGauge, Help: "other"}))},
		}},
		{"metadata of two with one family", requests{{with(float("m", 0, 1), meta(gauge)), with(unsorted, meta(gauge))}}},
	} {
		for _, mt := range []promwire.MessageType{promwire.WriteV1, promwire.WriteV2} {
			t.Run(tc.name+"/"+string(mt), func(t *testing.T) {
				var bodies []*promwire.Body
				for _, series := range tc.reqs {
					bodies = append(bodies, newBody(t, &promwire.WriteRequest{Timeseries: series}, mt))
				}
				comparePaths(t, bodies...)
			})
		}
	}
}

func TestWriteBodyRandom(t *testing.T) {
	for seed := range uint64(20) {
		for _, mt := range []promwire.MessageType{promwire.WriteV1, promwire.WriteV2} {
			rnd := rand.New(rand.NewPCG(seed, 1))
			var bodies []*promwire.Body
			for i := range 8 {
				req := &promwire.WriteRequest{}
				for range rnd.IntN(40) {
					req.Timeseries = append(req.Timeseries, randomSeries(rnd, int64(i)))
				}
				body := newBody(t, req, mt)
				if rnd.IntN(4) == 0 { // flip a byte
					msg := slices.Clone(body.Encoded)
					if len(msg) > 0 {
						msg[rnd.IntN(len(msg))] ^= byte(1 << rnd.IntN(8))
					}
					body = bodyOf(msg, mt)
				}
				bodies = append(bodies, body)
			}
			comparePaths(t, bodies...)
		}
	}
}

func randomSeries(rnd *rand.Rand, round int64) promwire.TimeSeries {
	ls := promwire.Labels{{Name: "__name__", Value: fmt.Sprint("m", rnd.IntN(6))}}
	for _, name := range []string{"a", "b", "", "a"}[:rnd.IntN(5)] {
		ls = append(ls, promwire.Label{Name: name, Value: []string{"", "x", "y", "ü", "\xff"}[rnd.IntN(5)]})
	}
	rnd.Shuffle(len(ls), func(i, j int) { ls[i], ls[j] = ls[j], ls[i] })
	ts := promwire.TimeSeries{Labels: ls}
	at := func() int64 { return base + round*1000 + rnd.Int64N(3000) - 2000 - int64(rnd.IntN(20)/19)*hour }
	for range rnd.IntN(4) {
		ts.Samples = append(ts.Samples, promwire.Sample{Timestamp: at(), Value: float64(rnd.IntN(2))})
	}
	if rnd.IntN(5) == 0 {
		h := intHistogram(0, 1)
		h.Timestamp, h.Count = at(), h.Count+uint64(rnd.IntN(5)/4)
		ts.Histograms = append(ts.Histograms, h)
	}
	if rnd.IntN(5) == 0 {
		ts.Exemplars = append(ts.Exemplars, promwire.Exemplar{Labels: labelsOf("t", fmt.Sprint(rnd.IntN(3))), Timestamp: at(), Value: 1})
	}
	if rnd.IntN(3) == 0 {
		ts.Metadata = promwire.Metadata{Type: promwire.MetricType(rnd.IntN(4)), Help: fmt.Sprint(rnd.IntN(3))}
	}
	return ts
}

func TestWriteBodyMalformedStoresNothing(t *testing.T) {
	for _, mt := range []promwire.MessageType{promwire.WriteV1, promwire.WriteV2} {
		// In descending order over series, so that there is a reason to commit early.
		good := newBody(t, &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{float("m", 0, 1), float("m", -1, 1)}}, mt)
		bad := bodyOf(append(slices.Clone(good.Encoded), 0x0a, 0x7f), mt)
		tooMany := bodyOf(good.Encoded, mt)
		tooMany.Rules.MaxSeries = 1
		s := openStore(t, t.TempDir(), Options{})
		for round := range 2 { // with unknown series, then with known ones
			var malformed *promwire.DecodeError
			if stats, err := s.WriteBody(t.Context(), bad); !errors.As(err, &malformed) || stats != samples(0) {
				t.Errorf("%s: got %+v, %v", mt, stats, err)
			}
			if _, err := s.WriteBody(t.Context(), tooMany); !errors.Is(err, promwire.ErrTooLarge) {
				t.Errorf("%s: got %v", mt, err)
			}
			if got := readAll(t, s); len(got) != round {
				t.Errorf("%s: stored %v", mt, got)
			}
			if stats, err := s.WriteBody(t.Context(), good); err != nil || stats != samples(2) {
				t.Errorf("%s: got %+v, %v", mt, stats, err)
			}
		}
	}
}

func mustWriteBody(t testing.TB, s *Store, body *promwire.Body) {
	t.Helper()
	if _, err := s.WriteBody(t.Context(), body); err != nil {
		t.Fatal(err)
	}
}

// Whoever knows a series by one set of rules does not know it by another.
func TestWriteBodyJudgesByItsOwnRules(t *testing.T) {
	s := openStore(t, t.TempDir(), Options{})
	req := &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{{Labels: labelsOf("__name__", "with.dot"), Samples: []promwire.Sample{{Timestamp: base}}}}}
	body := newBody(t, req, promwire.WriteV2)
	mustWriteBody(t, s, body)
	body.Rules.Names = promwire.LegacyNames
	_, err := s.WriteBody(t.Context(), body)
	if refused := refusalsOf(t, err); len(refused) != 1 || !errors.Is(refused[0].Reason, promwire.ErrInvalidName) {
		t.Errorf("got %v", err)
	}
}

func TestWriteBodyNoticesSeriesThatLeftTheHead(t *testing.T) {
	for _, mt := range []promwire.MessageType{promwire.WriteV1, promwire.WriteV2} {
		s := openStore(t, t.TempDir(), Options{})
		old, other := float("m", 0, 1), float("other", 0, 1)
		mustWriteBody(t, s, newBody(t, &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{old, other}}, mt))
		first := s.db.Head().NumSeries()
		if err := s.db.Head().Truncate(base + hour); err != nil { // collects all series
			t.Fatal(err)
		}
		if n := s.db.Head().NumSeries(); n != 0 || first != 2 {
			t.Fatalf("%d series are left of %d", n, first)
		}
		s.now = func() time.Time { return time.UnixMilli(base + 3*hour) }
		for i := range 3 { // unknown, known, known
			next := float("m", float64(2*hour)+float64(i), 5)
			refusedToo := float("m", float64(2*hour)+float64(i), 6)
			stats, err := s.WriteBody(t.Context(), newBody(t, &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{next, refusedToo}}, mt))
			if refused := refusalsOf(t, err); stats != samples(1) || len(refused) != 1 || !refused[0].Labels.Equal(old.Labels) {
				t.Errorf("%s: wrote %+v, %v", mt, stats, err)
			}
		}
		got := readAll(t, s)
		if len(got) != 1 || !got[0].Labels.Equal(old.Labels) || len(got[0].Samples) != 3 {
			t.Errorf("%s: stored %v", mt, got)
		}
	}
}

func TestWriteBodyInParallel(t *testing.T) {
	s := openStore(t, t.TempDir(), Options{})
	const writers, rounds, series = 4, 20, 50
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			mt := []promwire.MessageType{promwire.WriteV1, promwire.WriteV2}[w%2]
			for round := range rounds {
				req := &promwire.WriteRequest{}
				for i := range series {
					req.Timeseries = append(req.Timeseries, promwire.TimeSeries{
						Labels:  labelsOf("__name__", "m", "writer", fmt.Sprint(w), "series", fmt.Sprint(i)),
						Samples: []promwire.Sample{{Timestamp: base + int64(round), Value: float64(w*series + i)}},
					})
				}
				msg, err := req.AppendProto(nil, mt)
				if err != nil {
					t.Error(err)
					return
				}
				if stats, err := s.WriteBody(t.Context(), bodyOf(msg, mt)); err != nil || stats != samples(series) {
					t.Errorf("wrote %+v, %v", stats, err)
				}
			}
		})
	}
	wg.Wait()
	got := readAll(t, s)
	if len(got) != writers*series {
		t.Fatalf("%d series", len(got))
	}
	for _, ts := range got {
		var w, i int
		fmt.Sscan(ts.Labels.Get("writer"), &w)
		fmt.Sscan(ts.Labels.Get("series"), &i)
		if len(ts.Samples) != rounds {
			t.Errorf("%v has %d samples", ts.Labels, len(ts.Samples))
		}
		for _, sample := range ts.Samples {
			if sample.Value != float64(w*series+i) {
				t.Errorf("%v holds %v", ts.Labels, sample.Value)
			}
		}
	}
}

func FuzzWriteBody(f *testing.F) {
	rnd := rand.New(rand.NewPCG(3, 4))
	for i := range int64(10) {
		req := &promwire.WriteRequest{}
		for range 5 {
			req.Timeseries = append(req.Timeseries, randomSeries(rnd, i))
		}
		for _, mt := range []promwire.MessageType{promwire.WriteV1, promwire.WriteV2} {
			f.Add(newBody(f, req, mt).Encoded, mt == promwire.WriteV2)
		}
	}
	fast, plain := openStore(f, f.TempDir(), Options{}), openStore(f, f.TempDir(), Options{})
	f.Fuzz(func(t *testing.T, msg []byte, v2 bool) {
		mt := promwire.WriteV1
		if v2 {
			mt = promwire.WriteV2
		}
		for range 2 {
			fastStats, fastErr := fast.WriteBody(t.Context(), bodyOf(msg, mt))
			plainStats, plainErr := writePlain(t, plain, bodyOf(msg, mt))
			if fastStats != plainStats || verdict(fastErr) != verdict(plainErr) {
				t.Fatalf("wrote %+v, %v\nplain path %+v, %v", fastStats, fastErr, plainStats, plainErr)
			}
		}
	})
}
