package metrics

import (
	"fmt"
	"slices"
	"strings"

	"github.com/promwire/promwire"
)

// check fails if what the state holds of a metric does not fit its definition: going on would change what was stored
// already, or begin anew without a word.
func (s *State) check(d *definition, constLabels []promwire.Label) error {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	names, histograms := d.claims(), map[string]*storedHistogram{}
	for _, e := range s.order {
		name := e.ts.Labels.Get(promwire.MetricName)
		if e.claimed || !slices.Contains(names, name) || !hasAll(e.ts.Labels, constLabels) {
			continue
		}
		if err := e.checkType(d); err != nil {
			return err
		}
		if d.meta.Type == promwire.TypeHistogram {
			sortIn(histograms, e, strings.TrimPrefix(name, d.name))
		}
	}
	for _, h := range histograms {
		if err := h.check(d); err != nil {
			return err
		}
	}
	return nil
}

// checkType fails if a series can't be one of the metric.
func (e *entry) checkType(d *definition) error {
	t, isNative := e.ts.Metadata.Type, len(e.ts.Histograms) > 0
	if t != promwire.TypeUnknown && t != d.meta.Type || isNative && d.meta.Type != promwire.TypeHistogram {
		return fmt.Errorf("%w: in the state, %v is a %v", ErrConflict, e.ts.Labels, t)
	}
	if isNative || !cumulative(d.meta.Type) || e.ts.Labels.Get("quantile") != "" || strings.HasSuffix(e.ts.Labels.Get(promwire.MetricName), suffixSum) {
		return nil
	}
	if v := e.value(); !(v >= 0) {
		return fmt.Errorf("%w: in the state, %v has the value %v", ErrConflict, e.ts.Labels, v)
	}
	return nil
}

func hasAll(ls promwire.Labels, want []promwire.Label) bool {
	for _, l := range want {
		if ls.Get(l.Name) != l.Value {
			return false
		}
	}
	return true
}
