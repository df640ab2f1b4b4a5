package backends

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/compat/proc"
)

func runCortex(t *testing.T, p proc.Program) *instance {
	url := startCortex(t, p, false)
	return &instance{write: url + "/api/v1/push", api: url + "/prometheus", query: prometheusAPI(url + "/prometheus").query}
}

// startCortex runs everything of Cortex in one process, and returns its URL.
func startCortex(t *testing.T, p proc.Program, tenants bool) string {
	t.Helper()
	dir, addresses := t.TempDir(), proc.FreePorts(t, 2)
	for _, folder := range []string{"rules", "alerts"} {
		if err := os.Mkdir(filepath.Join(dir, folder), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(dir, "cortex.yml")
	write(t, file, fmt.Sprintf(`auth_enabled: %t
server: {http_listen_address: 127.0.0.1, http_listen_port: %s, grpc_listen_address: 127.0.0.1, grpc_listen_port: %s}
distributor: {remote_writev2_enabled: true, shard_by_all_labels: true}
limits: {enable_native_histograms: true, max_series_per_metric: 0, ingestion_rate: 1000000, ingestion_burst_size: 10000000}
ingester: {lifecycler: {address: 127.0.0.1, min_ready_duration: 0s, final_sleep: 0s, ring: {kvstore: {store: inmemory}, replication_factor: 1}}}
blocks_storage:
  backend: filesystem
  filesystem: {dir: blocks}
  tsdb: {dir: tsdb}
  bucket_store: {sync_dir: sync}
compactor: {data_dir: compact, sharding_ring: {kvstore: {store: inmemory}}}
ruler: {rule_path: rules-now}
ruler_storage: {backend: local, local: {directory: rules}}
alertmanager: {external_url: "http://127.0.0.1/alertmanager", data_dir: alerts-now, cluster: {listen_address: ""}}
alertmanager_storage: {backend: local, local: {path: alerts}}
`, tenants, port(addresses[0]), port(addresses[1])))
	s := proc.Start(t, p, dir, "-config.file="+file, "-target=all")
	url := "http://" + addresses[0]
	s.Await(t, func() string { return url + "/ready" })
	return url
}

// port is the end of an address.
func port(address string) string { return address[strings.LastIndexByte(address, ':')+1:] }

// TestTenants writes for two tenants, who see their own data only.
func TestTenants(t *testing.T) {
	t.Parallel()
	for program, start := range map[string]func(*testing.T, proc.Program, bool) string{"mimir": startMimir, "cortex": startCortex} {
		t.Run(program, func(t *testing.T) {
			t.Parallel()
			for _, p := range proc.Must(t, program) {
				url := start(t, p, true)
				c, now := client(t, url+"/api/v1/push"), time.Now().UnixMilli()
				req := func(v float64) *promwire.WriteRequest {
					return &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{{
						Labels: promwire.LabelsFromStrings(promwire.MetricName, "owned", "of", "someone"), Samples: floats(now, v),
					}}}
				}
				if _, err := c.Write(t.Context(), req(0)); err == nil || !strings.Contains(err.Error(), "401") {
					t.Errorf("without a tenant: %v, want 401", err)
				}
				for i, tenant := range []string{"a", "b"} {
					if _, err := c.Write(promwire.ContextWithTenant(t.Context(), tenant), req(float64(i))); err != nil {
						t.Fatal(err)
					}
				}
				for i, tenant := range []string{"a", "b"} {
					got := prometheusAPI(url+"/prometheus").queryFor(t, tenant, "of", "someone")
					if len(got) != 1 || !equal(got[0].Samples, floats(now, float64(i))) {
						t.Errorf("%s: tenant %s sees %v", p.Version, tenant, got)
					}
				}
			}
		})
	}
}
