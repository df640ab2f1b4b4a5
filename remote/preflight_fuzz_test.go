package remote

import (
	"context"
	"errors"
	"reflect"
	"testing"

	"github.com/promwire/promwire"
)

var allProfiles = []PreflightProfile{
	LimitsStrict, LimitsPrometheus, LimitsMimir, LimitsCortex, LimitsThanos, LimitsVictoriaMetrics, noNativeProfile,
}

// preflightSource makes requests of bytes.
type preflightSource []byte

func (s *preflightSource) next() int {
	if len(*s) == 0 {
		return 0
	}
	b := (*s)[0]
	*s = (*s)[1:]
	return int(b)
}

func pick[T any](s *preflightSource, of ...T) T { return of[s.next()%len(of)] }

func (s *preflightSource) labels() promwire.Labels {
	var ls promwire.Labels
	for range s.next() % 6 {
		ls = append(ls, promwire.Label{
			Name:  pick(s, "__name__", "a", "b", "a.b", "a_b", "", "\xff", "_.name__", long[:300]),
			Value: pick(s, "1", "2", "m", "m.n", "", "\xfe", long[:2100]),
		})
	}
	return ls
}

func (s *preflightSource) time() int64 {
	return pick(s, ago(0), ago(1e9), ago(2e9), ago(3e9), ago(2e9), 0, -1, ago(0)/1000, ago(0)*1000, ago(-3600e9), ago(1e18))
}

func (s *preflightSource) series() promwire.TimeSeries {
	ts := promwire.TimeSeries{Labels: s.labels()}
	if s.next()%2 == 0 {
		ts.Labels = promwire.LabelsFromStrings("__name__", "m")
	}
	for range s.next() % 5 {
		ts.Samples = append(ts.Samples, promwire.Sample{Timestamp: s.time(), Value: float64(s.next() % 2)})
	}
	for range s.next() % 3 {
		h := pick(s, goodHistogram, badHistogram, customHistogram)
		h.Timestamp = s.time()
		ts.Histograms = append(ts.Histograms, h)
	}
	for range s.next() % 3 {
		ts.Exemplars = append(ts.Exemplars, promwire.Exemplar{Labels: s.labels(), Timestamp: s.time()})
	}
	return ts
}

func FuzzPreflight(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("\x00\x00\x03\x01\x00\x00\x04\x01\x01\x02\x02\x02\x01\x01\x02\x01\x01\x03"))
	f.Add([]byte("any text makes a request, the longer the more entries it has: 0123456789 ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s := preflightSource(data)
		profile := pick(&s, allProfiles...)
		mode := pick(&s, PreflightRepair, PreflightDrop)
		names := pick(&s, NamesOfProfile, NamesAllow, NamesRefuse, NamesEscape)
		req := &promwire.WriteRequest{}
		for len(s) > 0 && len(req.Timeseries) < 50 {
			req.Timeseries = append(req.Timeseries, s.series())
		}
		before, next := req.Clone(), &pass{}
		keep := &keeping{w: next}
		p := preflight(keep, profile, mode, names)
		findings := p.Check(req)
		_, err := p.Write(context.Background(), req)
		if !reflect.DeepEqual(req.Clone(), before) {
			t.Fatal("the request was changed")
		}
		if len(findings) == 0 && (err != nil || next.got != req) {
			t.Fatal("a valid request was not passed on as it is", err)
		}
		// What is sent has nothing more to refuse.
		if keep.sent != nil {
			for _, f := range preflight(nil, profile, PreflightStrict, names).Check(keep.sent) {
				if f.Action == PreflightDropped {
					t.Fatalf("left: %v", f)
				}
			}
		}
		checkAccount(t, req, keep.sent, findings, err)
	})
}

// keeping keeps a copy of what it passes on.
type keeping struct {
	w    promwire.Writer
	sent *promwire.WriteRequest
}

func (k *keeping) Write(ctx context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	k.sent = req.Clone()
	return k.w.Write(ctx, req)
}

// checkAccount compares what came with what was sent, refused and merged.
func checkAccount(t *testing.T, req, sent *promwire.WriteRequest, findings []Finding, err error) {
	t.Helper()
	var partial *promwire.PartialWriteError
	errors.As(err, &partial)
	whole, items := map[int]bool{}, 0
	for _, f := range findings {
		switch {
		case f.Action == PreflightDropped && aboutEntry(f.Rule):
			whole[f.Series] = true
		case f.Action == PreflightDropped, f.Action == PreflightRepaired && (f.Rule == RuleRepeated || f.Rule == RuleConflict):
			items++
		}
	}
	refused := map[int]bool{}
	if partial != nil {
		for _, r := range partial.Refused {
			refused[r.Series] = true
		}
	}
	all := promwire.WriteStats{}
	for i := range req.Timeseries {
		if !whole[i] {
			all = all.Add(req.Timeseries[i].Stats())
		} else if !refused[i] {
			t.Errorf("series %d is dropped, but not refused: %v", i, err)
		}
	}
	got := promwire.WriteStats{}
	if sent != nil {
		got = sent.Stats()
	}
	total := func(s promwire.WriteStats) int { return s.Samples + s.Histograms + s.Exemplars }
	if total(all) != total(got)+items {
		t.Errorf("%+v came, %+v were sent, %d refused or merged: %v", all, got, items, findings)
	}
}

// aboutEntry reports whether a rule is about an entry as a whole.
func aboutEntry(rule PreflightRule) bool { return rule <= RuleEmptySeries }
