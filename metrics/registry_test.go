package metrics_test

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/metrics"
)

func TestConstructorErrors(t *testing.T) {
	bounds := func(b ...float64) func(*metrics.Registry) error {
		return func(r *metrics.Registry) error {
			_, err := r.Histogram("h", metrics.WithBounds(b...))
			return err
		}
	}
	gauge := func(name string, labels ...string) func(*metrics.Registry) error {
		return func(r *metrics.Registry) error {
			_, err := r.GaugeVec(name, labels)
			return err
		}
	}
	unit := func(name, unit string) func(*metrics.Registry) error {
		return func(r *metrics.Registry) error {
			_, err := r.Counter(name, metrics.WithUnit(unit))
			return err
		}
	}
	tests := []struct {
		name string
		make func(*metrics.Registry) error
		is   error
		text string
	}{
		{"hyphen", gauge("queue-depth"), promwire.ErrInvalidName, `metrics: gauge "queue-depth": invalid name: metric name "queue-depth": ` +
			`use letters, digits, _ and :, no digit first (WithUTF8Names allows more, WithEscapedNames escapes)`},
		{"empty counter", unit("", ""), promwire.ErrInvalidName, `metric name ""`},
		{"digit first", gauge("1x"), promwire.ErrInvalidName, `"1x"`},
		{"label with colon", gauge("g", "a:b"), promwire.ErrInvalidName, `label name "a:b": use letters, digits and _,`},
		{"empty label", gauge("g", ""), promwire.ErrInvalidName, `label name ""`},
		{"le", gauge("g", "le"), metrics.ErrReservedLabel, `metrics: gauge "g": reserved label name "le": choose another name`},
		{"quantile", gauge("g", "quantile"), metrics.ErrReservedLabel, `"quantile"`},
		{"name label", gauge("g", "__name__"), metrics.ErrReservedLabel, `"__name__"`},
		{"two underscores", gauge("g", "__x"), metrics.ErrReservedLabel, `"__x"`},
		{"label twice", gauge("g", "a", "b", "a"), promwire.ErrDuplicateLabel, `"a"`},
		{"constant label again", gauge("g", "zone"), promwire.ErrDuplicateLabel, `"zone"`},
		{"unit", unit("took_ms_total", "seconds"), metrics.ErrInvalidUnit, `invalid unit "seconds": the metric name has to end in _seconds`},
		{"bound twice", bounds(1, 2, 2), metrics.ErrInvalidBounds, "2 does not exceed 2, the bound before it"},
		{"bounds decrease", bounds(1, 0.5), metrics.ErrInvalidBounds, "0.5 does not exceed 1"},
		{"bound +Inf", bounds(1, math.Inf(1)), metrics.ErrInvalidBounds, "leave +Inf out, it is implied"},
		{"bound -Inf", bounds(math.Inf(-1), 1), metrics.ErrInvalidBounds, "-Inf is not finite"},
		{"bound NaN", bounds(math.NaN()), metrics.ErrInvalidBounds, "NaN is not finite"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.make(metrics.NewRegistry(metrics.WithConstLabel("zone", "z")))
			if !errors.Is(err, tt.is) || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("got %v\nwant %v with %q", err, tt.is, tt.text)
			}
		})
	}
}

func TestConstLabelErrors(t *testing.T) {
	for name, want := range map[string]error{
		"le": metrics.ErrReservedLabel, "a-b": promwire.ErrInvalidName, "twice": promwire.ErrDuplicateLabel,
	} {
		reg := metrics.NewRegistry(metrics.WithConstLabel("twice", "1"), metrics.WithConstLabel(name, "2"))
		if _, err := reg.Gauge("g"); !errors.Is(err, want) {
			t.Errorf("%s: got %v, want %v", name, err, want)
		}
	}
}

func TestSameDefinitionSameInstrument(t *testing.T) {
	reg, p, s, _ := setup()
	metrics.Must(reg.Counter("hits", metrics.WithHelp("Hits."))).Inc()
	metrics.Must(reg.Counter("hits_total", metrics.WithHelp("Other words."))).Inc()
	h := metrics.WithBounds(1, 2)
	metrics.Must(reg.HistogramVec("h", []string{"a"}, h)).With("x").Observe(1)
	metrics.Must(reg.HistogramVec("h", []string{"a"}, h)).With("x").Observe(1)
	push(t, p)
	s.want(t, "hits_total", point{0, 2})
	s.want(t, `h_count{a="x"}`, point{0, 2})
	if got := s.requests[0].Timeseries[0].Metadata.Help; got != "Hits." {
		t.Errorf("help %q, want that of the first definition", got)
	}
}

func TestConflicts(t *testing.T) {
	reg := metrics.NewRegistry()
	metrics.Must(reg.HistogramVec("h", []string{"a"}, metrics.WithBounds(1, 2)))
	metrics.Must(reg.Counter("hits"))
	metrics.Must(reg.Gauge("x_count"))
	tests := []struct {
		name string
		make func() error
		text string
	}{
		{
			"type", func() error { _, err := reg.Gauge("hits_total"); return err },
			`metrics: gauge "hits_total": conflict with another instrument: "hits_total" belongs to counter "hits_total"`,
		},
		{
			"labels", func() error { _, err := reg.CounterVec("hits", []string{"a"}); return err },
			`counter "hits_total" with labels [a]: conflict`,
		},
		{
			"label order", func() error { _, err := reg.Histogram("h", metrics.WithBounds(1, 2)); return err },
			`belongs to histogram "h" with labels [a] with bounds [1 2]`,
		},
		{"bounds", func() error { _, err := reg.HistogramVec("h", []string{"a"}, metrics.WithBounds(1)); return err }, "bounds [1]"},
		{"default bounds", func() error { _, err := reg.HistogramVec("h", []string{"a"}); return err }, "bounds [0.005"},
		{"series of a histogram", func() error { _, err := reg.Gauge("h_sum"); return err }, `"h_sum" belongs to histogram "h"`},
		{"histogram over a gauge", func() error { _, err := reg.Histogram("x"); return err }, `"x_count" belongs to gauge "x_count"`},
		{"unit", func() error { _, err := reg.Gauge("x_count", metrics.WithUnit("count")); return err }, "in count: conflict"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.make()
			if !errors.Is(err, metrics.ErrConflict) || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("got %v\nwant ErrConflict with %q", err, tt.text)
			}
		})
	}
	if _, err := reg.Gauge("h_total"); err != nil {
		t.Errorf("a name of its own: %v", err)
	}
}

func TestUTF8Names(t *testing.T) {
	reg, p, s, _ := setup(metrics.WithUTF8Names())
	metrics.Must(reg.GaugeVec("queue.depth", []string{"queue name"})).With("a").Set(1)
	push(t, p)
	s.want(t, `{"queue.depth","queue name"="a"}`, point{0, 1})
	if _, err := reg.Gauge("\xff"); !errors.Is(err, promwire.ErrInvalidName) {
		t.Errorf("got %v, want ErrInvalidName", err)
	}
}

func TestLabelValues(t *testing.T) {
	reg, p, s, _ := setup(metrics.WithConstLabel("job", "j\xff"), metrics.WithConstLabel("none", ""))
	g := metrics.Must(reg.GaugeVec("g", []string{"b", "a"}))
	if first := g.With("1", "2"); first != g.With("1", "2") || g.With("x\xfe", "") != g.With("x\xff", "") {
		t.Error("equal values give different series")
	}
	if g.With("1", "2") == g.With("2", "1") || g.With("12", "") == g.With("1", "2") || g.With("", "x") == g.With("x", "") {
		t.Error("different values give the same series")
	}
	g.With("1", "2").Set(1)
	g.With("x\xff", "").Set(2)
	push(t, p)
	var got []string
	for _, ts := range s.requests[0].Timeseries {
		if err := ts.Labels.Validate(promwire.LegacyNames); err != nil {
			t.Error(err)
		}
		got = append(got, ts.Labels.String())
	}
	if want := []string{`g{a="2",b="1",job="j�"}`, `g{b="x�",job="j�"}`}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestWithPanicsOnWrongNumber(t *testing.T) {
	g := metrics.Must(metrics.NewRegistry().GaugeVec("g", []string{"a"}))
	defer func() {
		if got, want := recover(), `metrics: gauge "g" with labels [a]: With got 2 values`; got != want {
			t.Errorf("got panic %v, want %v", got, want)
		}
	}()
	g.With("1", "2")
}

func TestMustPanics(t *testing.T) {
	defer func() {
		if err, ok := recover().(error); !ok || !errors.Is(err, promwire.ErrInvalidName) {
			t.Errorf("got panic %v, want ErrInvalidName", err)
		}
	}()
	metrics.Must(metrics.NewRegistry().Gauge(""))
}

func TestDefaultBoundsOnTheWire(t *testing.T) {
	reg, p, s, _ := setup()
	metrics.Must(reg.Histogram("d")).Observe(3)
	metrics.Must(reg.Histogram("c", metrics.WithBounds(0.00001, 100000, 1000000))).Observe(2)
	metrics.Must(reg.Histogram("n", metrics.WithBounds())).Observe(2)
	push(t, p)
	got := map[string][]string{}
	for _, ts := range s.requests[0].Timeseries {
		if le := ts.Labels.Get("le"); le != "" {
			name := ts.Labels.Get(promwire.MetricName)
			got[name] = append(got[name], le)
		}
	}
	for name, want := range map[string]string{
		"d_bucket": "0.005 0.01 0.025 0.05 0.1 0.25 0.5 1.0 2.5 5.0 10.0 +Inf",
		"c_bucket": "1e-05 100000.0 1e+06 +Inf",
		"n_bucket": "+Inf",
	} {
		if g := strings.Join(got[name], " "); g != want {
			t.Errorf("%s: got le %s, want %s", name, g, want)
		}
	}
}
