package promconfig

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/model/labels"
	"go.yaml.in/yaml/v2"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/scrape"
)

// Agent is what a configuration says of an agent: whom to scrape, and where to write.
type Agent struct {
	Jobs   []*scrape.Job
	Writes []*RemoteWrite
}

// agentFile is a prometheus.yml for an agent. Other blocks of Prometheus are errors, as an agent can't do what they ask.
type agentFile struct {
	Global        config.GlobalConfig         `yaml:"global"`
	ScrapeConfigs []*config.ScrapeConfig      `yaml:"scrape_configs"`
	RemoteWrite   []*config.RemoteWriteConfig `yaml:"remote_write"`
}

// agentSaid is what the file says, apart from Prometheus' defaults.
type agentSaid struct {
	Global      map[string]any   `yaml:"global"`
	RemoteWrite []map[string]any `yaml:"remote_write"`
}

// LoadAgent reads the file at path: global, scrape_configs and remote_write as in a prometheus.yml. Paths inside it are
// relative to its folder. Errors name the line where the form is wrong, and else the job or block.
//
// Where the file says nothing, native histograms are scraped, besides classic ones.
func LoadAgent(path string) (*Agent, error) {
	data, err := readFile(path)
	if err != nil {
		return nil, err
	}
	a, err := ParseAgent(data, filepath.Dir(path))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return a, nil
}

// ParseAgent is LoadAgent for the content of a file; paths inside are relative to dir.
func ParseAgent(data []byte, dir string) (*Agent, error) {
	parsed := agentFile{Global: config.DefaultGlobalConfig}
	if err := yaml.UnmarshalStrict(data, &parsed); err != nil {
		return nil, err
	}
	var said agentSaid
	if err := yaml.Unmarshal(data, &said); err != nil {
		return nil, err
	}
	if len(parsed.ScrapeConfigs) == 0 {
		return nil, errors.New("no scrape_configs: nothing to scrape")
	}
	a := &Agent{}
	var err error
	if a.Writes, err = newBlocks(parsed.RemoteWrite, said.RemoteWrite, dir); err != nil {
		return nil, err
	}
	g := &parsed.Global
	native := true
	if _, ok := said.Global["scrape_native_histograms"]; !ok {
		g.ScrapeNativeHistograms = &native
	}
	if _, ok := said.Global["always_scrape_classic_histograms"]; !ok {
		g.AlwaysScrapeClassicHistograms = true
	}
	names := map[string]bool{}
	for i, c := range parsed.ScrapeConfigs {
		job, err := newJob(c, g, dir)
		if err == nil && names[job.Name] {
			err = errors.New("there are two with this name")
		}
		if err != nil {
			return nil, fmt.Errorf("scrape_configs %d%s: %w", i+1, nameOfJob(c), err)
		}
		names[job.Name] = true
		a.Jobs = append(a.Jobs, job)
	}
	return a, nil
}

func nameOfJob(c *config.ScrapeConfig) string {
	if c == nil {
		return ""
	}
	return fmt.Sprintf(" (%s)", c.JobName)
}

// externalLabels returns those of the file, with variables of the environment in their values.
func externalLabels(ls labels.Labels) promwire.Labels {
	var out promwire.Labels
	ls.Range(func(l labels.Label) {
		value := os.Expand(l.Value, func(name string) string {
			if name == "$" {
				return "$"
			}
			return os.Getenv(name)
		})
		out = append(out, promwire.Label{Name: l.Name, Value: value})
	})
	return out.Normalize()
}

// unsupported names the first setting that the agent does not follow.
func unsupported(c *config.ScrapeConfig) error {
	for name, set := range map[string]bool{
		"convert_classic_histograms_to_nhcb": c.ConvertClassicHistogramsToNHCBEnabled(),
		"extra_scrape_metrics":               c.ExtraScrapeMetrics != nil && *c.ExtraScrapeMetrics,
		"native_histogram_bucket_limit":      c.NativeHistogramBucketLimit != 0,
		"native_histogram_min_bucket_factor": c.NativeHistogramMinBucketFactor != 0,
		"scrape_failure_log_file":            c.ScrapeFailureLogFile != "",
		"target_limit":                       c.TargetLimit != 0,
		"metric_name_validation_scheme":      c.MetricNameValidationScheme != model.UTF8Validation,
	} {
		if set {
			return fmt.Errorf("%s: the agent does not follow it", name)
		}
	}
	return nil
}
