package scrape

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"unicode/utf8"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/exposition"
)

// known is a series of a target, with the labels that it is written with.
type known struct {
	labels promwire.Labels
	meta   promwire.Metadata
	round  uint64 // of the scrape that had it last
	marked uint64 // of the scrape that had it last in a way that a marker ends
	newest int64  // time of its sample in that scrape
	native bool   // its newest sample was a histogram

	exemplar   promwire.Exemplar // the newest one that was written
	exemplared bool
}

// dropped stands for all series that relabelling drops.
var dropped = &known{}

// book knows the series of one target. It is not safe for concurrent use.
type book struct {
	job    *Job
	target promwire.Labels // of the target

	series  map[string]*known // by labels
	current []*known          // that the last good scrape had, and that get a marker when they go away
	spare   []*known          // memory for the next current
	round   uint64
	good    uint64 // round of the last good scrape
	at      int64  // time of the last report
	key     []byte
	reports [len(reportNames)]*known
	list    *seriesList // memory of the scrape at work, nil if it has none
}

// tally is what a scrape came to.
type tally struct {
	scraped, kept, added int // samples exposed, those after relabelling, series that are new
	repeated             int // samples that their series has already
	bad                  []exposition.Bad
	badCount             int
}

func newBook(job *Job, target *Target) *book {
	b := &book{target: target.Labels}
	b.adopt(job)
	return b
}

// adopt goes on under the settings of another job. Series that it makes other series of are marked as stale by the next
// scrape, as those that a target exposes no more.
func (b *book) adopt(job *Job) {
	b.job = job
	for i, r := range reportNames {
		name := promwire.Labels{{Name: promwire.MetricName, Value: r.name}}
		ls := withExternal(merge(name, b.target, false), job.External)
		old := b.reports[i]
		if old != nil && old.labels.Equal(ls) {
			continue
		}
		if old != nil && b.at > 0 {
			b.current = append(b.current, old)
		}
		b.reports[i] = &known{labels: ls, meta: r.meta}
	}
	b.forget()
}

// forget keeps in mind only the series of the last good scrape.
func (b *book) forget() {
	b.series = make(map[string]*known, len(b.current)+len(b.reports))
	for _, k := range b.current {
		b.series[string(appendKey(nil, k.labels))] = k
	}
	for _, k := range b.reports {
		if k != nil {
			b.series[string(appendKey(nil, k.labels))] = k
		}
	}
}

// growth is how many series a book remembers, besides twice those of the last scrape, before it forgets.
const growth = 1000

// enter makes series of a result, with markers for those that went away since the last good scrape. An error says that
// nothing of it may be written.
func (b *book) enter(res *exposition.Result, at int64) ([]promwire.TimeSeries, tally, error) {
	b.begin()
	t := tally{bad: res.Bad, badCount: res.BadCount}
	out := newSeries(len(res.Points) + len(b.reports))
	b.list = out
	next := b.spare[:0]
	for i := range res.Points {
		p := &res.Points[i]
		t.scraped++
		k, err := b.known(p, &t)
		if err != nil {
			return nil, t, err
		}
		if k == nil || k == dropped {
			continue
		}
		t.kept++
		if b.job.Limits.Samples > 0 && t.kept > b.job.Limits.Samples {
			continue // counted to the end, as the report is to say how many there are
		}
		stamp, own := at, p.HasTimestamp && !b.job.IgnoreTimestamps
		if own {
			stamp = p.Timestamp
		}
		if k.round == b.round && (!own || stamp <= k.newest) {
			t.repeated++
			continue
		}
		if k.round != b.round {
			if k.round == 0 || k.round < b.good {
				t.added++
			}
			if !own || b.job.MarkTimestamped {
				next, k.marked = append(next, k), b.round
			}
		}
		k.round, k.newest, k.native = b.round, stamp, p.Histogram != nil
		out.add(k, p, stamp)
	}
	if limit := b.job.Limits.Samples; limit > 0 && t.kept > limit {
		return nil, t, fmt.Errorf("%d samples, the limit is %d", t.kept, limit)
	}
	series := b.appendMarkers(out.series, at)
	out.series = series
	b.spare, b.current, b.good = b.current[:0], next, b.round
	return series, t, nil
}

// begin begins a round. The reports have their places, whatever the target exposes.
func (b *book) begin() {
	b.round++
	for _, k := range b.reports {
		k.round = b.round
	}
}

// fail returns markers for all series of the last good scrape.
func (b *book) fail(at int64) []promwire.TimeSeries {
	b.begin()
	series := b.appendMarkers(nil, at)
	b.spare, b.current = b.current[:0], b.spare[:0]
	return series
}

// appendMarkers appends, in order of labels, stale markers for the series of the last good scrape that this round has
// not, or has with timestamps of their own, as Prometheus does.
func (b *book) appendMarkers(out []promwire.TimeSeries, at int64) []promwire.TimeSeries {
	before := len(out)
	at = max(at, b.at+1) // the clock may have gone back
	for _, k := range b.current {
		if k.marked == b.round || k.round == b.round && k.newest == at {
			continue
		}
		out = append(out, k.marker(at))
	}
	slices.SortFunc(out[before:], func(x, y promwire.TimeSeries) int { return x.Labels.Compare(y.Labels) })
	return out
}

func (k *known) marker(at int64) promwire.TimeSeries {
	ts := promwire.TimeSeries{Labels: k.labels, Metadata: k.meta}
	if k.native {
		ts.Histograms = []promwire.Histogram{{Timestamp: at, Sum: promwire.StaleNaN()}}
	} else {
		ts.Samples = []promwire.Sample{{Timestamp: at, Value: promwire.StaleNaN()}}
	}
	return ts
}

var errNoName = errors.New("relabelling leaves no metric name")

// known returns the series of a point: nil if its labels are invalid, which costs its line.
func (b *book) known(p *exposition.Point, t *tally) (*known, error) {
	if k, ok := p.Series.Data.(*known); ok {
		return k, nil
	}
	ls := merge(p.Series.Labels, b.target, b.job.HonorLabels)
	if b.job.Relabel != nil {
		if ls = b.job.Relabel(ls); len(ls) == 0 {
			p.Series.Data = dropped
			return dropped, nil
		}
	}
	ls = withExternal(ls, b.job.External)
	if err := ls.Validate(promwire.UTF8Names); err != nil {
		if errors.Is(err, promwire.ErrNoMetricName) {
			err = errNoName
		}
		t.badCount++
		t.bad = append(t.bad, exposition.Bad{Place: p.Place, Text: fmt.Sprintf("%.120s", ls.String()), Err: err})
		return nil, nil //nolint:nilnil // see above
	}
	if err := b.job.Limits.check(ls); err != nil {
		return nil, err
	}
	b.key = appendKey(b.key[:0], ls)
	k := b.series[string(b.key)]
	if k == nil {
		k = &known{labels: ls}
		b.series[string(b.key)] = k
	}
	p.Series.Data = k
	return k, nil
}

// seriesList makes series whose samples share memory.
type seriesList struct {
	series  []promwire.TimeSeries
	samples []promwire.Sample
}

// lists are for reuse, by all targets.
var lists = sync.Pool{New: func() any { return new(seriesList) }}

// newSeries returns an empty list with room for this many series.
func newSeries(size int) *seriesList {
	l := lists.Get().(*seriesList)
	l.series, l.samples = slices.Grow(l.series[:0], size), slices.Grow(l.samples[:0], size)
	return l
}

// release gives back the memory of the scrape at work. Nothing of its series is valid any more, but labels and strings.
func (b *book) release() {
	if b.list != nil {
		clear(b.list.series)
		lists.Put(b.list)
		b.list = nil
	}
}

func (l *seriesList) add(k *known, p *exposition.Point, at int64) {
	if p.Family != nil {
		k.meta = p.Family.Metadata
	} else {
		k.meta = promwire.Metadata{}
	}
	ts := promwire.TimeSeries{Labels: k.labels, Metadata: k.meta}
	if p.Histogram != nil {
		h := *p.Histogram
		h.Timestamp, h.StartTimestamp = at, p.Start
		ts.Histograms = []promwire.Histogram{h}
	} else {
		n := len(l.samples)
		l.samples = append(l.samples, promwire.Sample{Timestamp: at, StartTimestamp: p.Start, Value: p.Value})
		ts.Samples = l.samples[n : n+1 : n+1]
	}
	if len(p.Exemplars) > 0 {
		ts.Exemplars = k.newExemplars(p, at)
	}
	l.series = append(l.series, ts)
}

// maxExemplar bounds the names and values of an exemplar's labels, in characters (OpenMetrics, Exemplars).
const maxExemplar = 128

// newExemplars returns the exemplars of a point that were not written before. Targets expose each until there is a newer
// one. Buckets of a native histogram may have one each of the same time: what comes after the last in their order is new. Those of native histograms that have no time are left out, as nobody could tell new ones from old ones.
func (k *known) newExemplars(p *exposition.Point, at int64) []promwire.Exemplar {
	var out []promwire.Exemplar
	for _, x := range p.Exemplars {
		e := x.Exemplar
		if !x.HasTime {
			if p.Histogram != nil || k.exemplared && k.exemplar.Value == e.Value && k.exemplar.Labels.Equal(e.Labels) {
				continue
			}
			e.Timestamp = at
		}
		if k.exemplared && exposition.CompareExemplars(&e, &k.exemplar) <= 0 || tooLong(e.Labels) {
			continue
		}
		k.exemplar, k.exemplared = e, true
		out = append(out, e)
	}
	return out
}

func tooLong(ls promwire.Labels) bool {
	n := 0
	for i := range ls {
		n += utf8.RuneCountInString(ls[i].Name) + utf8.RuneCountInString(ls[i].Value)
	}
	return n > maxExemplar
}
