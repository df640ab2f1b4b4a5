package scrape

import (
	"time"

	"github.com/promwire/promwire"
)

// reportNames are the series that say how a scrape went.
var reportNames = [...]struct {
	name string
	meta promwire.Metadata
}{
	{"up", promwire.Metadata{Type: promwire.TypeGauge, Help: "Health of the scrape target: 1 if the last scrape was good, 0 if it failed."}},
	{"scrape_duration_seconds", promwire.Metadata{Type: promwire.TypeGauge, Help: "Duration of the last scrape.", Unit: "seconds"}},
	{"scrape_samples_scraped", promwire.Metadata{Type: promwire.TypeGauge, Help: "Number of samples that the target exposed."}},
	{"scrape_samples_post_metric_relabeling", promwire.Metadata{Type: promwire.TypeGauge, Help: "Number of samples that were left after relabelling."}},
	{"scrape_series_added", promwire.Metadata{Type: promwire.TypeGauge, Help: "Number of series that the scrape before did not have."}},
}

// appendReport appends how a scrape went.
func (b *book) appendReport(out []promwire.TimeSeries, at int64, up bool, took time.Duration, t tally) []promwire.TimeSeries {
	health := 0.0
	if up {
		health = 1
	}
	values := [len(reportNames)]float64{health, took.Seconds(), float64(t.scraped), float64(t.kept), float64(t.added)}
	b.at = at
	samples := make([]promwire.Sample, len(values))
	for i, k := range b.reports {
		samples[i] = promwire.Sample{Timestamp: at, Value: values[i]}
		out = append(out, promwire.TimeSeries{Labels: k.labels, Samples: samples[i : i+1 : i+1], Metadata: k.meta})
	}
	return out
}

// end returns markers for everything: the target is gone.
func (b *book) end(at int64) []promwire.TimeSeries {
	if b.at == 0 {
		return nil // nothing was ever written
	}
	out := b.fail(at)
	for _, k := range b.reports {
		out = append(out, k.marker(max(at, b.at+1)))
	}
	return out
}
