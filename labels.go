package promwire

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// MetricName is the name of the label that holds a metric's name.
const MetricName = "__name__"

// Label is one name and value.
type Label struct{ Name, Value string }

// Labels is the label set that identifies a series: sorted by name (bytewise), names unique, no empty value.
//
// The constructors guarantee that; a decoded message holds what was on the wire, and [Rules.Apply] brings it into
// this form. Labels are read-only once shared, and then safe for concurrent use.
type Labels []Label

// NewLabels makes Labels of the pairs given: sorted, empty values dropped. A repeated name is an error
// ([ErrDuplicateLabel]). The argument is not retained.
func NewLabels(labels ...Label) (Labels, error) {
	ls := slices.Clone(Labels(labels)).Normalize()
	if name, dup := ls.duplicate(); dup {
		return nil, fmt.Errorf("%w: %q", ErrDuplicateLabel, name)
	}
	return ls, nil
}

// LabelsFromMap makes Labels of a map; empty values are dropped.
func LabelsFromMap(m map[string]string) Labels {
	ls := make(Labels, 0, len(m))
	for name, value := range m {
		ls = append(ls, Label{name, value})
	}
	return ls.Normalize()
}

// LabelsFromStrings makes Labels of alternating names and values, for literals in programs and tests. It panics on
// an odd number of strings or a repeated name.
func LabelsFromStrings(namesAndValues ...string) Labels {
	if len(namesAndValues)%2 != 0 {
		panic("promwire: LabelsFromStrings takes names and values in pairs")
	}
	pairs := make([]Label, 0, len(namesAndValues)/2)
	for i := 0; i < len(namesAndValues); i += 2 {
		pairs = append(pairs, Label{namesAndValues[i], namesAndValues[i+1]})
	}
	ls, err := NewLabels(pairs...)
	if err != nil {
		panic(err)
	}
	return ls
}

// Normalize sorts ls by name in place and drops labels with empty values, which mean "no such label". It returns
// the shortened slice; repeated names stay, for [Labels.Validate] to find.
func (ls Labels) Normalize() Labels {
	sorted, empty := true, false
	for i := range ls {
		if i > 0 && ls[i].Name < ls[i-1].Name {
			sorted = false
		}
		if ls[i].Value == "" {
			empty = true
		}
	}
	if empty {
		ls = slices.DeleteFunc(ls, func(l Label) bool { return l.Value == "" })
	}
	if !sorted {
		slices.SortFunc(ls, func(a, b Label) int { return cmp.Compare(a.Name, b.Name) })
	}
	return ls
}

// duplicate returns the first repeated name of sorted labels.
func (ls Labels) duplicate() (string, bool) {
	for i := 1; i < len(ls); i++ {
		if ls[i].Name == ls[i-1].Name {
			return ls[i].Name, true
		}
	}
	return "", false
}

// Get returns the value of the label, or "" if there is none.
func (ls Labels) Get(name string) string {
	for i := range ls {
		if ls[i].Name == name {
			return ls[i].Value
		}
	}
	return ""
}

// Compare orders label sets as remote read does: label by label, first the names, then the values, bytewise; if
// one set is a prefix of the other, the shorter one is smaller.
func (ls Labels) Compare(other Labels) int {
	for i := 0; i < len(ls) && i < len(other); i++ {
		if c := cmp.Compare(ls[i].Name, other[i].Name); c != 0 {
			return c
		}
		if c := cmp.Compare(ls[i].Value, other[i].Value); c != 0 {
			return c
		}
	}
	return cmp.Compare(len(ls), len(other))
}

// Equal reports whether both sets hold the same labels in the same order.
func (ls Labels) Equal(other Labels) bool { return slices.Equal(ls, other) }

// Clone returns a deep copy: its strings share memory with nothing else. It takes two allocations.
func (ls Labels) Clone() Labels {
	if ls == nil {
		return nil
	}
	size := 0
	for i := range ls {
		size += len(ls[i].Name) + len(ls[i].Value)
	}
	var b strings.Builder
	b.Grow(size)
	for i := range ls {
		b.WriteString(ls[i].Name)
		b.WriteString(ls[i].Value)
	}
	all, out := b.String(), make(Labels, len(ls))
	for i := range ls {
		n, v := len(ls[i].Name), len(ls[i].Value)
		out[i] = Label{all[:n], all[n : n+v]}
		all = all[n+v:]
	}
	return out
}
