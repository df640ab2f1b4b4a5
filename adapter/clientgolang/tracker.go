package clientgolang

import (
	"errors"
	"slices"

	"github.com/promwire/promwire"
)

// errRepeated says that a registry gave the same series twice for one time.
var errRepeated = errors.New("series is repeated")

// tracker knows the series that were sent, so that those that go away get a marker and exemplars are sent once.
type tracker struct {
	series map[string]*tracked // by labels, see appendKey
	round  uint64              // of the push at work
	key    []byte
}

// tracked is a series that was sent.
type tracked struct {
	labels    promwire.Labels
	meta      promwire.Metadata
	round     uint64 // of the push that had it last
	marked    uint64 // round of the push that tried to send its marker last
	newest    int64  // time of its newest sample in that push
	histogram bool
	ownTime   bool // its samples have the metric's own time: no marker
	// exemplar is the time of the newest exemplar that was accepted, trying that of the push at work.
	exemplar, trying int64
}

// observe begins a round with the series of req. It takes out exemplars that were sent before, and series that are
// repeated, which it adds to err.
func (t *tracker) observe(req *promwire.WriteRequest, now int64, err error) error {
	t.round++
	all, kept := req.Timeseries, 0
	for i := range all {
		if !t.see(&all[i], now) {
			err = addSkipped(err, all[i].Labels)
			continue
		}
		if kept != i {
			all[kept], all[i] = all[i], all[kept]
		}
		kept++
	}
	req.Timeseries = all[:kept]
	return err
}

// addSkipped adds a repeated series to err, which is nil or an [*IncompleteError].
func addSkipped(err error, ls promwire.Labels) error {
	var report *IncompleteError
	if !errors.As(err, &report) {
		report = &IncompleteError{}
	}
	report.skip(ls, errRepeated)
	return report
}

// see notes that ts is sent, unless the same push has a sample of it that is not older.
func (t *tracker) see(ts *promwire.TimeSeries, now int64) bool {
	t.key = appendKey(t.key[:0], ts.Labels)
	s := t.series[string(t.key)]
	if s == nil {
		s = &tracked{labels: slices.Clone(ts.Labels), exemplar: -1 << 63}
		s.trying = s.exemplar
		t.series[string(t.key)] = s
	}
	time := sampleTime(ts)
	if s.round == t.round && time <= s.newest {
		return false
	}
	if s.round != t.round {
		s.trying = s.exemplar
	}
	s.meta, s.histogram, s.round, s.newest, s.ownTime = ts.Metadata, len(ts.Histograms) > 0, t.round, time, time != now
	es := ts.Exemplars
	first := 0 // they are in order of time
	for first < len(es) && es[first].Timestamp <= s.trying {
		first++
	}
	if n := len(es); n > first {
		s.trying = es[n-1].Timestamp
	}
	for i := first; i < len(es) && first > 0; i++ { // exchanged, so that their memory stays
		es[i-first], es[i] = es[i], es[i-first]
	}
	ts.Exemplars = es[:len(es)-first]
	return true
}

func sampleTime(ts *promwire.TimeSeries) int64 {
	if len(ts.Histograms) > 0 {
		return ts.Histograms[0].Timestamp
	}
	return ts.Samples[0].Timestamp
}

// appendMarkers appends, in order of labels, a stale marker for each series that the round has not seen, or forgets it.
func (t *tracker) appendMarkers(req *promwire.WriteRequest, now int64, forget bool) {
	before := len(req.Timeseries)
	for key, s := range t.series {
		switch {
		case s.round == t.round:
		case forget || s.ownTime:
			delete(t.series, key)
		default:
			s.marked = t.round
			s.appendMarker(req, now)
		}
	}
	slices.SortFunc(req.Timeseries[before:], func(a, b promwire.TimeSeries) int { return a.Labels.Compare(b.Labels) })
}

func (s *tracked) appendMarker(req *promwire.WriteRequest, now int64) {
	var ts *promwire.TimeSeries
	req.Timeseries, ts = extend(req.Timeseries)
	ts.Reset()
	ts.Labels = append(ts.Labels, s.labels...)
	ts.Metadata = s.meta
	if !s.histogram {
		ts.Samples = append(ts.Samples, promwire.Sample{Timestamp: now, Value: promwire.StaleNaN()})
		return
	}
	var h *promwire.Histogram
	ts.Histograms, h = extend(ts.Histograms)
	h.Reset()
	h.Timestamp, h.Sum = now, promwire.StaleNaN()
}

// settle notes that what the round sent need not be sent again.
func (t *tracker) settle() {
	for key, s := range t.series {
		switch t.round {
		case s.round:
			s.exemplar = s.trying
		case s.marked:
			delete(t.series, key)
		}
	}
}

// appendKey appends what tells a label set from all others: 0xff is in no valid text.
func appendKey(dst []byte, ls promwire.Labels) []byte {
	for i := range ls {
		dst = append(append(dst, ls[i].Name...), 0xff)
		dst = append(append(dst, ls[i].Value...), 0xff)
	}
	return dst
}
