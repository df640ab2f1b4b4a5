package promconfig

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/discovery"
	filesd "github.com/prometheus/prometheus/discovery/file"
	"github.com/prometheus/prometheus/discovery/targetgroup"
	"github.com/prometheus/prometheus/model/labels"
	promscrape "github.com/prometheus/prometheus/scrape"
	"go.yaml.in/yaml/v2"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/scrape"
)

// discoverer finds the targets of one job.
type discoverer struct {
	config *config.ScrapeConfig
	static []*targetgroup.Group
	globs  []string
	files  map[string]*targetFile
}

// targetFile is what was read of a file with targets.
type targetFile struct {
	modified time.Time
	size     int64
	groups   []*targetgroup.Group
}

// maxTargetFile bounds a file with targets, in bytes.
const maxTargetFile = 64 << 20

// newDiscovery returns the function that finds the targets of a job. Static ones are checked at once.
func newDiscovery(c *config.ScrapeConfig) (func() ([]scrape.Target, error), error) {
	d := &discoverer{config: c, files: map[string]*targetFile{}}
	for _, sd := range c.ServiceDiscoveryConfigs {
		switch sd := sd.(type) {
		case discovery.StaticConfig:
			d.static = append(d.static, sd...)
		case *filesd.SDConfig:
			d.globs = append(d.globs, sd.Files...)
		default:
			return nil, fmt.Errorf("%s_sd_configs: the agent knows static_configs and file_sd_configs", sd.Name())
		}
	}
	static, err := d.targets(d.static)
	if err != nil {
		return nil, err
	}
	if len(d.globs) == 0 {
		return func() ([]scrape.Target, error) { return static, nil }, nil
	}
	return func() ([]scrape.Target, error) {
		groups, err := d.read()
		found, faults := d.targets(groups)
		return append(found, static...), errors.Join(err, faults)
	}, nil
}

// read returns what the files hold. One that can't be read counts as it was before.
func (d *discoverer) read() (groups []*targetgroup.Group, err error) {
	seen := map[string]bool{}
	for _, glob := range d.globs {
		paths, globErr := filepath.Glob(glob)
		if globErr != nil {
			err = errors.Join(err, fmt.Errorf("%s: %w", glob, globErr))
		}
		for _, path := range paths {
			seen[path] = true
			fileErr := d.readFile(path)
			if fileErr != nil {
				err = errors.Join(err, fmt.Errorf("%s: %w", path, fileErr))
			}
			if f := d.files[path]; f != nil {
				groups = append(groups, f.groups...)
			}
		}
	}
	for path := range d.files {
		if !seen[path] {
			delete(d.files, path)
		}
	}
	return groups, err
}

// readFile reads a file that has changed.
func (d *discoverer) readFile(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if f := d.files[path]; f != nil && f.modified.Equal(info.ModTime()) && f.size == info.Size() {
		return nil
	}
	if info.Size() > maxTargetFile {
		return fmt.Errorf("%d bytes, the limit is %d", info.Size(), maxTargetFile)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var groups []*targetgroup.Group
	if strings.EqualFold(filepath.Ext(path), ".json") {
		err = json.Unmarshal(data, &groups)
	} else {
		err = yaml.UnmarshalStrict(data, &groups)
	}
	if err != nil {
		return err
	}
	for i, g := range groups {
		if g == nil {
			return fmt.Errorf("group %d is empty", i+1)
		}
		if g.Labels == nil {
			g.Labels = model.LabelSet{}
		}
		g.Source = fmt.Sprintf("%s:%d", path, i)
		g.Labels[model.MetaLabelPrefix+"filepath"] = model.LabelValue(path)
	}
	d.files[path] = &targetFile{modified: info.ModTime(), size: info.Size(), groups: groups}
	return nil
}

// targets relabels what was found. Those that are wrong are left out, and in the error.
func (d *discoverer) targets(groups []*targetgroup.Group) ([]scrape.Target, error) {
	out := []scrape.Target{}
	var faults []error
	b := labels.NewBuilder(labels.EmptyLabels())
	for _, g := range groups {
		for _, own := range g.Targets {
			ls, err := promscrape.PopulateLabels(b, d.config, own, g.Labels)
			if err != nil {
				faults = append(faults, fmt.Errorf("target %s: %w", own[model.AddressLabel], err))
				continue
			}
			if !ls.IsEmpty() { // relabelling drops it
				out = append(out, d.target(ls, own, g.Labels))
			}
		}
	}
	return out, errors.Join(faults...)
}

// target makes a target of its labels, which are valid.
func (d *discoverer) target(ls labels.Labels, own, group model.LabelSet) scrape.Target {
	t := promscrape.NewTarget(ls, d.config, own, group)
	out := scrape.Target{URL: t.URL().String(), Interval: span(ls, model.ScrapeIntervalLabel), Timeout: span(ls, model.ScrapeTimeoutLabel)}
	t.LabelsRange(func(l labels.Label) { out.Labels = append(out.Labels, promwire.Label{Name: l.Name, Value: l.Value}) })
	out.Labels = out.Labels.Normalize().Clone()
	return out
}

func span(ls labels.Labels, name string) time.Duration {
	d, _ := model.ParseDuration(ls.Get(name)) // it was checked
	return time.Duration(d)
}
