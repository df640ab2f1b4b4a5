package realserver

import (
	"math"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/tsdbstore"
	"github.com/promwire/promwire/server"
)

// oddValues are what gauges of the exporter have in a scrape.
func oddValues(scrape int) map[string]float64 {
	values := []float64{math.NaN(), math.Inf(1), math.Inf(-1), math.Copysign(0, -1), 0, 5e-324, -math.MaxFloat64}
	return map[string]float64{
		"first": values[scrape%len(values)], "second": values[(scrape+3)%len(values)],
	}
}

// TestSend lets Prometheus scrape, and send what it scrapes to our handlers. The store then has what Prometheus has.
func TestSend(t *testing.T) {
	each(t, func(t *testing.T, p program) {
		e := newExporter(t)
		receivers := map[promwire.MessageType]*receiver{promwire.WriteV1: newReceiver(t, tsdbstore.Options{})}
		config := e.scrape(p) + "remote_write:\n" + receivers[promwire.WriteV1].writeTo(promwire.WriteV1)
		if p.speaksV2() {
			receivers[promwire.WriteV2] = newReceiver(t, tsdbstore.Options{})
			config += receivers[promwire.WriteV2].writeTo(promwire.WriteV2)
		}
		s := start(t, p, config, p.features()...)
		self, err := url.Parse(s.url)
		if err != nil {
			t.Fatal(err)
		}
		e.self.Store(self)
		for message, r := range receivers {
			t.Run(string(message), func(t *testing.T) {
				for _, job := range []string{"exporter", "self"} {
					checkJob(t, s, r, job)
				}
				if message == promwire.WriteV1 {
					checkSentMetadata(t, s, r)
				} // In 2.0, 3.15 sends metadata only of what it has received itself: TestSendOn.
				want := []string{server.WritePath + " " + message.ContentType() + ": 204"}
				if got := r.exchanges(); !slices.Equal(got, want) {
					t.Errorf("requests and answers: %q, want %q", got, want)
				}
			})
		}
	})
}

// scrapesAwaited is how many scrapes of a job the comparison waits for. One series has left by then.
const scrapesAwaited = leaves + 4

// checkJob compares what the store has of a job with what Prometheus has: through its own API, and through remote read,
// which tells the stale markers too.
func checkJob(t *testing.T, s *instance, r *receiver, job string) {
	t.Helper()
	selector := `{job="` + job + `"}`
	first, last := awaitScrapes(t, r, job)
	got := collect(t, r.store, between(t, first, last, selector))
	want := withoutMinusZero(collect(t, readClient(t, s.readURL()), between(t, first, last, selector)))
	checkEqual(t, selector, got, want)
	byLabels := map[string]series{}
	for _, shown := range s.query(t, selector+"[10m]", last) {
		byLabels[shown.Labels.String()] = shown
	}
	if len(byLabels) != len(got) || len(got) < 20 {
		t.Errorf("%s: the store has %d series, the API shows %d", selector, len(got), len(byLabels))
	}
	for _, ts := range got {
		checkSame(t, ts, byLabels[ts.Labels.String()], first)
	}
	if job == "exporter" {
		checkLeft(t, got)
		checkSentExemplars(t, s, r, first, last)
	}
}

// awaitScrapes waits until the store has some scrapes of a job, and returns the times of the first and the last but one:
// what Prometheus has got with that one has all arrived.
func awaitScrapes(t *testing.T, r *receiver, job string) (first, last int64) {
	t.Helper()
	var up []promwire.Sample
	waitFor(t, "scrapes of "+job, func() bool {
		up = nil
		for _, ts := range collect(t, r.store, between(t, 0, time.Now().UnixMilli(), `up{job="`+job+`"}`)) {
			up = slices.DeleteFunc(ts.Samples, func(s promwire.Sample) bool { return s.Value != 1 })
		}
		return len(up) > scrapesAwaited
	})
	return up[0].Timestamp, up[len(up)-2].Timestamp
}

// checkSame compares a series of the store with what the API shows of it from a time on.
func checkSame(t *testing.T, got promwire.TimeSeries, shownAll series, first int64) {
	t.Helper()
	var values []promwire.Sample
	for _, s := range got.Samples {
		if !promwire.IsStaleNaN(s.Value) {
			values = append(values, s)
		}
	}
	want := slices.DeleteFunc(shownAll.Samples, func(s promwire.Sample) bool { return s.Timestamp < first })
	if !slices.EqualFunc(values, want, func(a, b promwire.Sample) bool {
		return a.Timestamp == b.Timestamp && (a.Value == b.Value || math.IsNaN(a.Value) && math.IsNaN(b.Value))
	}) {
		t.Errorf("%s: the store has %v, the API shows %v", got.Labels, values, want)
	}
	var histograms []apiHistogram
	for _, h := range got.Histograms {
		if !promwire.IsStaleNaN(h.Sum) {
			histograms = append(histograms, shown(h))
		}
	}
	wanted := slices.DeleteFunc(shownAll.Histograms, func(h apiHistogram) bool { return h.Timestamp < first })
	if !slices.EqualFunc(histograms, wanted, sameShown) {
		t.Errorf("%s: the store has %+v, the API shows %+v", got.Labels, histograms, wanted)
	}
}

// checkLeft looks for the stale marker of the series that has left, and for all kinds of data.
func checkLeft(t *testing.T, got []promwire.TimeSeries) {
	t.Helper()
	left, natives, nans := 0, 0, 0
	for _, ts := range got {
		if n := len(ts.Samples); ts.Labels.Get("city") == "Köln" && n > 1 && promwire.IsStaleNaN(ts.Samples[n-1].Value) {
			left++
		}
		if ts.Labels.Get("__name__") == "exporter_native_seconds" && len(ts.Histograms) > 1 {
			natives++
		}
		if strings.HasPrefix(ts.Labels.Get("__name__"), "exporter_summary_seconds") && math.IsNaN(ts.Samples[0].Value) {
			nans++
		}
	}
	if left != 1 || natives != 1 || nans != 1 {
		t.Errorf("got %d series that left, %d native histograms, %d summaries that are NaN; want one of each", left, natives, nans)
	}
}

// checkSentExemplars compares exemplars, in order of time.
func checkSentExemplars(t *testing.T, s *instance, r *receiver, first, last int64) {
	t.Helper()
	got, want := r.exemplars(first, last), s.exemplars(t, `{job="exporter"}`, first, last)
	if len(got) != len(want) || len(got) < 4 {
		t.Errorf("got exemplars of %d series, want %d", len(got), len(want))
	}
	for name, es := range want {
		if !slices.EqualFunc(got[name], es, func(a, b promwire.Exemplar) bool {
			return a.Labels.Equal(b.Labels) && a.Value == b.Value && a.Timestamp == b.Timestamp
		}) {
			t.Errorf("%s: got exemplars %v, want %v", name, got[name], es)
		}
	}
}

// checkSentMetadata compares types, help and units with what Prometheus knows of what it scrapes.
func checkSentMetadata(t *testing.T, s *instance, r *receiver) {
	t.Helper()
	var known map[string][]struct{ Type, Help, Unit string }
	s.get(t, "/api/v1/metadata", nil, &known)
	types := []string{"unknown", "counter", "gauge", "histogram", "gaugehistogram", "summary", "info", "stateset"}
	if len(known) < 50 || known["exporter_native_seconds"] == nil {
		t.Fatalf("Prometheus knows metadata of %d families", len(known))
	}
	for name, m := range known {

		want := promwire.Metadata{Type: promwire.MetricType(slices.Index(types, m[0].Type)), Help: m[0].Help, Unit: m[0].Unit}
		var got promwire.Metadata
		waitFor(t, "metadata of "+name, func() (ok bool) { got, ok = r.store.Family(name); return ok })
		if got != want {
			t.Errorf("%s: got %+v, want %+v", name, got, want)
		}
	}
}

// TestSendOn writes to Prometheus, which sends it on to our handlers: every kind of data arrives as it began.
func TestSendOn(t *testing.T) {
	each(t, func(t *testing.T, p program) {
		message, flags := promwire.WriteV1, p.features()
		if p.speaksV2() {
			message, flags = promwire.WriteV2, p.features("metadata-wal-records")
		}
		r := newReceiver(t, tsdbstore.Options{})
		s := start(t, p, "remote_write:\n"+r.writeTo(message), flags...)
		now := time.Now().UnixMilli()
		req := everything(now, kind{utf8Names: p.major >= 3, customBuckets: p.speaksV2()})
		mustWrite(t, writeClient(t, s.writeURL()), req)
		slices.SortFunc(req.Timeseries, func(a, b promwire.TimeSeries) int { return a.Labels.Compare(b.Labels) })
		q := between(t, 0, now+10*step, `{__name__!=""}`)
		waitFor(t, "everything to be sent on", func() bool {
			n := 0
			for _, ts := range collect(t, r.store, q) {
				n += len(ts.Samples) + len(ts.Histograms)
			}
			return n == req.Stats().Samples+req.Stats().Histograms
		})
		checkEqual(t, "sent on", collect(t, r.store, q), withoutMinusZero(req.Timeseries))
		for _, ts := range req.Timeseries {
			family := promwire.FamilyName(ts.Labels.Get(promwire.MetricName), ts.Metadata.Type)
			if got, _ := r.store.Family(family); p.speaksV2() && ts.Metadata != (promwire.Metadata{}) && got != ts.Metadata {
				t.Errorf("%s: got %+v, want %+v", ts.Labels, got, ts.Metadata)
			}
		}
	})
}

// TestSendStartTimestamps: what Prometheus scrapes with a start timestamp keeps it, to our handler in 2.0 and to our
// client in the chunks that it reads.
func TestSendStartTimestamps(t *testing.T) {
	each(t, func(t *testing.T, p program) {
		if !p.speaksV2() {
			return
		}
		before := time.Now().UnixMilli()
		e := newExporter(t)
		r := newReceiver(t, tsdbstore.Options{StartTimestamps: true})
		s := start(t, p, e.scrape(p)+"remote_write:\n"+r.writeTo(promwire.WriteV2), p.features("st-storage")...)
		first, last := awaitScrapes(t, r, "exporter")
		q := between(t, first, last, `{__name__=~"exporter_.*"}`)
		got := collect(t, r.store, q)
		checkEqual(t, "sent", got, withoutMinusZero(collect(t, readClient(t, s.readURL()), q)))
		for _, ts := range got {
			var starts []int64
			for _, s := range ts.Samples {
				starts = append(starts, s.StartTimestamp)
			}
			for _, h := range ts.Histograms {
				starts = append(starts, h.StartTimestamp)
			}
			name := ts.Labels.Get(promwire.MetricName)
			cumulative := strings.HasPrefix(name, "exporter_requests") || strings.HasPrefix(name, "exporter_classic") ||
				strings.HasPrefix(name, "exporter_native") || strings.HasPrefix(name, "exporter_summary")
			if has := starts[0] >= before && starts[0] < last; has != cumulative || slices.Max(starts) != starts[0] {
				t.Errorf("%s: got start timestamps %v", ts.Labels, starts)
			}
		}
	})
}
