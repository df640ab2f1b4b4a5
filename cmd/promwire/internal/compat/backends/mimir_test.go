package backends

import (
	"cmp"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/promwire/promwire/cmd/promwire/internal/compat/proc"
)

func runMimir(t *testing.T, p proc.Program) *instance {
	url := startMimir(t, p, false)
	return &instance{write: url + "/api/v1/push", api: url + "/prometheus", query: prometheusAPI(url + "/prometheus").query}
}

// startMimir runs everything of Mimir in one process, and returns its URL. Each part advertises an address, and would take
// another than that of the test.
func startMimir(t *testing.T, p proc.Program, tenants bool) string {
	t.Helper()
	dir, addresses := t.TempDir(), proc.FreePorts(t, 3)
	var rings strings.Builder
	for _, ring := range []string{
		"alertmanager: {sharding_ring", "compactor: {sharding_ring", "distributor: {ring", "overrides_exporter: {ring",
		"querier: {ring", "query_scheduler: {ring", "ruler: {ring", "store_gateway: {sharding_ring",
	} {
		fmt.Fprintf(&rings, "%s: {instance_addr: 127.0.0.1, kvstore: {store: inmemory}}%s\n", ring, cmp.Or(mimirFolders[ring], "}"))
	}
	file := filepath.Join(dir, "mimir.yml")
	write(t, file, fmt.Sprintf(`multitenancy_enabled: %t
activity_tracker: {filepath: ""}
usage_stats: {enabled: false}
limits: {max_global_exemplars_per_user: 100000, ingestion_rate: 1000000, ingestion_burst_size: 10000000}
server: {http_listen_address: 127.0.0.1, http_listen_port: %s, grpc_listen_address: 127.0.0.1, grpc_listen_port: %s}
memberlist: {bind_addr: [127.0.0.1], bind_port: %s}
frontend: {address: 127.0.0.1}
ingester: {ring: {instance_addr: 127.0.0.1, kvstore: {store: inmemory}, replication_factor: 1, min_ready_duration: 0s, final_sleep: 0s}}
common: {storage: {backend: filesystem, filesystem: {dir: common}}}
blocks_storage: {storage_prefix: blocks, tsdb: {dir: tsdb}, bucket_store: {sync_dir: sync}}
%s`, tenants, port(addresses[0]), port(addresses[1]), port(addresses[2]), &rings))
	s := proc.Start(t, p, dir, "-config.file="+file, "-target=all")
	url := "http://" + addresses[0]
	s.Await(t, func() string { return url + "/ready" })
	return url
}

// mimirFolders are the rest of the blocks of some rings.
var mimirFolders = map[string]string{
	"alertmanager: {sharding_ring": ", data_dir: alerts}",
	"compactor: {sharding_ring":    ", data_dir: compact}",
	"ruler: {ring":                 ", rule_path: rules}",
}
