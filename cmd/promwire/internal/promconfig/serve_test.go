package promconfig_test

import (
	"strings"
	"testing"
	"time"

	"github.com/promwire/promwire/cmd/promwire/internal/promconfig"
)

const serveFile = `
storage:
  tsdb:
    out_of_order_time_window: 2h
    retention:
      time: 90d
      size: 50GB
  exemplars: {max_exemplars: 5000}
`

func TestParseServe(t *testing.T) {
	s, err := promconfig.ParseServe([]byte(serveFile))
	if err != nil {
		t.Fatal(err)
	}
	if *s.OutOfOrderWindow != 2*time.Hour || *s.Retention != 90*24*time.Hour || *s.RetentionBytes != 50<<30 || *s.MaxExemplars != 5000 {
		t.Errorf("%+v", s)
	}
	for _, empty := range []string{"", "# nothing\n", "storage:\n", "storage: {tsdb: {}}\n", "storage: {tsdb: {retention: }}\n"} {
		s, err := promconfig.ParseServe([]byte(empty))
		if err != nil || *s != (promconfig.Serve{}) {
			t.Errorf("%q: %+v, %v", empty, s, err)
		}
	}
}

// TestParseServeRefuses demands the line, the name, and where a setting belongs.
func TestParseServeRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"\nscrape_configs: []\n":                                       "line 2: scrape_configs: serve does not scrape: promwire agent --config",
		"storage: {}\n\nremote_write:\n":                               "line 3: remote_write: serve keeps what it gets: promwire relay --config",
		"rule_files: [a]\n":                                            "line 1: rule_files: serve evaluates no rules",
		"global:\n  scrape_interval: 1s\n":                             "line 1: global: serve neither scrapes",
		"storage:\n  tsdb:\n    chunk_encoding: {floats: xor}\n":       "line 3: storage.tsdb.chunk_encoding",
		"storage:\n  tsdb:\n    retention: {percentage: 5}\n":          "line 3: storage.tsdb.retention.percentage",
		"storage:\n  tsbd: {}\n":                                       "line 2: storage.tsbd: unknown; serve follows storage.exemplars",
		"storage:\n  tsdb:\n    out_of_order_time_window: soon\n":      "line 3: storage.tsdb.out_of_order_time_window",
		"storage:\n  tsdb:\n    out_of_order_time_window: [1h]\n":      "line 3",
		"storage:\n  tsdb:\n    retention:\n      size: much\n":        "line 4: storage.tsdb.retention.size",
		"storage:\n  tsdb:\n    retention:\n      size: -1GB\n":        "line 4: storage.tsdb.retention.size",
		"storage:\n  tsdb:\n    retention: 15d\n":                      "line 3: storage.tsdb.retention: want a mapping",
		"storage: {exemplars: {max_exemplars: 0}}\n":                   "line 1: storage.exemplars.max_exemplars",
		"storage:\n  exemplars: {max_exemplars: 1}\n  exemplars: {}\n": "line 3: storage.exemplars is there twice",
		"storage: {}\n---\nstorage: {}\n":                              "more than one",
		"- storage\n":                                                  "line 1: the file: want a mapping",
		"storage: {\n":                                                 "line 1",
		"a: &a {b: *a}\n":                                              "a",
		"<<: {storage: {}}\n":                                          "line 1: <<",
	} {
		if s, err := promconfig.ParseServe([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %+v, %v; want %s", text, s, err, want)
		}
	}
}

// Whatever a file holds, the answer is settings within their bounds, or an error.
func FuzzParseServe(f *testing.F) {
	f.Add([]byte(serveFile))
	f.Add([]byte("storage: &s {tsdb: {retention: {time: 1d}}}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := promconfig.ParseServe(data)
		if err != nil {
			return
		}
		if s.Retention != nil && *s.Retention < 0 || s.OutOfOrderWindow != nil && *s.OutOfOrderWindow < 0 ||
			s.RetentionBytes != nil && *s.RetentionBytes < 0 || s.MaxExemplars != nil && *s.MaxExemplars < 1 {
			t.Errorf("%+v", s)
		}
	})
}
