package otelexport

import (
	"cmp"
	"encoding/hex"
	"slices"
	"unicode/utf8"

	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/promwire/promwire"
)

// maxExemplarRunes bounds names and values of an exemplar's labels together (OpenMetrics, Exemplars).
const maxExemplarRunes = 128

// addExemplars adds exemplars to ts in order of time: the span's ids, and the attributes that the series does not have if
// there is room for all of them.
func addExemplars[N int64 | float64](c *converter, ts *promwire.TimeSeries, exemplars []metricdata.Exemplar[N]) {
	for i := range exemplars {
		e := &exemplars[i]
		var out *promwire.Exemplar
		ts.Exemplars, out = extend(ts.Exemplars)
		out.Value, out.Timestamp = float64(e.Value), c.time
		if !e.Time.IsZero() {
			out.Timestamp = e.Time.UnixMilli()
		}
		s := labelSet(out.Labels[:0])
		s = s.add("trace_id", hex.EncodeToString(e.TraceID))
		s = s.add("span_id", hex.EncodeToString(e.SpanID))
		ids := len(s)
		for _, kv := range e.FilteredAttributes {
			if name, err := c.names.labelName(string(kv.Key)); err == nil {
				s = s.add(name, text(kv.Value))
			}
		}
		if runes(s) > maxExemplarRunes {
			s = s[:ids]
		}
		out.Labels = promwire.Labels(s).Normalize()
	}
	slices.SortStableFunc(ts.Exemplars, func(a, b promwire.Exemplar) int { return cmp.Compare(a.Timestamp, b.Timestamp) })
}

func runes(s labelSet) int {
	n := 0
	for _, l := range s {
		n += utf8.RuneCountInString(l.Name) + utf8.RuneCountInString(l.Value)
	}
	return n
}
