package promwiretest

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/promwire/promwire"
)

func counts(s promwire.WriteStats) string {
	return fmt.Sprintf("%d samples, %d histograms, %d exemplars", s.Samples, s.Histograms, s.Exemplars)
}

func orderError(second, first promwire.Labels) error {
	return fmt.Errorf("series %s comes behind %s: they have to be in label order", second, first)
}

// timeOrder checks the times of samples and of histograms.
func timeOrder(ts *promwire.TimeSeries) error {
	for i := 1; i < len(ts.Samples); i++ {
		if ts.Samples[i].Timestamp <= ts.Samples[i-1].Timestamp {
			return fmt.Errorf("%s: sample at %d comes behind one at %d", ts.Labels, ts.Samples[i].Timestamp, ts.Samples[i-1].Timestamp)
		}
	}
	for i := 1; i < len(ts.Histograms); i++ {
		if ts.Histograms[i].Timestamp <= ts.Histograms[i-1].Timestamp {
			return fmt.Errorf("%s: histogram at %d comes behind one at %d", ts.Labels, ts.Histograms[i].Timestamp, ts.Histograms[i-1].Timestamp)
		}
	}
	return nil
}

// FormatSeries returns series in the form that [WantSeries] compares: a line for each sample, histogram and exemplar, in
// the order given, with its time in milliseconds, as [promwire.WriteRequest.AppendText] writes them:
//
//	jobs_done{job="nightly"} 3 1700000000000
//	jobs_done{job="nightly"} stale 1700000015000
//
// Metadata is left out.
func FormatSeries(series []promwire.TimeSeries) string {
	var lines []string
	for i := range series {
		lines = append(lines, seriesLines(&series[i])...)
	}
	return strings.Join(lines, "\n")
}

// item is a sample, histogram or exemplar as a line of text.
type item struct{ timed, bare string }

func seriesLines(ts *promwire.TimeSeries) []string {
	var lines []string
	for _, x := range itemsOf(ts) {
		lines = append(lines, x.timed)
	}
	return lines
}

// itemsOf returns samples and histograms in order of time, then exemplars.
func itemsOf(ts *promwire.TimeSeries) []item {
	var all []item
	samples, histograms := ts.Samples, ts.Histograms
	for len(samples)+len(histograms) > 0 {
		one := promwire.TimeSeries{Labels: ts.Labels}
		if len(histograms) == 0 || len(samples) > 0 && samples[0].Timestamp <= histograms[0].Timestamp {
			one.Samples, samples = samples[:1], samples[1:]
		} else {
			one.Histograms, histograms = histograms[:1], histograms[1:]
		}
		all = append(all, newItem(one))
	}
	for i := range ts.Exemplars {
		all = append(all, newItem(promwire.TimeSeries{Labels: ts.Labels, Exemplars: ts.Exemplars[i : i+1]}))
	}
	return all
}

func newItem(one promwire.TimeSeries) item {
	text := func(timestamps bool) string {
		line := request(one).AppendText(nil, promwire.TextOptions{Timestamps: timestamps})
		return strings.TrimSuffix(string(line), "\n")
	}
	return item{text(true), text(false)}
}

// WantSeries fails the test unless got holds what the text says: a line for each sample, histogram and exemplar, as
// [FormatSeries] writes them, in any order. Without times in a line, any time will do. Blank lines, blanks around lines,
// and lines that begin with # do not count. It reports what is missing and what is there besides.
//
// Labels stand in order of their names, with le and quantile last; one that is not written in the usual form matches
// nothing.
func WantSeries(t T, got []promwire.TimeSeries, want string) bool {
	t.Helper()
	var items []item
	for i := range got {
		items = append(items, itemsOf(&got[i])...)
	}
	var missing []string
	for line := range strings.Lines(want) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		if at := findItem(items, line); at >= 0 {
			items[at] = item{}
		} else {
			missing = append(missing, line)
		}
	}
	var report strings.Builder
	for _, line := range missing {
		report.WriteString("\n- " + line)
	}
	for _, x := range items {
		if x != (item{}) {
			report.WriteString("\n+ " + x.timed)
		}
	}
	if report.Len() > 0 {
		t.Errorf("series differ, - is missing, + is there and not wanted:%s", report.String())
	}
	return report.Len() == 0
}

// findItem returns the index of the item that a line stands for, or -1.
func findItem(items []item, line string) int {
	for i, x := range items {
		if x.timed == line {
			return i
		}
	}
	for i, x := range items {
		if x.bare == line {
			return i
		}
	}
	return -1
}

// Select reads what a selector such as up{job="a"} selects, of all times, and fails the test if that fails. Parts of a
// series are joined. The data are copies.
func Select(t T, r promwire.Reader, selector string) []promwire.TimeSeries {
	t.Helper()
	matchers, err := promwire.ParseSelector(selector)
	if err != nil {
		t.Errorf("%v", err)
		return nil
	}
	q := promwire.Query{Start: time.UnixMilli(math.MinInt64), End: time.UnixMilli(math.MaxInt64), Matchers: matchers}
	got, err := collect(context.Background(), r, q)
	if err != nil {
		t.Errorf("read %s: %v", selector, err)
	}
	return got
}

// All returns everything that arrived, in label order; samples, histograms and exemplars in order of arrival, repeated
// ones included.
func (r *Receiver) All() []promwire.TimeSeries {
	r.log.mu.Lock()
	defer r.log.mu.Unlock()
	var out []promwire.TimeSeries
	for s := range r.log.index.all() {
		ts := promwire.TimeSeries{Labels: s.labels, Samples: s.samples, Histograms: s.histograms, Exemplars: s.exemplars}
		out = append(out, ts.Clone())
	}
	return byLabels(out)
}
