package metrics

import (
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/promwire/promwire"
)

// Vec is an instrument with labels: a [Counter], [Gauge], [Histogram] or another kind for each combination of their
// values. It is safe for concurrent use.
type Vec[T any] struct {
	fam       *family
	newSeries func(*family, promwire.Labels) *T
	byValues  map[string]*T // guarded by fam.mu
}

// With returns the instrument for these label values, in the order of the label names; it is made at the first
// call and lives as long as the registry. It panics if the number of values is not that of the names.
//
// An empty value means that the series lacks the label. Bytes that are not UTF-8 become U+FFFD.
func (v *Vec[T]) With(values ...string) *T {
	if len(values) != len(v.fam.labels) {
		panic(fmt.Sprintf("metrics: %v: With got %d values", &v.fam.definition, len(values)))
	}
	var buf [128]byte
	key := appendKey(buf[:0], values)
	v.fam.mu.RLock()
	s := v.byValues[string(key)]
	v.fam.mu.RUnlock()
	if s == nil {
		s = v.create(values)
	}
	return s
}

// single returns the only instrument of a Vec without labels.
func single[T any](v *Vec[T], err error) (*T, error) {
	if err != nil {
		return nil, err
	}
	return v.With(), nil
}

func (v *Vec[T]) create(values []string) *T {
	kept := make([]string, len(values))
	for i := range values {
		kept[i] = strings.Clone(validValue(values[i]))
	}
	key := string(appendKey(nil, kept))
	v.fam.mu.Lock()
	defer v.fam.mu.Unlock()
	if s := v.byValues[key]; s != nil {
		return s
	}
	s := v.newSeries(v.fam, v.fam.seriesLabels(kept))
	v.byValues[key] = s
	v.fam.series = append(v.fam.series, any(s).(collector))
	return s
}

// seriesLabels returns constant and own labels, without the name.
func (f *family) seriesLabels(values []string) promwire.Labels {
	ls := make(promwire.Labels, 0, len(f.reg.constLabels)+len(values))
	ls = append(ls, f.reg.constLabels...)
	for i, name := range f.labels {
		ls = append(ls, promwire.Label{Name: name, Value: values[i]})
	}
	return ls.Normalize()
}

// appendKey appends values so that no two lists of values give the same key.
func appendKey(dst []byte, values []string) []byte {
	for _, v := range values {
		dst = append(binary.AppendUvarint(dst, uint64(len(v))), v...)
	}
	return dst
}
