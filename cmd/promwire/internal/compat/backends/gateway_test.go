package backends

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/cli"
	"github.com/promwire/promwire/cmd/promwire/internal/compat/proc"
	"github.com/promwire/promwire/internal/same"
	"github.com/promwire/promwire/remote"
	"github.com/promwire/promwire/server"
)

// kinds are the names of engines for promwire serve --upstream.
var kinds = map[string]string{
	"prometheus": "prometheus", "victoria-metrics": "victoriametrics", "mimir": "mimir", "cortex": "cortex", "thanos": "thanos",
}

// gateway runs promwire serve before an engine, until end, which demands that nothing was refused. It returns its URL.
func gateway(t *testing.T, program string, in *instance) (address string, end func()) {
	t.Helper()
	var out, log output
	ctx, cancel := context.WithCancel(context.Background())
	code := make(chan int, 1)
	base := strings.TrimSuffix(in.api, "/prometheus")
	args := []string{
		"serve", "--listen", "127.0.0.1:0", "--data", filepath.Join(t.TempDir(), "data"),
		"--upstream", kinds[program] + "=" + base, "--upstream.write", in.write,
	}
	go func() { code <- cli.Run(ctx, args, cli.IO{Out: &out, Err: &log}) }()
	t.Cleanup(cancel)
	proc.WaitFor(t, "address of the gateway", func() bool { return relayURL.MatchString(out.String()) })
	return strings.TrimSuffix(relayURL.FindStringSubmatch(out.String())[1], server.WritePath), func() {
		t.Helper()
		cancel()
		if n := <-code; n != 0 || strings.Contains(log.String(), "request is refused") || strings.Contains(log.String(), "stays in the spool") {
			t.Errorf("the gateway ended with %d: %s", n, &log)
		}
	}
}

// TestGateway writes to a gateway before each engine, in both versions, and reads through it, in both kinds of answers, what
// the engine can hold, value by value; queries get the engine's answers.
func TestGateway(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f found) {
		in := f.run(t, f.Program)
		address, end := gateway(t, f.program, in)
		start := time.Now().Add(-time.Hour).UnixMilli()
		for _, message := range []promwire.MessageType{promwire.WriteV1, promwire.WriteV2} {
			road := string(message)
			req := everything(start, road, f.keeps)
			if f.program == "thanos" || f.keeps.histogram != "native" {
				req.Timeseries = slices.DeleteFunc(req.Timeseries, func(ts promwire.TimeSeries) bool { return len(ts.Histograms) > 0 })
			}
			c := client(t, address+server.WritePath, remote.WithMessageType(message))
			if stats, err := c.Write(t.Context(), req); err != nil || stats.Samples != req.Stats().Samples {
				t.Fatalf("%v, %v", stats, err)
			}
			awaitRead(t, address, f, in, road, expected(req, f))
			sameQuery(t, address, in.api, fmt.Sprintf(`{road=%q}`, road), start+3*step)
		}
		if f.program == "thanos" {
			checkThanosHistogram(t, address, start)
		}
		end()
	}, "prometheus", "victoria-metrics", "mimir", "cortex", "thanos")
}

// expected are the series of a request, as a reader yields them. Queries of Thanos show no stale markers.
func expected(req *promwire.WriteRequest, f found) []promwire.TimeSeries {
	var want []promwire.TimeSeries
	for _, ts := range req.Timeseries {
		ts = promwire.TimeSeries{Labels: ts.Labels, Samples: ts.Samples, Histograms: ts.Histograms}
		if f.program == "thanos" {
			ts.Samples = slices.DeleteFunc(slices.Clone(ts.Samples), func(s promwire.Sample) bool { return promwire.IsStaleNaN(s.Value) })
		}
		want = append(want, ts)
	}
	slices.SortFunc(want, func(a, b promwire.TimeSeries) int { return a.Labels.Compare(b.Labels) })
	return want
}

// awaitRead waits until a read through the gateway gives these series, in both kinds of answers.
func awaitRead(t *testing.T, address string, f found, in *instance, road string, want []promwire.TimeSeries) {
	t.Helper()
	for _, kind := range []promwire.ResponseType{promwire.ResponseSamples, promwire.ResponseStreamedXORChunks} {
		difference := ""
		defer func() {
			if t.Failed() {
				t.Logf("%v: %s", kind, difference)
			}
		}()
		proc.WaitFor(t, fmt.Sprintf("series of %s in %v", road, kind), func() bool {
			if f.program == "victoria-metrics" {
				get(t, in.api+"/internal/force_flush")
			}
			got, err := readThrough(t, address, fmt.Sprintf("{road=%q}", road), kind)
			if difference = same.All(got, want); err != nil {
				difference = err.Error()
			}
			return difference == ""
		})
	}
}

// readThrough reads all of a few hours, without the labels that a Thanos receiver adds.
func readThrough(t *testing.T, address, selector string, kind promwire.ResponseType, opts ...remote.ReadOption) ([]promwire.TimeSeries, error) {
	t.Helper()
	r, err := remote.NewReadClient(address+server.ReadPath, append(opts, remote.WithResponseTypes(kind))...)
	if err != nil {
		t.Fatal(err)
	}
	defer r.CloseIdleConnections()
	matchers, err := promwire.ParseSelector(selector)
	if err != nil {
		t.Fatal(err)
	}
	var out []promwire.TimeSeries
	q := promwire.Query{Start: time.Now().Add(-3 * time.Hour), End: time.Now().Add(time.Hour), Matchers: matchers}
	for ts, err := range promwire.JoinSeries(r.Read(t.Context(), q)) {
		if err != nil {
			return nil, err
		}
		ts = ts.Clone()
		ts.Labels = slices.DeleteFunc(ts.Labels, func(l promwire.Label) bool { return l.Name == "replica" || l.Name == "tenant_id" })
		out = append(out, ts)
	}
	return out, nil
}

// sameQuery asks the gateway and the engine, and compares the data of the answers.
func sameQuery(t *testing.T, address, api, query string, at int64) {
	t.Helper()
	args := url.Values{"query": {query}, "time": {strconv.FormatInt(at/1000, 10)}}
	var answers [2]struct {
		Status string
		Data   struct{ Result json.RawMessage }
	}
	for i, base := range []string{address, api} {
		decode(t, get(t, base+"/api/v1/query?"+args.Encode()), &answers[i])
	}
	a, b := string(answers[0].Data.Result), string(answers[1].Data.Result)
	if len(a) < 10 || len(a) != len(b) { // some engines have no order
		t.Errorf("%s through the gateway: %s\nwithout: %s", query, a, b)
	}
}

// checkThanosHistogram demands that a read that can't be whole fails.
func checkThanosHistogram(t *testing.T, address string, start int64) {
	t.Helper()
	c := client(t, address+server.WritePath)
	if _, err := c.Write(t.Context(), &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{{
		Labels: promwire.LabelsFromStrings("__name__", "native"), Histograms: []promwire.Histogram{histogram(start, 1)},
	}}}); err != nil {
		t.Fatal(err)
	}
	proc.WaitFor(t, "failure of the read", func() bool {
		_, err := readThrough(t, address, "native", promwire.ResponseSamples)
		return err != nil && strings.Contains(err.Error(), "native histograms can't be read through this engine")
	})
}

// TestGatewayReadByPrometheus has a Prometheus server read, over remote read, what is in engines that have none.
func TestGatewayReadByPrometheus(t *testing.T) {
	t.Parallel()
	reader := proc.Must(t, "prometheus")[0]
	each(t, func(t *testing.T, f found) {
		in := f.run(t, f.Program)
		address, end := gateway(t, f.program, in)
		s := source{client: client(t, address+server.WritePath), start: time.Now().Add(-time.Hour).UnixMilli()}
		s.write(t, 50)
		awaitRead(t, address, f, in, "load", s.all())
		prometheus := runPrometheusWith(t, reader, fmt.Sprintf("remote_read: [{url: %q, read_recent: true}]\n", address+server.ReadPath))
		got := prometheus.query(t, "road", "load")
		want := s.all()
		if len(got) != len(want) {
			t.Fatalf("%d series, want %d", len(got), len(want))
		}
		for i := range got {
			if got[i].Labels.Get("i") != want[i].Labels.Get("i") || !equal(got[i].Samples, want[i].Samples) {
				t.Errorf("%v, want %v", got[i], want[i])
			}
		}
		end()
	}, "victoria-metrics", "thanos")
}

// TestGatewayTenants writes and reads for two tenants through a gateway; each sees its own data only, and nobody else any.
func TestGatewayTenants(t *testing.T) {
	t.Parallel()
	for program, start := range map[string]func(*testing.T, proc.Program, bool) string{"mimir": startMimir, "cortex": startCortex} {
		t.Run(program, func(t *testing.T) {
			t.Parallel()
			for _, p := range proc.Must(t, program) {
				base := start(t, p, true)
				address, end := gateway(t, program, &instance{write: base + "/api/v1/push", api: base + "/prometheus"})
				now := time.Now().UnixMilli()
				for i, tenant := range []string{"a", "b"} {
					req := &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{{
						Labels: promwire.LabelsFromStrings("__name__", "owned"), Samples: floats(now, float64(i)),
					}}}
					if _, err := client(t, address+server.WritePath, remote.WithTenant(tenant)).Write(t.Context(), req); err != nil {
						t.Fatal(err)
					}
				}
				for i, tenant := range []string{"a", "b"} {
					want := floats(now, float64(i))
					proc.WaitFor(t, "data of tenant "+tenant, func() bool {
						got, err := readThrough(t, address, "owned", promwire.ResponseSamples, remote.WithTenant(tenant))
						return err == nil && len(got) == 1 && equal(got[0].Samples, want)
					})
					if got := prometheusAPI(address).queryFor(t, tenant, "__name__", "owned"); len(got) != 1 || !equal(got[0].Samples, want) {
						t.Errorf("a query of tenant %s gets %v", tenant, got)
					}
				}
				if got, err := readThrough(t, address, "owned", promwire.ResponseSamples); err == nil || !strings.Contains(err.Error(), "401") {
					t.Errorf("without a tenant: %v, %v", got, err)
				}
				end()
			}
		})
	}
}

// source writes one sample after the other to each of its series, at a gateway.
type source struct {
	client *remote.WriteClient
	start  int64
	acked  int
}

const sourceSeries = 20

func (s *source) labels(i int) promwire.Labels {
	return promwire.LabelsFromStrings("__name__", "gateway_load", "i", fmt.Sprint(100+i), "road", "load")
}

// write writes n times.
func (s *source) write(t *testing.T, n int) {
	t.Helper()
	for range n {
		req := &promwire.WriteRequest{}
		for i := range sourceSeries {
			req.Timeseries = append(req.Timeseries, promwire.TimeSeries{
				Labels: s.labels(i), Samples: []promwire.Sample{{Timestamp: s.start + int64(s.acked)*100, Value: float64(s.acked)}},
			})
		}
		if stats, err := s.client.Write(t.Context(), req); err != nil || stats.Samples != sourceSeries {
			t.Fatalf("%v, %v", stats, err)
		}
		s.acked++
	}
}

// all is what was acknowledged.
func (s *source) all() []promwire.TimeSeries {
	var out []promwire.TimeSeries
	for i := range sourceSeries {
		ts := promwire.TimeSeries{Labels: s.labels(i)}
		for n := range s.acked {
			ts.Samples = append(ts.Samples, promwire.Sample{Timestamp: s.start + int64(n)*100, Value: float64(n)})
		}
		out = append(out, ts)
	}
	return out
}

// TestGatewayEngineKilled kills an engine while data come, and starts it again: nothing that was acknowledged is lost, and
// nothing is there twice. VictoriaMetrics has what it acknowledged on disk some seconds later: it gets the time.
func TestGatewayEngineKilled(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f found) {
		in := f.run(t, f.Program)
		address, end := gateway(t, f.program, in)
		s := source{client: client(t, address+server.WritePath), start: time.Now().Add(-time.Hour).UnixMilli()}
		s.write(t, 100)
		if f.program == "victoria-metrics" {
			awaitRead(t, address, f, in, "load", s.all())
			get(t, in.api+"/snapshot/create")
		}
		in.process.Kill()
		s.write(t, 100)
		if _, err := readThrough(t, address, "gateway_load", promwire.ResponseSamples); err == nil || !strings.Contains(err.Error(), "503") {
			t.Errorf("a read without an engine: %v", err)
		}
		in.restart(t)
		s.write(t, 100)
		awaitRead(t, address, f, in, "load", s.all())
		end()
	}, "prometheus", "victoria-metrics")
}

// load writes until end is called, some hundred times a second.
func (s *source) load(t *testing.T) (end func()) {
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				s.write(t, 1)
			}
		}
	}()
	return func() {
		close(stop)
		<-done
	}
}

// TestGatewayRing kills two nodes of a ring of three under load, the second one when the first one is back: nothing that was
// acknowledged is lost, and queries and reads go on to be whole.
func TestGatewayRing(t *testing.T) {
	t.Parallel()
	for _, p := range proc.Must(t, "thanos") {
		t.Run(p.Version, func(t *testing.T) {
			t.Parallel()
			f := found{backend{program: "thanos"}, p}
			receivers, _ := runThanosRing(t, p, 3)
			in := &instance{write: receivers[0].write, api: thanosQuery(t, p, receivers)}
			address, end := gateway(t, "thanos", in)
			s := source{client: client(t, address+server.WritePath), start: time.Now().Add(-time.Hour).UnixMilli()}
			s.write(t, 200)
			endLoad := s.load(t)
			receivers[1].Kill()
			time.Sleep(2 * time.Second) // under load
			receivers[1].restart(t, p)
			time.Sleep(2 * time.Second)
			receivers[2].Kill()
			time.Sleep(2 * time.Second)
			endLoad()
			s.write(t, 200)
			t.Logf("%d requests acknowledged", s.acked)
			awaitRead(t, address, f, in, "load", s.all())
			var answer struct {
				Data struct {
					Result []struct{ Value [2]json.RawMessage }
				}
			}
			args := url.Values{"query": {`sum(count_over_time(gateway_load[2h]))`}}
			decode(t, get(t, address+"/api/v1/query?"+args.Encode()), &answer)
			if r := answer.Data.Result; len(r) != 1 || number(t, r[0].Value[1]) != float64(s.acked*sourceSeries) {
				t.Errorf("a query counts %v", r)
			}
			end()
		})
	}
}
