package realserver

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/examples/billing/billing"
	"github.com/promwire/promwire/remote"
)

// noConfig is a configuration without anything to scrape.
const noConfig = "global: {}\n"

// mode is a way to configure a write client.
type mode struct {
	name string
	opts []remote.WriteOption
	// message is what the client is to speak after the first request.
	message promwire.MessageType
}

// modes are those that work with p.
func modes(p program) []mode {
	v1 := mode{"pinned 1.0", []remote.WriteOption{remote.WithMessageType(promwire.WriteV1)}, promwire.WriteV1}
	v2 := mode{"pinned 2.0", []remote.WriteOption{remote.WithMessageType(promwire.WriteV2)}, promwire.WriteV2}
	if !p.speaksV2() {
		return []mode{v1, {"negotiated", nil, promwire.WriteV1}}
	}
	return []mode{v1, v2, {"negotiated", nil, promwire.WriteV2}}
}

func writeClient(t *testing.T, url string, opts ...remote.WriteOption) *remote.WriteClient {
	t.Helper()
	c, err := remote.NewWriteClient(url, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

// mustWrite writes req and expects all of it to be accepted.
func mustWrite(t *testing.T, w promwire.Writer, req *promwire.WriteRequest) {
	t.Helper()
	stats, err := w.Write(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	if want := req.Stats(); stats != want {
		t.Fatalf("wrote %+v, want %+v", stats, want)
	}
}

// TestWrite writes every kind of data and looks at it through the server's own API.
func TestWrite(t *testing.T) {
	each(t, func(t *testing.T, p program) {
		for _, m := range modes(p) {
			t.Run(m.name, func(t *testing.T) {
				s := start(t, p, noConfig, p.features()...)
				now := time.Now().UnixMilli()
				req := everything(now-4*step, kind{utf8Names: p.major >= 3, customBuckets: m.message == promwire.WriteV2})
				c := writeClient(t, s.writeURL(), m.opts...)
				mustWrite(t, c, req)
				if got := c.MessageType(); got != m.message {
					t.Errorf("the client speaks %s, want %s", got, m.message)
				}
				for _, ts := range req.Timeseries {
					checkShown(t, s, ts, now)
				}
				checkExemplars(t, s, req, now, m.message)
				checkInstants(t, s, now-4*step)
				if got := s.query(t, `count({__name__!=""})`, now-4*step); got[0].Samples[0].Value != float64(len(req.Timeseries)) {
					t.Errorf("got %v series, want %d", got[0].Samples[0].Value, len(req.Timeseries))
				}
			})
		}
	})
}

func checkExemplars(t *testing.T, s *instance, req *promwire.WriteRequest, now int64, message promwire.MessageType) {
	t.Helper()
	for _, ts := range req.Timeseries {
		if message == promwire.WriteV1 && len(ts.Histograms) > 0 {
			// For 1.0, Prometheus looks for the series of an exemplar before it makes one for the histogram: the exemplars
			// that come with the first histogram of a series are dropped.
			ts.Exemplars = nil
		}
		got := s.exemplars(t, promwire.FormatSelector(equal(ts.Labels)), now-10*step, now)[ts.Labels.String()]
		if !slices.EqualFunc(got, ts.Exemplars, func(a, b promwire.Exemplar) bool {
			return a.Labels.Equal(b.Labels) && a.Value == b.Value && a.Timestamp == b.Timestamp
		}) {
			t.Errorf("%s: got exemplars %v, want %v", ts.Labels, got, ts.Exemplars)
		}
	}
}

// checkInstants looks at what depends on stale markers and on the time of each sample.
func checkInstants(t *testing.T, s *instance, first int64) {
	t.Helper()
	for _, test := range []struct {
		expr string
		at   int64
		want []float64
	}{
		{"compat_gone", first, []float64{1}},
		{"compat_gone", first + 2*step - 1, []float64{2}},
		{"compat_gone", first + 2*step, nil},
		{`histogram_count(compat_native{form="stale"})`, first + step - 1, []float64{13}},
		{`histogram_count(compat_native{form="stale"})`, first + step, nil},
		{`compat_values{of="range"}`, first, []float64{5e-324}},
		{`compat_values{of="range"}`, first + 3*step, []float64{0.30000000000000004}},
	} {
		var got []float64
		for _, r := range s.query(t, test.expr, test.at) {
			got = append(got, r.Samples[0].Value)
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s at start%+d: got %v, want %v", test.expr, test.at-first, got, test.want)
		}
	}
	got := s.queryRange(t, "compat_requests_total", first, first+3*step, step/2)
	want := []float64{1, 1, 85, 85, 85.5, 85.5, 1e15}
	if len(got) != 1 || len(got[0].Samples) != len(want) {
		t.Fatalf("query_range: got %+v, want %v", got, want)
	}
	for i, v := range got[0].Samples {
		if v.Timestamp != first+int64(i)*step/2 || v.Value != want[i] {
			t.Errorf("query_range: got %+v, want %v", v, want[i])
		}
	}
}

// TestWriteToOldServer: a 1.0 receiver answers 204 to 2.0 and stores nothing. A pinned client says so; a client that
// may choose notices, and nothing is lost.
func TestWriteToOldServer(t *testing.T) {
	each(t, func(t *testing.T, p program) {
		if p.speaksV2() {
			return
		}
		s := start(t, p, noConfig, p.features()...)
		now := time.Now().UnixMilli()
		req := everything(now-4*step, kind{})
		pinned := writeClient(t, s.writeURL(), remote.WithMessageType(promwire.WriteV2))
		stats, err := pinned.Write(t.Context(), req)
		if !errors.Is(err, promwire.ErrUnsupported) || stats != (promwire.WriteStats{}) ||
			!strings.Contains(err.Error(), "has written nothing") || !strings.Contains(err.Error(), "204") {
			t.Errorf("pinned 2.0: got %+v, %v", stats, err)
		}
		if got := s.query(t, `{__name__!=""}`, now); got != nil {
			t.Errorf("pinned 2.0: stored %v", got)
		}
		c := writeClient(t, s.writeURL())
		if got := c.MessageType(); got != promwire.WriteV2 {
			t.Errorf("a new client begins with %s", got)
		}
		for i := range int64(3) { // the first finds out, the others know
			mustWrite(t, c, &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{{
				Labels:  promwire.LabelsFromStrings("__name__", "compat_each"),
				Samples: []promwire.Sample{{Timestamp: now - 3 + i, Value: float64(i)}},
			}}})
			if got := c.MessageType(); got != promwire.WriteV1 {
				t.Errorf("after %d requests the client speaks %s", i+1, got)
			}
		}
		got := s.query(t, "compat_each[1m]", now)
		if len(got) != 1 || len(got[0].Samples) != 3 || got[0].Samples[2].Value != 2 {
			t.Errorf("got %+v, want 0, 1, 2", got)
		}
	})
}

// TestWriteCustomBuckets: native histograms with custom buckets have no form in 1.0. They are refused by name and the
// rest goes out, also when the client finds only with this request that the receiver wants 1.0.
func TestWriteCustomBuckets(t *testing.T) {
	each(t, func(t *testing.T, p program) {
		s := start(t, p, noConfig, p.features()...)
		now := time.Now().UnixMilli()
		for _, m := range modes(p) {
			if m.message == promwire.WriteV2 {
				continue // TestWrite has them
			}
			name := "compat_" + strings.ReplaceAll(m.name, " ", "_")
			req := &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{
				{Labels: promwire.LabelsFromStrings("__name__", name+" custom"), Histograms: []promwire.Histogram{customHistogram(now, 1)}},
				{Labels: promwire.LabelsFromStrings("__name__", name), Samples: floats(now, 7)},
			}}
			_, err := writeClient(t, s.writeURL(), m.opts...).Write(t.Context(), req)
			var partial *promwire.PartialWriteError
			if !errors.As(err, &partial) || partial.Written != (promwire.WriteStats{Samples: 1}) || len(partial.Refused) != 1 ||
				partial.Refused[0].Series != 0 || !errors.Is(partial.Refused[0].Reason, promwire.ErrInvalidHistogram) {
				t.Errorf("%s: got %v", m.name, err)
			}
			if got := s.query(t, `{__name__=~"`+name+`.*"}`, now); len(got) != 1 || got[0].Samples[0].Value != 7 {
				t.Errorf("%s: stored %+v", m.name, got)
			}
		}
	})
}

// TestWriteAcceptedMessages: a receiver may be told which messages to take, and answers 415 to the other.
func TestWriteAcceptedMessages(t *testing.T) {
	each(t, func(t *testing.T, p program) {
		if !p.speaksV2() {
			return
		}
		for _, accepted := range []promwire.MessageType{promwire.WriteV1, promwire.WriteV2} {
			t.Run(string(accepted), func(t *testing.T) {
				s := start(t, p, noConfig, "--web.remote-write-receiver.accepted-protobuf-messages="+string(accepted))
				now := time.Now().UnixMilli()
				for i, pinned := range []promwire.MessageType{promwire.WriteV1, promwire.WriteV2} {
					req := &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{
						{Labels: promwire.LabelsFromStrings("__name__", "compat_pinned"), Samples: floats(now+int64(i), 1)},
					}}
					_, err := writeClient(t, s.writeURL(), remote.WithMessageType(pinned)).Write(t.Context(), req)
					var answer *promwire.HTTPError
					if refused := errors.As(err, &answer) && answer.StatusCode == http.StatusUnsupportedMediaType; refused != (pinned != accepted) {
						t.Errorf("pinned %s: %v", pinned, err)
					}
				}
				c := writeClient(t, s.writeURL())
				for i := range int64(2) {
					mustWrite(t, c, &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{
						{Labels: promwire.LabelsFromStrings("__name__", "compat_free"), Samples: floats(now+i, float64(i))},
					}})
					if got := c.MessageType(); got != accepted {
						t.Errorf("the client speaks %s", got)
					}
				}
				if got := s.query(t, "compat_free[1m]", now+1); len(got) != 1 || len(got[0].Samples) != 2 {
					t.Errorf("stored %+v", got)
				}
			})
		}
	})
}

// TestWriteStartTimestamps: told so, the server makes a zero at the start of a counter or histogram. 1.0 has no start
// timestamps.
func TestWriteStartTimestamps(t *testing.T) {
	each(t, func(t *testing.T, p program) {
		if !p.speaksV2() {
			return
		}
		for _, m := range modes(p) {
			s := start(t, p, noConfig, p.features("created-timestamp-zero-ingestion")...)
			now := time.Now().UnixMilli()
			counter := promwire.TimeSeries{
				Labels:  promwire.LabelsFromStrings("__name__", "compat_created_total"),
				Samples: []promwire.Sample{{Timestamp: now, StartTimestamp: now - 1000, Value: 7}},
			}
			native := promwire.TimeSeries{
				Labels:     promwire.LabelsFromStrings("__name__", "compat_created_native"),
				Histograms: []promwire.Histogram{intHistogram(now, 1)},
			}
			native.Histograms[0].StartTimestamp = now - 2000
			mustWrite(t, writeClient(t, s.writeURL(), m.opts...), &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{counter, native}})
			if m.message == promwire.WriteV2 {
				counter.Samples = slices.Insert(counter.Samples, 0, promwire.Sample{Timestamp: now - 1000})
				native.Histograms = slices.Insert(native.Histograms, 0, promwire.Histogram{Timestamp: now - 2000})
			}
			checkShown(t, s, counter, now)
			checkShown(t, s, native, now)
		}
	})
}

// TestBilling runs the billing example against the server.
func TestBilling(t *testing.T) {
	each(t, func(t *testing.T, p program) {
		for _, m := range modes(p) {
			t.Run(m.name, func(t *testing.T) {
				s := start(t, p, noConfig, p.features()...)
				now := time.Now().Truncate(time.Millisecond)
				if err := billing.Run(t.Context(), writeClient(t, s.writeURL(), m.opts...), now); err != nil {
					t.Fatal(err)
				}
				for expr, want := range map[string]float64{
					`billing_orders_total`:                  85,
					`billing_queue_depth{queue="payments"}`: 36,
					`billing_queue_depth{queue="refunds"}`:  5,
					`billing_queue_depth{queue="dlq"}`:      0,
					`sum(billing_queue_depth)`:              41,
					`count({__name__=~"billing_.+"})`:       1 + 3 + 2*8,
					// Of the three jobs of each worker: the median, and how many took up to 2.5 s.
					`histogram_quantile(0.5, billing_job_duration_seconds_bucket{worker="billing-worker-01"})`: 1.75,
					`sum(billing_job_duration_seconds_bucket{le="2.5"})`:                                       4,
				} {
					if got := s.query(t, expr, now.UnixMilli()); len(got) != 1 || got[0].Samples[0].Value != want {
						t.Errorf("%s: got %+v, want %v", expr, got, want)
					}
				}
				checkJobs(t, s, now.UnixMilli(), "billing-worker-01", [][3]float64{
					{0, 0, 0}, {1, 1, 1}, {1, 2, 2}, {1, 2, 2}, {1, 2, 3}, {1, 2, 3}, {1, 2, 3}, {0.6, 2.8000000000000003, 12.8},
				})
				checkJobs(t, s, now.UnixMilli(), "billing-worker-02", [][3]float64{
					{1, 1, 1}, {1, 1, 1}, {1, 2, 2}, {1, 2, 2}, {1, 2, 3}, {1, 2, 3}, {1, 2, 3}, {0.3, 1.5, 10.4},
				})
			})
		}
	})
}

// checkJobs compares a worker's histogram two minutes ago, one minute ago and now: buckets by bound, count, sum.
func checkJobs(t *testing.T, s *instance, now int64, worker string, want [][3]float64) {
	t.Helper()
	const name = "billing_job_duration_seconds"
	var labels []promwire.Labels
	for _, le := range []float64{0.5, 1, 2.5, 5, 10} {
		labels = append(labels, promwire.LabelsFromStrings("__name__", name+"_bucket", "worker", worker, "le", promwire.FormatLe(le)))
	}
	labels = append(labels,
		promwire.LabelsFromStrings("__name__", name+"_bucket", "worker", worker, "le", "+Inf"),
		promwire.LabelsFromStrings("__name__", name+"_count", "worker", worker),
		promwire.LabelsFromStrings("__name__", name+"_sum", "worker", worker))
	for i, ls := range labels {
		ts := promwire.TimeSeries{Labels: ls}
		for j, v := range want[i] {
			ts.Samples = append(ts.Samples, promwire.Sample{Timestamp: now + int64(j-2)*60_000, Value: v})
		}
		checkShown(t, s, ts, now)
	}
}
