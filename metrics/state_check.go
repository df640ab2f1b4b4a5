package metrics

import (
	"fmt"
	"math"
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
	names, classic := d.claims(), map[string]*storedHistogram{}
	for _, e := range s.order {
		name := e.ts.Labels.Get(promwire.MetricName)
		if e.claimed || !slices.Contains(names, name) || !hasAll(e.ts.Labels, constLabels) {
			continue
		}
		if t := e.ts.Metadata.Type; t != promwire.TypeUnknown && t != d.meta.Type {
			return fmt.Errorf("%w: in the state, %v is a %v", ErrConflict, e.ts.Labels, t)
		}
		if len(e.ts.Samples) == 0 || !cumulative(d.meta.Type) {
			continue
		}
		if v := e.value(); !(v >= 0) && !strings.HasSuffix(name, suffixSum) {
			return fmt.Errorf("%w: in the state, %v has the value %v", ErrConflict, e.ts.Labels, v)
		}
		if d.meta.Type == promwire.TypeHistogram {
			sortIn(classic, e, strings.TrimPrefix(name, d.name))
		}
	}
	for _, h := range classic {
		if err := h.check(d.bounds); err != nil {
			return err
		}
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

// storedHistogram is what a state holds of a histogram with classic buckets.
type storedHistogram struct {
	buckets    map[string]float64
	count, sum *entry
}

func sortIn(classic map[string]*storedHistogram, e *entry, suffix string) {
	var key []byte
	for _, l := range e.ts.Labels {
		if l.Name != promwire.MetricName && l.Name != "le" {
			key = appendLabelsKey(key, promwire.Labels{l})
		}
	}
	h := classic[string(key)]
	if h == nil {
		h = &storedHistogram{buckets: map[string]float64{}}
		classic[string(key)] = h
	}
	switch suffix {
	case suffixBucket:
		h.buckets[e.ts.Labels.Get("le")] = e.value()
	case suffixCount:
		h.count = e
	case suffixSum:
		h.sum = e
	}
}

// check fails if the buckets are not those of the bounds, or contradict each other.
func (h *storedHistogram) check(bounds []float64) error {
	if h.count == nil || h.sum == nil || len(h.buckets) != len(bounds)+1 {
		return fmt.Errorf("%w: in the state, the histogram has %d buckets, not %d; bounds can't change",
			ErrConflict, len(h.buckets), len(bounds)+1)
	}
	below := 0.0
	for i := range len(bounds) + 1 {
		bound := math.Inf(1)
		if i < len(bounds) {
			bound = bounds[i]
		}
		v, found := h.buckets[promwire.FormatLe(bound)]
		switch {
		case !found:
			return fmt.Errorf("%w: in the state, the histogram has no bound %v; bounds can't change", ErrConflict, bound)
		case v < below, v != math.Trunc(v), v > math.MaxInt64:
			return fmt.Errorf("%w: in the state, the histogram counts %v up to %v, and %v before", ErrConflict, v, bound, below)
		}
		below = v
	}
	if v := h.count.value(); v != below {
		return fmt.Errorf("%w: in the state, the histogram's buckets count %v, and itself %v", ErrConflict, below, v)
	}
	return nil
}
