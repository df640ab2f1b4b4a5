package promwiretest

import (
	"context"
	"errors"
	"iter"
	"slices"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/same"
)

// at is the time of a step: seconds after the start, in milliseconds.
func (c *suiteConfig) at(step int) int64 { return c.start.UnixMilli() + int64(step)*1000 }

// name makes the labels of a series; all of them have the same metric name.
func name(more ...string) promwire.Labels {
	return promwire.LabelsFromStrings(append([]string{promwire.MetricName, "suite"}, more...)...)
}

// series makes a series with a sample for each value, a second apart.
func (c *suiteConfig) series(ls promwire.Labels, values ...float64) promwire.TimeSeries {
	ts := promwire.TimeSeries{Labels: ls}
	for i, v := range values {
		ts.Samples = append(ts.Samples, promwire.Sample{Timestamp: c.at(i), Value: v})
	}
	return ts
}

func request(series ...promwire.TimeSeries) *promwire.WriteRequest {
	return &promwire.WriteRequest{Timeseries: series}
}

// write writes a request that has to be taken as a whole. The storage gets a copy.
func (s *suite) write(series ...promwire.TimeSeries) {
	req := request(series...)
	stats, err := s.storage.Write(s.ctx, req.Clone())
	if err != nil {
		s.fatal("Write of good series: %v", err)
	}
	if want := req.Stats(); stats != want {
		s.fatal("Write counts %s, want %s", counts(stats), counts(want))
	}
}

// everything is a query for all series with the name of [name].
func (s *suite) everything(more ...promwire.Matcher) promwire.Query {
	return s.between(s.at(0), s.at(1800), more...)
}

func (s *suite) between(from, to int64, more ...promwire.Matcher) promwire.Query {
	q := promwire.Query{
		Start: time.UnixMilli(from), End: time.UnixMilli(to),
		Matchers: append([]promwire.Matcher{{Type: promwire.MatchEqual, Name: promwire.MetricName, Value: "suite"}}, more...),
	}
	if err := promwire.CompileMatchers(q.Matchers); err != nil {
		s.fatal("%v", err)
	}
	return q
}

// read collects what a query yields, joined, and checks the order of series.
func (s *suite) read(q promwire.Query) ([]promwire.TimeSeries, error) {
	return collect(s.ctx, s.storage, q)
}

func collect(ctx context.Context, r promwire.Reader, q promwire.Query) ([]promwire.TimeSeries, error) {
	return join(r.Read(ctx, q))
}

// join puts parts of series together. It fails if the parts are not in label order or not in order of time.
func join(parts iter.Seq2[promwire.TimeSeries, error]) ([]promwire.TimeSeries, error) {
	var all []promwire.TimeSeries
	var failed error
	for part, err := range parts {
		switch {
		case failed != nil:
			return all, errors.New("the loop goes on after an error")
		case err != nil:
			failed = err
			continue
		}
		n := len(all)
		if n > 0 && all[n-1].Labels.Compare(part.Labels) > 0 {
			return all, orderError(part.Labels, all[n-1].Labels)
		}
		part = part.Clone() // it is valid until the loop goes on
		if n > 0 && all[n-1].Labels.Equal(part.Labels) {
			all[n-1].Samples = append(all[n-1].Samples, part.Samples...)
			all[n-1].Histograms = append(all[n-1].Histograms, part.Histograms...)
		} else {
			all = append(all, part)
		}
	}
	if failed != nil {
		return all, failed
	}
	for i := range all {
		if err := timeOrder(&all[i]); err != nil {
			return all, err
		}
	}
	return all, nil
}

// wantRead reads, and compares with series in label order; late storages get their time.
func (s *suite) wantRead(what string, q promwire.Query, want ...promwire.TimeSeries) {
	s.until(func() string {
		got, err := s.read(q)
		if err != nil {
			return what + ": " + err.Error()
		}
		if diff := same.All(got, want); diff != "" {
			return what + ": " + diff
		}
		return ""
	})
}

// until asks until nothing is wrong, or the time to settle is over; then it fails.
func (s *suite) until(wrong func() string) {
	end, pause := time.Now().Add(s.settle), time.Millisecond
	for {
		diff := wrong()
		if diff == "" {
			return
		}
		if time.Now().After(end) || s.ctx.Err() != nil {
			s.fail("%s", diff)
			return
		}
		time.Sleep(pause)
		pause = min(2*pause, 100*time.Millisecond)
	}
}

func byLabels(series []promwire.TimeSeries) []promwire.TimeSeries {
	return slices.SortedFunc(slices.Values(series), func(a, b promwire.TimeSeries) int { return a.Labels.Compare(b.Labels) })
}
