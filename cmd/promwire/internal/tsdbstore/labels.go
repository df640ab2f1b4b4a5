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

// view returns ls sorted and without empty values, for a look-up: valid until the next call.
func (b *labelBuffer) view(ls promwire.Labels) (labels.Labels, error) {
	b.builder.Reset()
	sorted := true
	for i := range ls {
		if i > 0 && ls[i].Name <= ls[i-1].Name {
			sorted = false
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
			return labels.EmptyLabels(), fmt.Errorf("%w: %q", promwire.ErrDuplicateLabel, name)
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
