package backends

import (
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/compat/proc"
	"github.com/promwire/promwire/remote"
)

// thanosAPI is the URL of a Thanos Query.
type thanosAPI string

// query leaves the labels out that a receiver adds. Several receivers have a series of the same labels each, then.
func (a thanosAPI) query(t *testing.T, name, value string) []stored {
	t.Helper()
	all := prometheusAPI(a).query(t, name, value)
	for i := range all {
		all[i].Labels = slices.DeleteFunc(all[i].Labels, func(l promwire.Label) bool {
			return l.Name == "replica" || l.Name == "tenant_id" && l.Value == "default-tenant"
		})
	}
	return all
}

// runThanos runs a receiver, and a querier before it.
func runThanos(t *testing.T, p proc.Program) *instance {
	receivers, query := runThanosRing(t, p, 1)
	return &instance{write: receivers[0].write, api: thanosQuery(t, p, receivers), query: query}
}

// thanosReceiver is a node of a ring.
type thanosReceiver struct {
	*proc.Process
	write string // the URL to write to
	store string // the address of its data
	ready string // the URL that says that it is ready
}

// restart runs a node again that was killed, with its data.
func (r *thanosReceiver) restart(t *testing.T, p proc.Program) {
	t.Helper()
	r.Process = proc.Start(t, p, t.TempDir(), r.Args...)
	r.Await(t, func() string { return r.ready })
}

// runThanosRing runs n receivers, each of which has all data, and a querier before them. All have some data then: a querier
// looks every 5 s only from which time on a receiver has any, and takes no others.
func runThanosRing(t *testing.T, p proc.Program, n int) ([]thanosReceiver, func(t *testing.T, name, value string) []stored) {
	t.Helper()
	const ports = 4
	addresses, dir := proc.FreePorts(t, ports*n+2), t.TempDir()
	ring := ""
	for i := range n {
		ring += fmt.Sprintf(`,{"address": %q, "capnproto_address": %q}`, addresses[ports*i], addresses[ports*i+1])
	}
	grace := []string{"--http-grace-period=1s", "--grpc-grace-period=1s"}
	query := append([]string{"query", "--grpc-address=" + addresses[ports*n], "--http-address=" + addresses[ports*n+1]}, grace...)
	var receivers []thanosReceiver
	for i := range n {
		at := addresses[ports*i:]
		args := append([]string{
			"receive", "--grpc-address=" + at[0], "--receive.capnproto-address=" + at[1], "--http-address=" + at[2], "--remote-write.address=" + at[3],
			fmt.Sprintf("--label=replica=\"%d\"", i), "--tsdb.path=" + filepath.Join(dir, fmt.Sprint(i)), "--receive.local-endpoint=" + at[0],
			`--receive.hashrings=[{"endpoints": [` + ring[1:] + `]}]`, fmt.Sprintf("--receive.replication-factor=%d", n),
		}, grace...)
		s := proc.Start(t, p, dir, args...)
		receivers = append(receivers, thanosReceiver{s, "http://" + at[3] + "/api/v1/receive", at[0], "http://" + at[2] + "/-/ready"})
		query = append(query, "--endpoint="+at[0])
	}
	for _, r := range receivers {
		r.Await(t, func() string { return r.ready })
	}
	now := time.Now().UnixMilli()
	c := client(t, receivers[0].write, remote.WithMessageType(promwire.WriteV1))
	for _, at := range []int64{now - hour*5/2, now} { // as old as any that a test reads back, and as new
		first := promwire.TimeSeries{Labels: promwire.LabelsFromStrings(promwire.MetricName, "there", "ring", "all"), Samples: []promwire.Sample{{Timestamp: at}}}
		if _, err := c.Write(t.Context(), &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{first}}); err != nil {
			t.Fatal(err)
		}
	}
	q, url := proc.Start(t, p, dir, query...), "http://"+addresses[ports*n+1]
	q.Await(t, func() string { return url + "/-/ready" })
	proc.WaitFor(t, "data of every receiver", func() bool { return len(prometheusAPI(url).query(t, "ring", "all")) == n })
	return receivers, thanosAPI(url).query
}

// thanosQuery runs a querier that shows what is on several receivers once, and returns its URL.
func thanosQuery(t *testing.T, p proc.Program, receivers []thanosReceiver) string {
	t.Helper()
	addresses := proc.FreePorts(t, 2)
	args := []string{
		"query", "--grpc-address=" + addresses[0], "--http-address=" + addresses[1], "--http-grace-period=1s", "--grpc-grace-period=1s",
		"--query.replica-label=replica", "--deduplication.func=chain",
	}
	for _, r := range receivers {
		args = append(args, "--endpoint="+r.store)
	}
	s, url := proc.Start(t, p, t.TempDir(), args...), "http://"+addresses[1]
	s.Await(t, func() string { return url + "/-/ready" })
	return url
}

// TestThanosTenant writes for a tenant, by the header that Thanos has for it.
func TestThanosTenant(t *testing.T) {
	t.Parallel()
	for _, p := range proc.Must(t, "thanos") {
		t.Run(p.Version, func(t *testing.T) {
			t.Parallel()
			receivers, query := runThanosRing(t, p, 1)
			now := time.Now().UnixMilli()
			req := &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{{
				Labels: promwire.LabelsFromStrings(promwire.MetricName, "owned"), Samples: floats(now, 1),
			}}}
			if _, err := client(t, receivers[0].write, remote.WithHeader("THANOS-TENANT", "a")).Write(t.Context(), req); err != nil {
				t.Fatal(err)
			}
			proc.WaitFor(t, "data of the tenant", func() bool {
				got := query(t, promwire.MetricName, "owned")
				return len(got) == 1 && got[0].Labels.Get("tenant_id") == "a" && equal(got[0].Samples, floats(now, 1))
			})
		})
	}
}

// TestThanosRing writes to a ring of three that keeps each sample thrice. Without one node, writes go on; without two, the
// ring answers 503, and a client repeats the request until its time is up.
func TestThanosRing(t *testing.T) {
	t.Parallel()
	for _, p := range proc.Must(t, "thanos") {
		t.Run(p.Version, func(t *testing.T) {
			t.Parallel()
			receivers, query := runThanosRing(t, p, 3)
			now, refused := time.Now().UnixMilli(), &refusals{seen: make(chan struct{})}
			c := client(t, receivers[0].write, remote.WithHTTPClient(&http.Client{Transport: refused}),
				remote.WithRetry(remote.RetryOptions{MaxAttempts: -1, MaxElapsed: proc.Patience}))
			put := func(ring string) error {
				_, err := c.Write(t.Context(), &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{{
					Labels: promwire.LabelsFromStrings(promwire.MetricName, "ring_value", "ring", ring), Samples: floats(now, 1),
				}}})
				return err
			}
			have := func(ring string, copies int) {
				t.Helper()
				proc.WaitFor(t, fmt.Sprintf("%d copies of what was written to %s", copies, ring), func() bool {
					all := query(t, "ring", ring)
					for _, s := range all {
						if !equal(s.Samples, floats(now, 1)) {
							t.Fatalf("%s: stored %v", ring, s)
						}
					}
					return len(all) >= copies // a write is answered when two nodes have it
				})
			}
			if err := put("three"); err != nil {
				t.Fatal(err)
			}
			have("three", 3)
			receivers[2].Stop(t)
			if err := put("two"); err != nil || refused.n.Load() != 0 {
				t.Fatalf("%v, after %d times 503", err, refused.n.Load())
			}
			have("two", 2)
			receivers[1].Stop(t)
			done := make(chan error, 1)
			go func() { done <- put("one") }()
			select {
			case <-refused.seen:
			case err := <-done:
				t.Fatalf("one node of three took it: %v", err)
			}
			receivers[2].restart(t, p)
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			have("one", 2)
		})
	}
}

// refusals counts answers of 503, and closes seen with the first.
type refusals struct {
	n    atomic.Int64
	seen chan struct{}
}

func (r *refusals) RoundTrip(q *http.Request) (*http.Response, error) {
	resp, err := http.DefaultTransport.RoundTrip(q)
	if err == nil && resp.StatusCode == http.StatusServiceUnavailable && r.n.Add(1) == 1 {
		close(r.seen)
	}
	return resp, err
}
