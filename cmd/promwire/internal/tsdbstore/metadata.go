package tsdbstore

import (
	"strings"

	"github.com/promwire/promwire"
)

// deferMetadata keeps a copy of the family's metadata, if they are new, until the request is committed.
func (b *batch) deferMetadata(family string, m *promwire.Metadata) {
	if n := len(b.metadata); n > 0 && b.metadata[n-1].Family == family && b.metadata[n-1].Metadata == *m {
		return
	}
	if b.store.families.fresh(family, m) {
		b.metadata = append(b.metadata, promwire.MetricMetadata{
			Family:   strings.Clone(family),
			Metadata: promwire.Metadata{Type: m.Type, Help: strings.Clone(m.Help), Unit: strings.Clone(m.Unit)},
		})
	}
}

// seriesMetadata is deferMetadata for those of a series.
func (b *batch) seriesMetadata(ts *promwire.TimeSeries) {
	if ts.Metadata != (promwire.Metadata{}) {
		b.deferMetadata(promwire.FamilyName(ts.Labels.Get(promwire.MetricName), ts.Metadata.Type), &ts.Metadata)
	}
}
