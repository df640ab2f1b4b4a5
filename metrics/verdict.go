package metrics

import (
	"errors"
	"math"
	"net/http"
	"slices"
	"sort"

	"github.com/promwire/promwire"
)

// outcome is what became of the samples of a push.
type outcome int

const (
	unknown  outcome = iota // all must be sent again
	accepted                // all
	judged                  // at least one refused for good; nobody knows which, unless the error names them
)

// judge is the one place that tells whether samples are sent again after an error.
func judge(err error) outcome {
	if err == nil {
		return accepted
	}
	var partial *promwire.PartialWriteError
	var answer *promwire.HTTPError
	isPartial, isAnswer := errors.As(err, &partial), errors.As(err, &answer)
	switch {
	case isAnswer && answer.StatusCode != http.StatusBadRequest && answer.StatusCode != http.StatusConflict &&
		answer.StatusCode != http.StatusUnprocessableEntity:
		// The receiver did not judge the data, or wants them again.
		return unknown
	case isPartial, isAnswer:
		// Sent again, the same samples would be refused again, and may take all later pushes with them.
		return judged
	default:
		return unknown
	}
}

// verdict is what a receiver said of the samples that a push sent of a series.
type verdict struct {
	held  int   // newest samples that it did not judge
	acked int64 // time of the newest sample that is known to be stored
	any   bool  // there is one
	doubt bool  // the newest sample that it judged may not be stored
	never bool  // no sample of the series will ever be
}

// again says that the newest value is worth another sample, if it has no time of its own.
func (v verdict) again() bool { return v.doubt && !v.never }

// note notes what became of the groups' points before end, or of all if end is 0, when they were sent with this error.
func (b *batch) note(groups []group, end int, err error) outcome {
	o := judge(err)
	if o == unknown {
		return o
	}
	named := named(err)
	limit := int64(math.MinInt64)
	if o == accepted || len(named) > 0 {
		limit = math.MaxInt64
	}
	for i := range groups {
		groups[i].limit, groups[i].verdict.never = limit, false
	}
	lower(groups, named)
	for i := range groups {
		g, to := &groups[i], end
		if to == 0 {
			to = g.points
		}
		b.decide(g, to)
	}
	return o
}

// named returns what was refused if the error names all of that.
func named(err error) []promwire.Refusal {
	if err == nil {
		return nil
	}
	var partial *promwire.PartialWriteError
	if !errors.As(err, &partial) || partial.Err != nil {
		return nil // with a remote answer, the receiver may have refused others than those that are named
	}
	return partial.Refused
}

// lower sets the limits of the groups to the oldest sample that was refused, and notes the series that always will be.
func lower(groups []group, refusals []promwire.Refusal) {
	for _, r := range refusals {
		at := groups[0].lo + r.Series
		i := sort.Search(len(groups), func(i int) bool { return groups[i].hi > at })
		if i == len(groups) || at < groups[0].lo {
			continue // no Writer should say so
		}
		if r.Timestamp == 0 {
			groups[i].limit = math.MinInt64 // the whole series
		}
		groups[i].verdict.never = groups[i].verdict.never || hopeless(r.Reason)
		groups[i].limit = min(groups[i].limit, r.Timestamp)
	}
}

// hopelessReasons are those that are about the series and not about the time of a sample.
var hopelessReasons = []error{
	promwire.ErrNoMetricName, promwire.ErrInvalidName, promwire.ErrInvalidUTF8, promwire.ErrDuplicateLabel,
	promwire.ErrEmptyLabelName, promwire.ErrEmptyLabelValue, promwire.ErrUnsortedLabels, promwire.ErrLabelTooLong,
	promwire.ErrTooManyLabels, promwire.ErrInvalidHistogram,
}

// hopeless reports whether a refusal would come again with every later sample.
func hopeless(reason error) bool {
	return slices.Contains(hopelessReasons, promwire.Reason(reason))
}

// decide makes the verdict on the points from g.sent to end: those before the limit are stored.
func (b *batch) decide(g *group, end int) {
	v := &g.verdict
	v.held, v.doubt = g.points-end, true
	for i := end - 1; i >= g.sent; i-- {
		if t := b.timeOf(g, i); t < g.limit {
			v.acked, v.any, v.doubt = t, true, i != end-1
			break
		}
	}
	g.sent = end
}

// timeOf returns the time of a point of the group. Its series have the same times, but for some of a former run, which may
// lack older ones.
func (b *batch) timeOf(g *group, i int) int64 {
	for j := g.lo; ; j++ {
		ts := &b.req.Timeseries[j]
		switch g.points {
		case len(ts.Histograms):
			return ts.Histograms[i].Timestamp
		case len(ts.Samples):
			return ts.Samples[i].Timestamp
		}
	}
}
