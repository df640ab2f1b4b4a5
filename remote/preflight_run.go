package remote

import (
	"fmt"
	"slices"
	"sync"

	"github.com/promwire/promwire"
)

// preflightRun is one request on its way through a Preflight. Its memory is used again.
type preflightRun struct {
	*Preflight
	window timeWindow
	tell   func(Finding)

	// What is left of the request, and the indices of it there. The arenas hold copies of what was mended.
	series     []promwire.TimeSeries
	index      []int
	labels     []promwire.Label
	samples    []promwire.Sample
	histograms []promwire.Histogram
	exemplars  []promwire.Exemplar
	changed    bool

	refused []promwire.Refusal
	gone    []int // entries refused as a whole, ascending

	// The entry at hand.
	at    int
	ls    promwire.Labels  // as they came
	named promwire.Refusal // has the copy of ls, once there is a finding
	bad   bool             // refused as a whole
}

var preflightRuns = sync.Pool{New: func() any { return new(preflightRun) }}

func newPreflightRun(p *Preflight) *preflightRun {
	r := preflightRuns.Get().(*preflightRun)
	r.Preflight, r.window = p, newTimeWindow(p.options.Now(), &p.profile)
	return r
}

// release forgets the request and gives r back.
func (r *preflightRun) release() {
	clear(r.series)
	clear(r.labels)
	clear(r.histograms)
	clear(r.exemplars)
	clear(r.refused)
	*r = preflightRun{
		series: r.series[:0], index: r.index[:0], labels: r.labels[:0], samples: r.samples[:0],
		histograms: r.histograms[:0], exemplars: r.exemplars[:0], refused: r.refused[:0], gone: r.gone[:0],
	}
	preflightRuns.Put(r)
}

// firstUnclean returns the index of the first entry that needs a closer look, or -1.
func (r *preflightRun) firstUnclean(req *promwire.WriteRequest) int {
	for i := range req.Timeseries {
		if !r.clean(&req.Timeseries[i]) {
			return i
		}
	}
	return -1
}

// clean reports whether there is nothing to find in ts.
func (r *preflightRun) clean(ts *promwire.TimeSeries) bool {
	return ts.Labels.Validate(r.scheme) == nil && r.labelsFit(ts.Labels) &&
		len(ts.Samples)+len(ts.Histograms)+len(ts.Exemplars) > 0 &&
		pointsFine(r, ts.Samples, &sampleKind) && pointsFine(r, ts.Histograms, &histogramKind) &&
		pointsFine(r, ts.Exemplars, &exemplarKind)
}

// judgeAll judges req, of which the entries before first are clean.
func (r *preflightRun) judgeAll(req *promwire.WriteRequest, first int) {
	for i := range req.Timeseries {
		ts := req.Timeseries[i]
		r.at, r.ls, r.named, r.bad = i, ts.Labels, promwire.Refusal{}, false
		if i < first || r.clean(&ts) || r.judge(&ts) {
			r.series, r.index = append(r.series, ts), append(r.index, i)
		} else {
			r.changed = true
		}
	}
}

// judge judges an entry that is not clean, and replaces in ts what is mended. It reports whether something is left.
func (r *preflightRun) judge(ts *promwire.TimeSeries) bool {
	before := ts.Stats()
	if before == (promwire.WriteStats{}) && !r.judgeEmpty() {
		return false
	}
	if !r.judgeLabels(ts) {
		return false
	}
	ts.Samples = judgePoints(r, ts.Samples, &r.samples, &sampleKind)
	ts.Histograms = judgePoints(r, ts.Histograms, &r.histograms, &histogramKind)
	if before.Samples+before.Histograms > 0 && len(ts.Samples)+len(ts.Histograms) == 0 {
		for _, e := range ts.Exemplars {
			itemFinding(r, RuleExemplar, e.Timestamp, false, fmt.Errorf("%w: its samples are refused", promwire.ErrUnknownSeries))
		}
		return false
	}
	ts.Exemplars = judgePoints(r, ts.Exemplars, &r.exemplars, &exemplarKind)
	return before == (promwire.WriteStats{}) || ts.Stats() != (promwire.WriteStats{})
}

// judgeEmpty judges an entry that has nothing to store, and reports whether it is sent all the same. To leave it out
// is a repair: nothing is lost.
func (r *preflightRun) judgeEmpty() bool {
	taken := r.takesRule(RuleEmptySeries)
	r.labelFinding(RuleEmptySeries, !taken, promwire.ErrEmptySeries)
	if r.bad {
		r.gone = append(r.gone, r.at)
	}
	return taken
}

func (r *preflightRun) takesRule(rule PreflightRule) bool { return r.takes&(1<<rule) != 0 }

// find notes a finding about the entry at hand, or its item at that time. fixable says that it can be mended without
// loss. It reports whether the item may go on, mended or as it is.
func (r *preflightRun) find(rule PreflightRule, timestamp int64, fixable bool, err error) bool {
	action := PreflightDropped
	switch {
	case fixable && r.options.Mode == PreflightRepair:
		action, r.changed = PreflightRepaired, true
	case r.takesRule(rule):
		action = PreflightSent
	}
	if action == PreflightDropped {
		r.changed = true
	}
	if r.tell != nil {
		r.tell(Finding{r.at, r.labelsCopy(), timestamp, rule, err, action})
	}
	return action != PreflightDropped
}

// refuse notes that an item is refused; together with [preflightRun.find].
func (r *preflightRun) refuse(timestamp int64, err error) {
	n := len(r.refused)
	r.refused = promwire.Rules{}.Refuse(r.refused, r.at, r.ls, err)
	r.refused[n].Timestamp = timestamp
}

// labelsCopy returns the labels of the entry at hand for a Finding, the same copy for all.
func (r *preflightRun) labelsCopy() promwire.Labels {
	if r.named.Labels == nil {
		r.named = promwire.Rules{}.Refuse(nil, r.at, r.ls, nil)[0]
	}
	return r.named.Labels
}

// judgeLabels judges the labels of ts and mends them if that is the mode. It reports whether ts may go on.
func (r *preflightRun) judgeLabels(ts *promwire.TimeSeries) bool {
	tidy := r.tidy(ts.Labels, func(rule PreflightRule, err error) { r.labelFinding(rule, true, err) })
	if err := tidy.Validate(r.scheme); err != nil {
		r.labelFinding(labelRule(err), false, err)
	}
	r.judgeLimits(tidy)
	if r.bad {
		r.gone = append(r.gone, r.at)
		return false
	}
	if r.options.Mode == PreflightRepair {
		ts.Labels = tidy
	}
	return true
}

// labelFinding notes a finding about the entry as a whole, which is refused once.
func (r *preflightRun) labelFinding(rule PreflightRule, fixable bool, err error) {
	if !r.find(rule, 0, fixable, err) && !r.bad {
		r.bad = true
		r.refuse(0, err)
	}
}

func (r *preflightRun) labelsFit(ls promwire.Labels) bool {
	if r.profile.MaxLabels > 0 && len(ls) > r.profile.MaxLabels {
		return false
	}
	for i := range ls {
		if r.tooLong(&ls[i]) {
			return false
		}
	}
	return true
}

func (r *preflightRun) tooLong(l *promwire.Label) bool {
	return r.profile.MaxNameBytes > 0 && len(l.Name) > r.profile.MaxNameBytes ||
		r.profile.MaxValueBytes > 0 && len(l.Value) > r.profile.MaxValueBytes
}

func (r *preflightRun) judgeLimits(ls promwire.Labels) {
	if limit := r.profile.MaxLabels; limit > 0 && len(ls) > limit {
		r.labelFinding(RuleLabelCount, false, fmt.Errorf("%w: %d, limit %d", promwire.ErrTooManyLabels, len(ls), limit))
	}
	for i := range ls {
		if l := &ls[i]; r.tooLong(l) {
			r.labelFinding(RuleLabelLength, false, fmt.Errorf("%w: %.100q has a name of %d bytes and a value of %d, limits %d and %d",
				promwire.ErrLabelTooLong, l.Name, len(l.Name), len(l.Value), r.profile.MaxNameBytes, r.profile.MaxValueBytes))
		}
	}
}

// tidy returns a copy of ls in the form of [promwire.Labels] as far as that takes no guess, and says what it changed.
func (r *preflightRun) tidy(ls promwire.Labels, tell func(PreflightRule, error)) promwire.Labels {
	from := len(r.labels)
	r.labels = append(r.labels, ls...)
	out := promwire.Labels(r.labels[from:len(r.labels):len(r.labels)])
	for i := range out {
		if r.escape {
			escapeLabel(&out[i], tell)
		}
		if i > 0 && ls[i].Name < ls[i-1].Name {
			tell(RuleLabelOrder, fmt.Errorf("%w: %.100q after %.100q", promwire.ErrUnsortedLabels, ls[i].Name, ls[i-1].Name))
		}
		if ls[i].Value == "" {
			tell(RuleEmptyLabelValue, fmt.Errorf("%w: %.100q", promwire.ErrEmptyLabelValue, ls[i].Name))
		}
	}
	out = out.Normalize()
	return slices.CompactFunc(out, func(a, b promwire.Label) bool {
		if a == b {
			tell(RuleDuplicateLabel, fmt.Errorf("%w: %.100q, twice with the same value", promwire.ErrDuplicateLabel, a.Name))
		}
		return a == b
	})
}
