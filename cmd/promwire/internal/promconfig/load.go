package promconfig

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/config"
	"go.yaml.in/yaml/v2"
)

// maxFile bounds a configuration file, in bytes.
const maxFile = 4 << 20

// file is the part of a prometheus.yml that matters here. The other blocks of Prometheus are let through unread.
type file struct {
	RemoteWrite []*config.RemoteWriteConfig `yaml:"remote_write"`

	Global            any `yaml:"global"`
	Runtime           any `yaml:"runtime"`
	Alerting          any `yaml:"alerting"`
	RuleFiles         any `yaml:"rule_files"`
	ScrapeConfigFiles any `yaml:"scrape_config_files"`
	ScrapeConfigs     any `yaml:"scrape_configs"`
	RemoteRead        any `yaml:"remote_read"`
	Storage           any `yaml:"storage"`
	Tracing           any `yaml:"tracing"`
	OTLP              any `yaml:"otlp"`
}

// Load reads the remote_write blocks of the file at path. Paths inside it are relative to its folder. The file is a
// prometheus.yml or a part of one; errors name the line.
func Load(path string) ([]*RemoteWrite, error) {
	data, err := readFile(path)
	if err != nil {
		return nil, err
	}
	blocks, err := Parse(data, filepath.Dir(path))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return blocks, nil
}

func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxFile {
		return nil, fmt.Errorf("%s has %d bytes, more than a configuration can (%d)", path, info.Size(), maxFile)
	}
	return os.ReadFile(path)
}

// Parse is Load for the content of a file; paths inside are relative to dir.
func Parse(data []byte, dir string) ([]*RemoteWrite, error) {
	if len(data) > maxFile {
		return nil, fmt.Errorf("%d bytes are more than a configuration can have (%d)", len(data), maxFile)
	}
	var parsed file
	if err := yaml.UnmarshalStrict(data, &parsed); err != nil {
		return nil, err
	}
	// What a block says, apart from Prometheus' defaults.
	var said struct {
		RemoteWrite []map[string]any `yaml:"remote_write"`
	}
	if err := yaml.Unmarshal(data, &said); err != nil {
		return nil, err
	}
	return newBlocks(parsed.RemoteWrite, said.RemoteWrite, dir)
}

func newBlocks(parsed []*config.RemoteWriteConfig, said []map[string]any, dir string) ([]*RemoteWrite, error) {
	if len(parsed) == 0 {
		return nil, errors.New("no remote_write block: nowhere to send to")
	}
	blocks := make([]*RemoteWrite, 0, len(parsed))
	names := map[string]bool{}
	for i, c := range parsed {
		block, err := newBlock(c, said[i], dir)
		if err == nil && names[block.Name] {
			err = fmt.Errorf("name %q is taken: give the blocks different names", block.Name)
		}
		if err != nil {
			return nil, fmt.Errorf("remote_write block %d: %w", i+1, err)
		}
		names[block.Name] = true
		blocks = append(blocks, block)
	}
	return blocks, nil
}

func newBlock(c *config.RemoteWriteConfig, said map[string]any, dir string) (*RemoteWrite, error) {
	if c == nil {
		return nil, errors.New("it is empty")
	}
	if err := c.Validate(model.UTF8Validation); err != nil {
		return nil, err
	}
	c.SetDirectory(dir)
	return fromConfig(c, said)
}

// nameOf returns the name of a block: its own, or one made of its URL. It is fit for a file name.
func nameOf(given string, u *url.URL) string {
	name := given
	if name == "" {
		name = u.Host + u.Path
	}
	return FileName(name)
}

// FileName makes a name fit for a file: letters, digits and "._-", at most 100 bytes.
func FileName(name string) string {
	clean := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-", r) {
			return r
		}
		return '_'
	}, name)
	return clean[:min(len(clean), 100)]
}
