package metrics_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/metrics"
)

func TestEscapedNames(t *testing.T) {
	tests := []struct {
		metric, label           string
		underscores, withValues string
	}{
		{"plain:name", "label", `plain:name{label="v"}`, `plain:name{label="v"}`},
		{"http.requests", "http.code", `http_requests{http_code="v"}`, `U__http_2e_requests{U__http_2e_code="v"}`},
		{"1st", "2nd", `_st{_nd="v"}`, `U___31_st{U___32_nd="v"}`},
		{"a_b.c", "ü_", `a_b_c{__="v"}`, `U__a__b_2e_c{U___fc___="v"}`},
		{"€:😀", "a:b", `_:_{a_b="v"}`, `U___20ac_:_1f600_{U__a_3a_b="v"}`},
		{"bad\xff", "bad\xff", `bad_{bad_="v"}`, `U__bad_fffd_{U__bad_fffd_="v"}`},
	}
	for _, tt := range tests {
		for escaping, want := range map[metrics.Escaping]string{
			metrics.EscapeUnderscores: tt.underscores, metrics.EscapeValues: tt.withValues,
		} {
			reg, p, s, _ := setup(metrics.WithEscapedNames(escaping))
			v, err := reg.GaugeVec(tt.metric, []string{tt.label})
			if strings.Contains(want, "{__=") {
				if !errors.Is(err, metrics.ErrReservedLabel) {
					t.Errorf("%s: got %v, want ErrReservedLabel", want, err)
				}
				continue
			}
			if err != nil {
				t.Error(err)
				continue
			}
			v.With("v").Set(1)
			push(t, p)
			ls := s.requests[0].Timeseries[0].Labels
			if got := ls.String(); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
			if err := ls.Validate(promwire.LegacyNames); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestEscapedNamesOfAllParts(t *testing.T) {
	reg, p, s, _ := setup(metrics.WithEscapedNames(metrics.EscapeValues), metrics.WithConstLabel("k8s.pod", "p"))
	c := metrics.Must(reg.Counter("http.time.seconds", metrics.WithUnit("seconds")))
	c.AddWithExemplar(1, promwire.LabelsFromStrings("trace.id", "t"))
	metrics.Must(reg.Histogram("http.took", metrics.WithBounds(1))).Observe(1)
	metrics.Must(reg.Info("app.build", promwire.LabelsFromStrings("app.version", "1"))).Set()
	if again, err := reg.Counter("http.time.seconds", metrics.WithUnit("seconds")); again != c {
		t.Errorf("not the same counter: %v", err)
	}
	push(t, p)
	var got []string
	for _, ts := range s.requests[0].Timeseries {
		got = append(got, ts.Labels.String())
		for _, e := range ts.Exemplars {
			got = append(got, e.Labels.String())
		}
	}
	want := []string{
		`U__http_2e_time_2e_seconds__total{U__k8s_2e_pod="p"}`, `{U__trace_2e_id="t"}`,
		`U__http_2e_took_bucket{U__k8s_2e_pod="p",le="1.0"}`, `U__http_2e_took_bucket{U__k8s_2e_pod="p",le="+Inf"}`,
		`U__http_2e_took_count{U__k8s_2e_pod="p"}`, `U__http_2e_took_sum{U__k8s_2e_pod="p"}`,
		`U__app_2e_build__info{U__app_2e_version="1",U__k8s_2e_pod="p"}`,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestEscapedNamesThatMeet(t *testing.T) {
	reg, _, _, _ := setup(metrics.WithEscapedNames(metrics.EscapeUnderscores))
	metrics.Must(reg.Gauge("a.b"))
	if _, err := reg.Gauge("a_b"); !errors.Is(err, metrics.ErrConflict) {
		t.Errorf("got %v, want ErrConflict", err)
	}
	if _, err := reg.GaugeVec("g", []string{"a.b", "a-b"}); !errors.Is(err, promwire.ErrDuplicateLabel) {
		t.Errorf("got %v, want ErrDuplicateLabel", err)
	}
	for _, name := range []string{"", "a.b"} {
		reg := reg
		if name != "" {
			reg, _, _, _ = setup()
		}
		if _, err := reg.Gauge(name); !errors.Is(err, promwire.ErrInvalidName) {
			t.Errorf("%q: got %v, want ErrInvalidName", name, err)
		}
	}
	if _, err := reg.GaugeVec("h", []string{""}); !errors.Is(err, promwire.ErrInvalidName) {
		t.Errorf("got %v, want ErrInvalidName", err)
	}
	defer func() {
		if recover() == nil {
			t.Error("no panic for an unknown escaping")
		}
	}()
	metrics.WithEscapedNames(0)
}
