package difftest

import (
	"context"
	"strings"
	"testing"

	"github.com/prometheus/common/model"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/metrics"
)

// sentNames returns the names of a metric and its label as a registry sends them; false if it refuses them.
func sentNames(t *testing.T, e metrics.Escaping, metric, label string) (string, string, bool) {
	t.Helper()
	reg := metrics.NewRegistry(metrics.WithEscapedNames(e))
	v, err := reg.GaugeVec(metric, []string{label})
	if err != nil {
		return "", "", false
	}
	v.With("v").Set(1)
	w := &lastLabels{}
	if err := metrics.NewPusher(reg, w).Push(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, l := range w.labels {
		if l.Name != promwire.MetricName {
			label = l.Name
		}
	}
	return w.labels.Get(promwire.MetricName), label, true
}

type lastLabels struct{ labels promwire.Labels }

func (l *lastLabels) Write(_ context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	l.labels = req.Timeseries[0].Labels.Clone()
	return req.Stats(), nil
}

// FuzzEscapedNames compares names as a registry escapes them with those of the Prometheus library, which leaves colons in
// names of labels.
func FuzzEscapedNames(f *testing.F) {
	for _, name := range []string{"a", "a.b", "1st", "_x", "ü", "😀_1", "bad\xff", "a:b", "U__a", "a__b-c", " "} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		for e, scheme := range map[metrics.Escaping]model.EscapingScheme{
			metrics.EscapeUnderscores: model.UnderscoreEscaping, metrics.EscapeValues: model.ValueEncodingEscaping,
		} {
			metric, label, ok := sentNames(t, e, name, "label"+name)
			if !ok {
				if name != "" {
					t.Fatalf("%q is refused", name)
				}
				continue
			}
			if want := model.EscapeName(name, scheme); metric != want {
				t.Errorf("metric %q: %s, want %s", name, metric, want)
			}
			if want := model.EscapeName("label"+name, scheme); label != want && !strings.Contains(name, ":") {
				t.Errorf("label %q: %s, want %s", "label"+name, label, want)
			}
			if !promwire.ValidName(label, promwire.LegacyNames, false) || !promwire.ValidName(metric, promwire.LegacyNames, true) {
				t.Errorf("%q: not legacy names: %s, %s", name, metric, label)
			}
		}
	})
}
