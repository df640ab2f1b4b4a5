package realserver

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/promwire/promwire"
)

// outcome is what a write comes to: what the client returns, and how many samples and histograms are there then, those
// before the request included.
type outcome struct {
	written promwire.WriteStats
	err     failure
	stored  int
}

// failure is a kind of error of a write.
type failure string

const (
	none      failure = ""
	broken    failure = "HTTPError with status 500"                              // as if it were worth a retry
	refused   failure = "HTTPError with status 400"                              // nothing is written
	partial   failure = "PartialWriteError with status 400"                      // the counts say what is
	shortfall failure = "PartialWriteError without a status that says so itself" // 2xx, and lower counts than sent
)

func failureOf(err error) failure {
	var partly *promwire.PartialWriteError
	var answer *promwire.HTTPError
	bad := errors.As(err, &answer) && answer.StatusCode == http.StatusBadRequest && answer.Body != ""
	switch {
	case err == nil:
		return none
	case errors.As(err, &partly) && bad:
		return partial
	case errors.As(err, &partly) && answer == nil:
		return shortfall
	case bad:
		return refused
	case errors.As(err, &answer) && answer.StatusCode == http.StatusInternalServerError:
		return broken
	}
	return failure(err.Error())
}

func samples(n int) promwire.WriteStats { return promwire.WriteStats{Samples: n} }

// refusedCases are requests that are bad in part. Each has a good sample, of the series "good", as well.
//
// Prometheus takes 1.0 as a whole or not at all, but for series whose labels are invalid, which it skips without a word
// (2.42 stores some of them): the client can't know. In 2.0 it stores what is good and says how much that was.
var refusedCases = []struct {
	name   string
	before []promwire.TimeSeries // written before
	series []promwire.TimeSeries // besides the good one
	v1, v2 outcome
	old    outcome // 1.0 on Prometheus 2.42, if it differs from v1
	window outcome // 2.0 with an out-of-order window of 30 minutes, if it differs from v2
}{
	{
		name: "nothing bad",
		v1:   outcome{samples(1), none, 1}, v2: outcome{samples(1), none, 1},
	},
	{
		name:   "same sample again",
		before: one(0, 1), series: one(0, 1),
		v1: outcome{samples(2), none, 2}, v2: outcome{samples(2), none, 2},
	},
	{
		name:   "another value for a time",
		before: one(0, 1), series: one(0, 2),
		v1: outcome{samples(0), refused, 1}, v2: outcome{samples(1), partial, 2},
		window: outcome{samples(1), partial, 2},
	},
	{
		name:   "out of order",
		before: one(0, 1), series: one(-60_000, 2),
		v1: outcome{samples(0), refused, 1}, v2: outcome{samples(1), partial, 2},
		window: outcome{samples(2), none, 3},
	},
	{
		name:   "two hours old",
		series: one(-2*3_600_000, 2),
		v1:     outcome{samples(0), refused, 0}, v2: outcome{samples(1), partial, 1},
	},
	{
		name:   "no metric name",
		series: []promwire.TimeSeries{{Labels: promwire.Labels{{Name: "a", Value: "b"}}, Samples: at(0, 1)}},
		v1:     outcome{samples(2), none, 1}, v2: outcome{samples(1), partial, 1}, old: outcome{samples(2), none, 2},
	},
	{
		name: "label twice",
		series: []promwire.TimeSeries{{
			Labels: promwire.Labels{{Name: "__name__", Value: "bad"}, {Name: "a", Value: "1"}, {Name: "a", Value: "2"}}, Samples: at(0, 1),
		}},
		v1: outcome{samples(2), none, 1}, v2: outcome{samples(1), partial, 1}, old: outcome{samples(0), broken, 0},
	},
	{
		name:   "invalid UTF-8",
		series: []promwire.TimeSeries{{Labels: promwire.Labels{{Name: "__name__", Value: "bad"}, {Name: "a", Value: "\xff"}}, Samples: at(0, 1)}},
		v1:     outcome{samples(2), none, 1}, v2: outcome{samples(1), partial, 1}, old: outcome{samples(2), none, 2},
	},
	{
		name:   "no samples",
		series: []promwire.TimeSeries{{Labels: promwire.Labels{{Name: "__name__", Value: "bad"}}}},
		v1:     outcome{samples(1), none, 1}, v2: outcome{samples(1), partial, 1},
	},
	{
		name:   "unsorted labels",
		series: []promwire.TimeSeries{{Labels: promwire.Labels{{Name: "b", Value: "1"}, {Name: "a", Value: "1"}, {Name: "__name__", Value: "x"}}, Samples: at(0, 1)}},
		v1:     outcome{samples(2), none, 2}, v2: outcome{samples(2), none, 2},
	},
	{
		name:   "empty label value",
		series: []promwire.TimeSeries{{Labels: promwire.Labels{{Name: "__name__", Value: "x"}, {Name: "a", Value: ""}}, Samples: at(0, 1)}},
		v1:     outcome{samples(2), none, 2}, v2: outcome{samples(2), none, 2},
	},
	{
		name:   "histogram that contradicts itself",
		series: []promwire.TimeSeries{{Labels: promwire.Labels{{Name: "__name__", Value: "bad"}}, Histograms: []promwire.Histogram{{Count: 5, ZeroCount: 1}}}},
		v1:     outcome{samples(0), refused, 0}, v2: outcome{samples(1), partial, 1}, old: outcome{promwire.WriteStats{Samples: 1, Histograms: 1}, none, 2},
	},
	{
		name:   "good and bad in one series",
		before: one(0, 1),
		series: []promwire.TimeSeries{{Labels: promwire.Labels{{Name: "__name__", Value: "x"}}, Samples: append(at(-1000, 5), at(1000, 6)...)}},
		v1:     outcome{samples(0), refused, 1}, v2: outcome{samples(2), partial, 3},
		window: outcome{samples(3), none, 4},
	},
	{
		name: "exemplar with too long labels",
		series: []promwire.TimeSeries{{
			Labels: promwire.Labels{{Name: "__name__", Value: "x"}}, Samples: at(0, 1),
			Exemplars: []promwire.Exemplar{{Labels: promwire.Labels{{Name: "trace_id", Value: strings.Repeat("x", 150)}}, Value: 1}},
		}},
		v1: outcome{promwire.WriteStats{Samples: 2, Exemplars: 1}, none, 2}, v2: outcome{samples(2), shortfall, 2},
	},
	{
		name:   "an hour ahead", // the last one: it moves what is too old
		series: one(3_600_000, 2),
		v1:     outcome{samples(0), refused, 0}, v2: outcome{samples(1), partial, 1}, old: outcome{samples(2), none, 2},
	},
}

// at makes a sample at a time after the start of the test.
func at(t int64, v float64) []promwire.Sample { return []promwire.Sample{{Timestamp: t, Value: v}} }

// one makes a series of one sample.
func one(t int64, v float64) []promwire.TimeSeries {
	return []promwire.TimeSeries{{Labels: promwire.Labels{{Name: "__name__", Value: "x"}}, Samples: at(t, v)}}
}

// TestWriteRefused writes requests that are bad in part, over each version.
func TestWriteRefused(t *testing.T) {
	each(t, func(t *testing.T, p program) {
		for _, m := range modes(p) {
			t.Run(m.name, func(t *testing.T) { checkRefused(t, start(t, p, noConfig, p.features()...), m, false) })
		}
		if p.speaksV2() {
			t.Run("out-of-order window", func(t *testing.T) {
				const config = "storage: {tsdb: {out_of_order_time_window: 30m}}\n"
				checkRefused(t, start(t, p, config, p.features()...), modes(p)[1], true)
			})
		}
	})
}

func checkRefused(t *testing.T, s *instance, m mode, window bool) {
	now := time.Now().UnixMilli()
	c := writeClient(t, s.writeURL(), m.opts...)
	mustWrite(t, c, &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{
		{Labels: promwire.LabelsFromStrings("__name__", "first"), Samples: []promwire.Sample{{Timestamp: now, Value: 1}}},
	}})
	for _, test := range refusedCases {
		want := test.v1
		switch {
		case m.message == promwire.WriteV2 && window && test.window != (outcome{}):
			want = test.window
		case m.message == promwire.WriteV2:
			want = test.v2
		case s.major < 3 && test.old != (outcome{}):
			want = test.old
		}
		if test.before != nil {
			mustWrite(t, c, placed(test.before, test.name, now))
		}
		good := promwire.TimeSeries{Labels: promwire.Labels{{Name: "__name__", Value: "good"}}, Samples: at(0, 7)}
		stats, err := c.Write(t.Context(), placed(append([]promwire.TimeSeries{good}, test.series...), test.name, now))
		got := outcome{stats, failureOf(err), 0}
		for _, ts := range s.query(t, `{case="`+test.name+`"}[4h]`, now+7_200_000) {
			got.stored += len(ts.Samples) + len(ts.Histograms)
		}
		if got != want {
			t.Errorf("%s: got %+v, want %+v: %v", test.name, got, want, err)
		}
	}
}

// placed makes a request of series, with the case as a label and times after now.
func placed(all []promwire.TimeSeries, name string, now int64) *promwire.WriteRequest {
	req := (&promwire.WriteRequest{Timeseries: all}).Clone()
	for i := range req.Timeseries {
		ts := &req.Timeseries[i]
		ts.Labels = append(ts.Labels, promwire.Label{Name: "case", Value: name})
		for j := range ts.Samples {
			ts.Samples[j].Timestamp += now
		}
		for j := range ts.Histograms {
			ts.Histograms[j].Timestamp += now
		}
		for j := range ts.Exemplars {
			ts.Exemplars[j].Timestamp += now
		}
	}
	return req
}
