package scrape

import (
	"fmt"
	"slices"

	"github.com/promwire/promwire"
)

// exported is put before the names of exposed labels that the target has as well.
const exported = "exported_"

// merge returns exposed labels with those of the target, sorted. Exposed ones with empty values are dropped, and with
// honor take the target's with them. The result shares only strings with both.
func merge(exposed, target promwire.Labels, honor bool) promwire.Labels {
	out := make(promwire.Labels, 0, len(exposed)+len(target))
	out = append(out, target...)
	var conflicts promwire.Labels
	for _, l := range exposed {
		i := slices.IndexFunc(target, func(t promwire.Label) bool { return t.Name == l.Name })
		switch {
		case i < 0:
			out = append(out, l)
		case honor:
			out[i].Value = l.Value
		case l.Value != "":
			conflicts = append(conflicts, l)
		}
	}
	// Short names first, as Prometheus has it.
	slices.SortStableFunc(conflicts, func(a, b promwire.Label) int { return len(a.Name) - len(b.Name) })
	for _, l := range conflicts {
		for l.Name = exported + l.Name; ; l.Name = exported + l.Name {
			i := slices.IndexFunc(out, func(o promwire.Label) bool { return o.Name == l.Name })
			if i < 0 {
				out = append(out, l)
				break
			}
			if out[i].Value == "" {
				out[i] = l
				break
			}
		}
	}
	return out.Normalize()
}

// withExternal adds external labels to a series that has none of the same name.
func withExternal(ls, external promwire.Labels) promwire.Labels {
	if len(external) == 0 {
		return ls
	}
	out := append(make(promwire.Labels, 0, len(ls)+len(external)), ls...)
	for _, l := range external {
		if ls.Get(l.Name) == "" {
			out = append(out, l)
		}
	}
	return out.Normalize()
}

// check judges the labels of a series by the limits.
func (l *Limits) check(ls promwire.Labels) error {
	if l.Labels > 0 && len(ls) > l.Labels {
		return fmt.Errorf("series %.200s has %d labels, the limit is %d", ls.String(), len(ls), l.Labels)
	}
	if l.LabelName <= 0 && l.LabelValue <= 0 {
		return nil
	}
	for i := range ls {
		if n := len(ls[i].Name); l.LabelName > 0 && n > l.LabelName {
			return fmt.Errorf("label name %.200q has %d bytes, the limit is %d", ls[i].Name, n, l.LabelName)
		}
		if n := len(ls[i].Value); l.LabelValue > 0 && n > l.LabelValue {
			return fmt.Errorf("value of label %.200q has %d bytes, the limit is %d", ls[i].Name, n, l.LabelValue)
		}
	}
	return nil
}

// appendKey appends what tells a label set from all others: 0xff is in no valid text.
func appendKey(dst []byte, ls promwire.Labels) []byte {
	for i := range ls {
		dst = append(append(dst, ls[i].Name...), 0xff)
		dst = append(append(dst, ls[i].Value...), 0xff)
	}
	return dst
}
