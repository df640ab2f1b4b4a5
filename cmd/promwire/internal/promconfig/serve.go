package promconfig

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/units"
	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v3"
)

// Serve is what a prometheus.yml says of a store; a nil field is not in it.
type Serve struct {
	OutOfOrderWindow *time.Duration // storage.tsdb.out_of_order_time_window; 0: none
	Retention        *time.Duration // storage.tsdb.retention.time; 0: for ever
	RetentionBytes   *int64         // storage.tsdb.retention.size; 0: no bound
	MaxExemplars     *int           // storage.exemplars.max_exemplars; at least 1
}

// maxExemplars bounds the ring of exemplars, which is in memory.
const maxExemplars = 100_000_000

// LoadServe reads the file at path, a prometheus.yml that says only what a store can follow. Anything else is an error
// that names its line, and where it belongs.
func LoadServe(path string) (*Serve, error) {
	data, err := readFile(path)
	if err != nil {
		return nil, err
	}
	s, err := ParseServe(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

// ParseServe is LoadServe for the content of a file.
func ParseServe(data []byte) (*Serve, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var doc yaml.Node
	if err := decoder.Decode(&doc); errors.Is(err, io.EOF) {
		return &Serve{}, nil
	} else if err != nil {
		return nil, err
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one YAML document")
	}
	s := &Serve{}
	return s, s.section(doc.Content[0], "")
}

// fields are the settings that a store follows.
var fields = map[string]func(*Serve, *yaml.Node) error{
	"storage.tsdb.out_of_order_time_window": func(s *Serve, n *yaml.Node) error { return decodeDuration(n, &s.OutOfOrderWindow) },
	"storage.tsdb.retention.time":           func(s *Serve, n *yaml.Node) error { return decodeDuration(n, &s.Retention) },
	"storage.tsdb.retention.size":           func(s *Serve, n *yaml.Node) error { return decodeSize(n, &s.RetentionBytes) },
	"storage.exemplars.max_exemplars":       func(s *Serve, n *yaml.Node) error { return decodeCount(n, &s.MaxExemplars) },
}

// elsewhere says where the rest of a prometheus.yml belongs.
var elsewhere = map[string]string{
	"global":              "serve neither scrapes nor evaluates rules; global settings for scrapes belong to promwire agent --config",
	"scrape_configs":      "serve does not scrape: promwire agent --config FILE does, and writes to serve",
	"scrape_config_files": "serve does not scrape: promwire agent --config FILE does, with scrape_configs in it",
	"remote_write":        "serve keeps what it gets: promwire relay --config FILE passes it on",
	"remote_read":         "serve reads from no other server",
	"rule_files":          "serve evaluates no rules",
	"alerting":            "serve evaluates no rules, so it has no alerts",
	"tracing":             "serve sends no traces",
	"otlp":                "serve takes remote write only",
	"runtime":             "set GOGC in the environment",
	"storage.tsdb.stale_series_compaction_threshold": "serve does not follow it",
	"storage.tsdb.chunk_encoding":                    "--start-timestamps chooses the encoding",
	"storage.tsdb.retention.percentage":              "serve does not follow it: set retention.size",
}

// section takes the settings below prefix.
func (s *Serve) section(n *yaml.Node, prefix string) error {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		return nil // "storage:" with nothing behind it
	}
	if n.Kind != yaml.MappingNode {
		return fmt.Errorf("line %d: %s: want a mapping of names to values", n.Line, orRoot(prefix))
	}
	seen := map[string]bool{}
	for i := 0; i < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		path := strings.TrimPrefix(prefix+"."+key.Value, ".")
		err := s.setting(path, value)
		switch {
		case seen[key.Value]:
			return fmt.Errorf("line %d: %s is there twice", key.Line, path)
		case errors.Is(err, errHere):
			return fmt.Errorf("line %d: %s: %w", key.Line, path, err)
		case err != nil:
			return err
		}
		seen[key.Value] = true
	}
	return nil
}

// errHere is an error of the setting itself, not of one below it.
var errHere = errors.New("not possible here")

func (s *Serve) setting(path string, value *yaml.Node) error {
	if take := fields[path]; take != nil {
		if err := take(s, value); err != nil {
			return &hereError{err}
		}
		return nil
	}
	if hint := elsewhere[path]; hint != "" {
		return &hereError{errors.New(hint)}
	}
	for name := range fields {
		if strings.HasPrefix(name, path+".") {
			return s.section(value, path)
		}
	}
	return &hereError{fmt.Errorf("unknown; serve follows %s", known())}
}

func known() string {
	var names []string
	for name := range fields {
		names = append(names, name)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

func orRoot(path string) string {
	if path == "" {
		return "the file"
	}
	return path
}

type hereError struct{ error }

func (*hereError) Is(target error) bool { return target == errHere }

func decodeDuration(n *yaml.Node, to **time.Duration) error {
	var d model.Duration
	if err := n.Decode(&d); err != nil {
		return err
	}
	*to = new(time.Duration(d))
	return nil
}

func decodeSize(n *yaml.Node, to **int64) error {
	var b units.Base2Bytes
	if err := n.Decode(&b); err != nil {
		return fmt.Errorf("%q is no size like 50GB: %w", n.Value, err)
	}
	if b < 0 {
		return fmt.Errorf("%s is negative", n.Value)
	}
	*to = new(int64(b))
	return nil
}

func decodeCount(n *yaml.Node, to **int) error {
	var v int
	if err := n.Decode(&v); err != nil {
		return err
	}
	if v < 1 || v > maxExemplars {
		return fmt.Errorf("%d: want 1 to %d; exemplars can't be switched off", v, maxExemplars)
	}
	*to = &v
	return nil
}
