package tsdbstore

import (
	"fmt"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/promwire/promwire"
)

// labelBuffer turns label sets into those of the TSDB and reuses its memory. It is not safe for concurrent use.
type labelBuffer struct {
	builder labels.ScratchBuilder
	scratch labels.Labels
}

// maxLabel bounds a name or value, in bytes: the TSDB panics on more than 16 MiB.
const maxLabel = 1<<24 - 1

// view returns ls sorted and without empty values, for a look-up: valid until the next call.
func (b *labelBuffer) view(ls promwire.Labels) (labels.Labels, error) {
	b.builder.Reset()
	sorted := true
	for i := range ls {
		if i > 0 && ls[i].Name <= ls[i-1].Name {
			sorted = false
		}
		if n := max(len(ls[i].Name), len(ls[i].Value)); n > maxLabel {
			return labels.EmptyLabels(), fmt.Errorf("%w: %.100q has %d bytes, limit %d", promwire.ErrLabelTooLong,
				ls[i].Name, n, maxLabel)
		}
		if ls[i].Value != "" {
			b.builder.Add(ls[i].Name, ls[i].Value)
		}
	}
	if !sorted {
		b.builder.Sort()
	}
	b.builder.Overwrite(&b.scratch)
	if !sorted {
		if name, dup := b.scratch.HasDuplicateLabelNames(); dup {
			return labels.EmptyLabels(), fmt.Errorf("%w: %.100q", promwire.ErrDuplicateLabel, name)
		}
	}
	return b.scratch, nil
}

// keep returns the labels of the last view as a copy that may be kept.
func (b *labelBuffer) keep() labels.Labels { return b.builder.Labels() }

// appendLabels appends the labels of a stored series to dst. The strings are those of the series.
func appendLabels(dst promwire.Labels, ls labels.Labels) promwire.Labels {
	ls.Range(func(l labels.Label) { dst = append(dst, promwire.Label{Name: l.Name, Value: l.Value}) })
	return dst
}
