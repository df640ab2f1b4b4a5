package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/remote"
)

// On SIGHUP a server goes on by its new configuration, and by the old one if that is bad.
func TestServeReload(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "prometheus.yml")
	configure := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	configure("storage: {tsdb: {out_of_order_time_window: 0s}}\n")
	p := startServe(t, dir, "--config", path)
	client, err := remote.NewWriteClient(p.write)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	write := func(age time.Duration) error {
		_, err := client.Write(t.Context(), &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{{
			Labels:  promwire.LabelsFromStrings("__name__", "m"),
			Samples: []promwire.Sample{{Timestamp: now.Add(-age).UnixMilli(), Value: 1}},
		}}})
		return err
	}
	if err := write(0); err != nil {
		t.Fatal(err)
	}
	if err := write(time.Hour); err == nil {
		t.Error("a late sample was taken without a window")
	}
	reload := func(wantMetric string) {
		t.Helper()
		if err := p.cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		until(t, wantMetric, func() bool {
			return strings.Contains(get(t, p.url+"/metrics"), wantMetric)
		})
	}
	configure("storage: {tsdb: {out_of_order_time_window: 2h, retention: {time: 1d}}}\n")
	reload("prometheus_tsdb_retention_limit_seconds 86400\n")
	for page, want := range map[string]string{
		"runtimeinfo": `"storageRetention":"1d"`, "config": `out_of_order_time_window: 2h\n    retention:\n      time: 1d\n`, "flags": `"config":"` + path + `"`,
	} {
		if got := get(t, p.url+"/api/v1/status/"+page); !strings.Contains(got, want) {
			t.Errorf("%s: %s", page, got)
		}
	}
	until(t, "the new window", func() bool { return write(time.Hour) == nil })
	configure("storage: {tsdb: {out_of_order_time_window: 0s}}\nscrape_configs: []\n")
	reload("promwire_config_last_reload_successful 0\n")
	if got := get(t, p.url+"/api/v1/status/runtimeinfo"); !strings.Contains(got, `"reloadConfigSuccess":false`) {
		t.Error(got)
	}
	if err := write(time.Hour + time.Second); err != nil {
		t.Errorf("a bad file changed the settings: %v", err)
	}
	configure("storage: {tsdb: {out_of_order_time_window: 2h}}\n")
	reload("promwire_config_last_reload_successful 1\n")
	if code, _, err := p.end(syscall.SIGTERM); code != 0 || err != nil || !strings.Contains(p.err.String(), "line 2: scrape_configs") {
		t.Errorf("code %d, %v, %s", code, err, p.err)
	}
}
