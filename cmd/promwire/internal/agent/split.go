package agent

import (
	"slices"
	"strings"

	"github.com/promwire/promwire"
)

// pieces cuts series into requests of at most limit series. It cuts between metric families; in one that is larger than
// that between metrics, so that a histogram stays whole; and where nothing else is possible anywhere.
func pieces(series []promwire.TimeSeries, limit int) [][]promwire.TimeSeries {
	var out [][]promwire.TimeSeries
	for len(series) > limit {
		n := lastCut(series, limit, sameFamily)
		if n == 0 {
			n = lastCut(series, limit, sameMetric)
		}
		if n == 0 {
			n = limit
		}
		out = append(out, series[:n:n])
		series = series[n:]
	}
	if len(series) > 0 {
		out = append(out, series)
	}
	return out
}

// lastCut returns the last place up to limit that does not divide series that belong together, 0 if there is none.
func lastCut(series []promwire.TimeSeries, limit int, together func(a, b promwire.Labels) bool) int {
	for n := limit; n > 0; n-- {
		if !together(series[n-1].Labels, series[n].Labels) {
			return n
		}
	}
	return 0
}

// family returns the name of the metric family that a series seems to belong to.
func family(ls promwire.Labels) string {
	name := ls.Get(promwire.MetricName)
	for _, suffix := range []string{"_bucket", "_sum", "_count", "_created", "_total", "_gsum", "_gcount"} {
		if base, found := strings.CutSuffix(name, suffix); found {
			return base
		}
	}
	return name
}

func sameFamily(a, b promwire.Labels) bool { return family(a) == family(b) }

// sameMetric reports whether two series of a family differ in nothing but what makes a histogram or summary of them.
func sameMetric(a, b promwire.Labels) bool {
	return slices.Equal(withoutParts(a), withoutParts(b))
}

func withoutParts(ls promwire.Labels) promwire.Labels {
	return slices.DeleteFunc(slices.Clone(ls), func(l promwire.Label) bool {
		return l.Name == promwire.MetricName || l.Name == "le" || l.Name == "quantile"
	})
}
