package gateway

import (
	"strings"
	"testing"
)

func TestParseUpstream(t *testing.T) {
	for text, want := range map[string]Endpoints{
		"prometheus=http://p:9090":          {Prometheus, "http://p:9090/api/v1/write", "http://p:9090", "http://p:9090/api/v1/read"},
		"mimir=https://u:p@m/x/":            {Mimir, "https://u:p@m/x/api/v1/push", "https://u:p@m/x/prometheus", "https://u:p@m/x/prometheus/api/v1/read"},
		"cortex=http://c":                   {Cortex, "http://c/api/v1/push", "http://c/prometheus", "http://c/prometheus/api/v1/read"},
		"thanos=http://q:1":                 {Thanos, "", "http://q:1", ""},
		"victoriametrics=http://v:8428/a/b": {VictoriaMetrics, "http://v:8428/a/b/api/v1/write", "http://v:8428/a/b", ""},
	} {
		if got, err := ParseUpstream(text); err != nil || got != want {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{
		"", "prometheus", "influx=http://a", "mimir=", "mimir=host:9090", "mimir=http://", "mimir=ftp://a", "mimir=http://u:secret@a?b=c",
		"mimir=http://u:secret@a\n",
	} {
		if _, err := ParseUpstream(text); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", text, err)
		}
	}
}
