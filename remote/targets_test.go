package remote

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/promwire/promwire"
)

// answering is a Writer that takes all but what err says, and counts what it got.
type answering struct {
	sink
	err error
}

func (a *answering) Write(ctx context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	stats, _ := a.sink.Write(ctx, req)
	var partial *promwire.PartialWriteError
	switch {
	case a.err == nil:
		return stats, nil
	case errors.As(a.err, &partial):
		mine := *partial
		mine.Written = promwire.WriteStats{Samples: stats.Samples - len(partial.Refused)}
		return mine.Written, &mine
	default:
		return promwire.WriteStats{}, a.err
	}
}

// refusing makes the error of a Writer that refuses the series with these indices.
func refusing(indices ...int) error {
	e := &promwire.PartialWriteError{Err: &promwire.HTTPError{StatusCode: 400}}
	for _, i := range indices {
		e.Refused = append(e.Refused, promwire.Refusal{Series: i, Reason: promwire.ErrOutOfOrder})
	}
	return e
}

var (
	errBusy = &promwire.HTTPError{StatusCode: 503}
	errBad  = &promwire.HTTPError{StatusCode: 400}
	errNet  = errors.New("connection refused")
)

// indices returns the series that err names as refused, such as "1 3".
func indices(err error) string {
	var partial *promwire.PartialWriteError
	if !errors.As(err, &partial) {
		return ""
	}
	var out []string
	for _, r := range partial.Refused {
		out = append(out, fmt.Sprint(r.Series))
	}
	return strings.Join(out, " ")
}

func TestFanOut(t *testing.T) {
	for _, tt := range []struct {
		name    string
		errs    []error
		written int
		retry   bool
		refused string
		failed  int
	}{
		{"all well", []error{nil, nil, nil}, 5, false, "", 0},
		{"one is away", []error{nil, errNet, nil}, 0, true, "", 1},
		{"one is away, one refuses all", []error{errBad, errNet}, 0, true, "", 2},
		{"one is busy, one refuses a part", []error{refusing(1), errBusy}, 0, true, "", 2},
		{"one refuses a part", []error{nil, refusing(1, 3)}, 3, false, "1 3", 1},
		{"two refuse parts", []error{refusing(4), refusing(0)}, 4, false, "0 4", 2},
		{"one refuses all", []error{errBad, nil}, 0, false, "", 1},
		{"one refuses all, one a part", []error{errBad, refusing(2)}, 0, false, "2", 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var targets []promwire.Writer
			for _, err := range tt.errs {
				targets = append(targets, &answering{err: err})
			}
			stats, err := NewFanOut(targets...).Write(t.Context(), points(0, 5, 1))
			if stats.Samples != tt.written || promwire.Retryable(err) != tt.retry || indices(err) != tt.refused {
				t.Errorf("wrote %v, %v", stats, err)
			}
			var all *TargetsError
			if errors.As(err, &all) != (tt.failed > 0) {
				t.Fatalf("got %v", err)
			}
			for i, w := range targets {
				if got := w.(*answering).sizes(); len(got) != 1 || got[0] != 5 {
					t.Errorf("target %d got %v", i, got)
				}
				if all != nil && !errors.Is(all.Results[i].Err, tt.errs[i]) && indices(all.Results[i].Err) != indices(tt.errs[i]) {
					t.Errorf("target %d: %+v", i, all.Results[i])
				}
			}
			if all != nil && !strings.HasPrefix(all.Error(), fmt.Sprintf("%d of %d targets failed: ", tt.failed, len(tt.errs))) {
				t.Errorf("says %q", all.Error())
			}
		})
	}
}

// threeTargets makes a Sharded of targets a, b, c that answer so.
func threeTargets(t *testing.T, errs map[string]error) (*Sharded, map[string]*answering) {
	t.Helper()
	targets, by := map[string]promwire.Writer{}, map[string]*answering{}
	for _, name := range []string{"a", "b", "c"} {
		by[name] = &answering{err: errs[name]}
		targets[name] = by[name]
	}
	s, err := NewSharded(targets)
	if err != nil {
		t.Fatal(err)
	}
	return s, by
}

// TestShardedSpreads sends the same requests twice: each series goes to its target, with its samples, and nowhere else.
func TestShardedSpreads(t *testing.T) {
	s, by := threeTargets(t, nil)
	for round := range 2 {
		req := points(100*round, 300-200*round, 1)
		req.Metadata = []promwire.MetricMetadata{{Family: "f"}}
		stats, err := s.Write(t.Context(), req)
		if err != nil || stats != req.Stats() {
			t.Fatal(stats, err)
		}
		total := 0
		for name, target := range by {
			got := target.all()[round].req
			total += len(got.Timeseries)
			if len(got.Metadata) != 1 {
				t.Errorf("%s got metadata %v", name, got.Metadata)
			}
			for _, ts := range got.Timeseries {
				if s.Target(ts.Labels) != name || len(ts.Samples) != 1 {
					t.Errorf("%s got %s", name, ts.Labels)
				}
			}
		}
		if total != len(req.Timeseries) {
			t.Errorf("%d series arrived, of %d", total, len(req.Timeseries))
		}
	}
}

func TestShardedErrors(t *testing.T) {
	req := points(0, 30, 1)
	s, _ := threeTargets(t, map[string]error{"b": refusing(0, 2)})
	stats, err := s.Write(t.Context(), req)
	var want []string
	for i, ts := range req.Timeseries {
		if s.Target(ts.Labels) == "b" {
			want = append(want, fmt.Sprint(i))
		}
	}
	if got := indices(err); got != want[0]+" "+want[2] || stats.Samples != 28 || promwire.Retryable(err) {
		t.Errorf("refused %s of %v: %v, %v", got, want, stats, err)
	}
	var all *TargetsError
	if !errors.As(err, &all) || len(all.Results) != 3 || all.Results[1].Target != "b" || indices(all.Results[1].Err) != want[0]+" "+want[2] {
		t.Errorf("results %+v", all)
	}
	for _, tt := range []struct {
		errs  map[string]error
		retry bool
	}{
		{map[string]error{"a": errNet, "b": errBad}, true},
		{map[string]error{"a": errBad}, false},
		{map[string]error{"a": errBad, "b": errBad, "c": errBad}, false},
	} {
		s, by := threeTargets(t, tt.errs)
		stats, err := s.Write(t.Context(), req)
		taken := 0
		for name, target := range by {
			if tt.errs[name] == nil {
				taken += target.sizes()[0]
			}
		}
		var partial *promwire.PartialWriteError
		if err == nil || promwire.Retryable(err) != tt.retry || stats.Samples != taken || errors.As(err, &partial) != (!tt.retry && taken > 0) {
			t.Errorf("%v: %v, %v", tt.errs, stats, err)
		}
	}
	if _, err := NewSharded(nil); err == nil {
		t.Error("no error without targets")
	}
	if _, err := NewSharded(map[string]promwire.Writer{"": s}); err == nil {
		t.Error("no error for a target without a name")
	}
}

// TestShardedMoves adds a target to n others: it takes its share, and nothing else moves.
func TestShardedMoves(t *testing.T) {
	const series = 20_000
	for n := 1; n <= 8; n++ {
		targets := map[string]promwire.Writer{}
		for i := range n {
			targets[fmt.Sprintf("store-%d", i)] = takeAll{}
		}
		before, err := NewSharded(targets)
		if err != nil {
			t.Fatal(err)
		}
		targets["another"] = takeAll{}
		after, err := NewSharded(targets)
		if err != nil {
			t.Fatal(err)
		}
		moved := 0
		for i := range series {
			from, to := before.Target(seriesLabels(i)), after.Target(seriesLabels(i))
			if to == "another" {
				moved++
			} else if from != to {
				t.Fatalf("%s moved from %s to %s", seriesLabels(i), from, to)
			}
		}
		if want := series / (n + 1); moved < want*95/100 || moved > want*105/100 {
			t.Errorf("%d targets and one more: %d of %d series moved, want about %d", n, moved, series, want)
		}
	}
}

// TestShardedStays pins where series go: deployments rely on it.
func TestShardedStays(t *testing.T) {
	s, _ := threeTargets(t, nil)
	var got []string
	for i := range 12 {
		got = append(got, s.Target(seriesLabels(i)))
	}
	if want := "cccbbabbcbba"; strings.Join(got, "") != want {
		t.Errorf("series go to %s, want %s", strings.Join(got, ""), want)
	}
}

func TestTenantSplit(t *testing.T) {
	team := func(i int, tenant string) promwire.TimeSeries {
		ts := points(i, 1, 1).Timeseries[0]
		if tenant != "" {
			ts.Labels = append(ts.Labels.Clone(), promwire.Label{Name: "team", Value: tenant}).Normalize()
		}
		return ts
	}
	req := &promwire.WriteRequest{
		Timeseries: []promwire.TimeSeries{
			team(0, "x"), team(1, ""), team(2, "y"), team(3, "x"), team(4, "not good"), team(5, strings.Repeat("z", 151)),
		},
		Metadata: []promwire.MetricMetadata{{Family: "f"}},
	}
	for _, tt := range []struct {
		name    string
		options TenantSplitOptions
		context string // tenant of the request
		want    string // tenant: series, sorted by tenant
	}{
		{"label taken off", TenantSplitOptions{Label: "team"}, "", ":1+f x:0,3 y:2"},
		{"label kept", TenantSplitOptions{Label: "team", Keep: true}, "", ":1+f x:0,3 y:2"},
		{"tenant of the request", TenantSplitOptions{Label: "team"}, "own", "own:1+f x:0,3 y:2"},
		{"default", TenantSplitOptions{Label: "team", Default: "rest"}, "own", "rest:1+f x:0,3 y:2"},
		{"default that is a tenant too", TenantSplitOptions{Label: "team", Default: "x"}, "", "x:0,1,3+f y:2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSink(nil)
			split, err := NewTenantSplit(s, tt.options)
			if err != nil {
				t.Fatal(err)
			}
			ctx := t.Context()
			if tt.context != "" {
				ctx = promwire.ContextWithTenant(ctx, tt.context)
			}
			for round := range 2 {
				stats, err := split.Write(ctx, req)
				if stats.Samples != 4 || indices(err) != "4 5" || promwire.Retryable(err) || !errors.Is(err, promwire.ErrInvalidName) {
					t.Errorf("round %d: %v, %v", round, stats, err)
				}
				if got := describe(s.all()[len(s.all())*round/2:], tt.options.Keep); got != tt.want {
					t.Errorf("round %d: %s, want %s", round, got, tt.want)
				}
			}
			if req.Timeseries[0].Labels.Get("team") != "x" {
				t.Error("the request was changed")
			}
		})
	}
}

// describe tells which series went to which tenant, and whether they have the label as they should.
func describe(got []sentBatch, keep bool) string {
	byTenant := map[string]string{}
	for _, b := range got {
		var series []string
		for _, ts := range b.req.Timeseries {
			name := ts.Labels.Get("i")
			if has := ts.Labels.Get("team") != ""; has != keep && name != "1" {
				name += "!"
			}
			series = append(series, name)
		}
		byTenant[b.tenant] = strings.Join(series, ",")
		if len(b.req.Metadata) > 0 {
			byTenant[b.tenant] += "+f"
		}
	}
	var out []string
	for _, tenant := range []string{"", "own", "rest", "x", "y"} {
		if series, ok := byTenant[tenant]; ok {
			out = append(out, tenant+":"+series)
		}
	}
	return strings.Join(out, " ")
}

func TestTenantSplitErrors(t *testing.T) {
	for _, o := range []TenantSplitOptions{
		{}, {Label: promwire.MetricName}, {Label: "t", Default: "a b"}, {Label: "t", MaxTenants: -1},
	} {
		if _, err := NewTenantSplit(takeAll{}, o); err == nil {
			t.Errorf("%+v: no error", o)
		}
	}
	s := newSink(func(ctx context.Context, _ int, _ *promwire.WriteRequest) error {
		if promwire.TenantFromContext(ctx) == "3" {
			return errBusy
		}
		return nil
	})
	split, err := NewTenantSplit(s, TenantSplitOptions{Label: "i", MaxTenants: 20})
	if err != nil {
		t.Fatal(err)
	}
	if stats, err := split.Write(t.Context(), points(0, 20, 1)); stats.Samples != 19 || !promwire.Retryable(err) || !strings.Contains(err.Error(), "1 of 20 targets failed: 3: ") {
		t.Errorf("one tenant is busy: %v, %v", stats, err)
	}
	before := len(s.all())
	if _, err := split.Write(t.Context(), points(0, 21, 1)); !errors.Is(err, promwire.ErrTooLarge) || len(s.all()) != before {
		t.Errorf("too many tenants: %v", err)
	}
	if stats, err := split.Write(t.Context(), &promwire.WriteRequest{}); err != nil || stats != (promwire.WriteStats{}) {
		t.Errorf("empty request: %v, %v", stats, err)
	}
}

// TestTargetsAllocate little: what there is does not grow with the series.
func TestTargetsAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	sharded, err := NewSharded(map[string]promwire.Writer{"a": takeAll{}, "b": takeAll{}})
	if err != nil {
		t.Fatal(err)
	}
	split, err := NewTenantSplit(takeAll{}, TenantSplitOptions{Label: "job"})
	if err != nil {
		t.Fatal(err)
	}
	req := points(0, 2000, 1)
	for name, w := range map[string]promwire.Writer{"fan-out": NewFanOut(takeAll{}, takeAll{}), "sharded": sharded, "tenants": split} {
		write := func() { mustWrite(t, w, req) }
		write()
		if n := testing.AllocsPerRun(20, write); n > 20 {
			t.Errorf("%s: %v allocations for 2,000 series", name, n)
		}
	}
}
