package promconfig

import (
	"fmt"
	"strings"
	"sync"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/config"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/exposition"
	"github.com/promwire/promwire/cmd/promwire/internal/scrape"
)

// newJob makes a job of a scrape config.
func newJob(c *config.ScrapeConfig, g *config.GlobalConfig, dir string) (*scrape.Job, error) {
	if err := c.Validate(*g); err != nil {
		return nil, err
	}
	if err := unsupported(c); err != nil {
		return nil, err
	}
	c.SetDirectory(dir)
	client, err := newClient(c.HTTPClientConfig, c.JobName)
	if err != nil {
		return nil, err
	}
	find, err := newDiscovery(c)
	if err != nil {
		return nil, err
	}
	job := &scrape.Job{
		Name: c.JobName, Find: find, Client: client, NoCompression: !c.EnableCompression,
		Accept: accept(c), Fallback: fallback(c.ScrapeFallbackProtocol),
		Formats: exposition.Options{
			NoNative: !c.ScrapeNativeHistogramsEnabled(), OnlyNative: !c.AlwaysScrapeClassicHistogramsEnabled(),
		},
		HonorLabels: c.HonorLabels, IgnoreTimestamps: !c.HonorTimestamps, MarkTimestamped: c.TrackTimestampsStaleness,
		External: externalLabels(g.ExternalLabels),
		Limits: scrape.Limits{
			Body: int64(c.BodySizeLimit), Samples: int(c.SampleLimit), Labels: int(c.LabelLimit),
			LabelName: int(c.LabelNameLengthLimit), LabelValue: int(c.LabelValueLengthLimit),
		},
	}
	if len(c.MetricRelabelConfigs) > 0 {
		rules, mu := &ruleSet{rules: c.MetricRelabelConfigs}, new(sync.Mutex)
		job.Relabel = func(ls promwire.Labels) promwire.Labels {
			mu.Lock()
			defer mu.Unlock()
			return rules.apply(ls)
		}
	}
	return job, nil
}

// accept returns the Accept header for the protocols of a job.
func accept(c *config.ScrapeConfig) string {
	var parts []string
	weight := len(config.ScrapeProtocolsHeaders) + 1
	for _, p := range c.ScrapeProtocols {
		part := config.ScrapeProtocolsHeaders[p]
		switch p {
		case config.PrometheusProto, config.PrometheusText1_0_0, config.OpenMetricsText1_0_0:
			part += ";" + model.EscapingKey + "=" + c.MetricNameEscapingScheme
		}
		parts = append(parts, fmt.Sprintf("%s;q=0.%d", part, weight))
		weight--
	}
	return strings.Join(append(parts, fmt.Sprintf("*/*;q=0.%d", weight)), ",")
}

func fallback(p config.ScrapeProtocol) exposition.Format {
	switch p {
	case config.PrometheusProto:
		return exposition.Protobuf
	case config.OpenMetricsText0_0_1, config.OpenMetricsText1_0_0:
		return exposition.OpenMetrics
	case config.PrometheusText0_0_4, config.PrometheusText1_0_0:
		return exposition.Text
	default:
		return 0
	}
}
