package queryapi

import (
	"errors"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/scrape"

	"github.com/promwire/promwire"
)

// Families is where the metadata of metric families are kept.
type Families interface {
	// Family returns the metadata of one family; false if there are none.
	Family(name string) (promwire.Metadata, bool)
	// Families returns those of all.
	Families() []promwire.MetricMetadata
}

// families shows metadata to the API as those of a scrape target: it knows no other place for them.
type families struct{ from Families }

// target is a target that was never scraped, with the metadata.
func (f families) target() *scrape.Target {
	t := scrape.NewTarget(labels.EmptyLabels(), &config.ScrapeConfig{}, nil, nil)
	t.SetMetadataStore(f)
	return t
}

// ListMetadata implements [scrape.MetricMetadataStore].
func (f families) ListMetadata() []scrape.MetricMetadata {
	all := f.from.Families()
	out := make([]scrape.MetricMetadata, len(all))
	for i := range all {
		out[i] = scraped(all[i].Family, all[i].Metadata)
	}
	return out
}

// GetMetadata implements [scrape.MetricMetadataStore].
func (f families) GetMetadata(name string) (scrape.MetricMetadata, bool) {
	m, ok := f.from.Family(name)
	return scraped(name, m), ok
}

// SizeMetadata implements [scrape.MetricMetadataStore]; it is for the metrics of scraping.
func (families) SizeMetadata() int { return 0 }

// LengthMetadata implements [scrape.MetricMetadataStore]; it is for the metrics of scraping.
func (families) LengthMetadata() int { return 0 }

func scraped(family string, m promwire.Metadata) scrape.MetricMetadata {
	kind := model.MetricTypeUnknown
	if m.Type > promwire.TypeUnknown && m.Type <= promwire.TypeStateSet {
		kind = model.MetricType(m.Type.String())
	}
	return scrape.MetricMetadata{MetricFamily: family, Type: kind, Help: m.Help, Unit: m.Unit}
}

// oneTarget implements the API's TargetRetriever.
type oneTarget struct{ t *scrape.Target }

func (o oneTarget) TargetsActive() map[string][]*scrape.Target {
	return map[string][]*scrape.Target{"": {o.t}}
}
func (oneTarget) TargetsDropped() map[string][]*scrape.Target { return nil }
func (oneTarget) TargetsDroppedCounts() map[string]int        { return nil }
func (oneTarget) ScrapePoolConfig(string) (*config.ScrapeConfig, error) {
	return nil, errors.New("nothing is scraped") // no path leads here
}
