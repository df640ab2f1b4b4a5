// Package snapshot helps senders whose requests each hold the present state of all their series, as a scrape does:
// bridges from other metric libraries, exporters of foreign systems. It finds the series that went away between two
// requests, which need a stale marker, and takes out the exemplars that were sent before.
package snapshot

import (
	"errors"
	"math"
	"net/http"
	"slices"

	"github.com/promwire/promwire"
)

// ErrRepeated is the reason of refusals for a sample whose series has one of the same time, or a newer one, before it in
// the same request.
var ErrRepeated = errors.New("series is repeated")

// Tracker knows the series that were sent. Each request goes through [Tracker.Observe], [Tracker.AppendMarkers] or
// [Tracker.Forget], and, once its receiver has judged it, [Tracker.Settle]. The zero value is ready for use; a Tracker is
// not safe for concurrent use. In steady state it allocates nothing.
type Tracker struct {
	// MarkAll has series marked whose samples have another time than the request. Without it they get no marker, as in a
	// scrape: their time says how old they are.
	MarkAll bool

	series map[string]*tracked // by labels, see appendKey
	round  uint64              // of the request at work
	key    []byte
}

// tracked is a series that was sent.
type tracked struct {
	labels    promwire.Labels
	meta      promwire.Metadata
	round     uint64 // of the request that had it last
	marked    uint64 // round of the request that had its marker last
	newest    int64  // time of its newest sample in that request
	histogram bool
	ownTime   bool // its samples have another time than the request
	// exemplar is the time of the newest exemplar that was settled, trying that of the request at work.
	exemplar, trying int64
}

// Observe begins a round with a request, which holds one sample or native histogram per series of labels that are valid
// ([promwire.Rules.ApplyAll] makes sure), and its time, in milliseconds since the Unix epoch. Observe takes out exemplars
// that were settled before, and series that are repeated; these it names in refused, by their place in req as it was.
//
// It keeps copies of labels, but not of the strings in them. What is taken out stays behind the ends of the slices of
// req, for reuse.
func (t *Tracker) Observe(req *promwire.WriteRequest, now int64, refused []promwire.Refusal) []promwire.Refusal {
	t.begin()
	all, kept := req.Timeseries, 0
	for i := range all {
		if !t.see(&all[i], now) {
			refused = append(refused, promwire.Refusal{Series: i, Labels: all[i].Labels.Clone(), Timestamp: sampleTime(&all[i]), Reason: ErrRepeated})
			continue
		}
		if kept != i {
			all[kept], all[i] = all[i], all[kept]
		}
		kept++
	}
	req.Timeseries = all[:kept]
	return refused
}

func (t *Tracker) begin() {
	if t.series == nil {
		t.series = map[string]*tracked{}
	}
	t.round++
}

// see notes that ts is sent, unless the same request has a sample of it that is not older.
func (t *Tracker) see(ts *promwire.TimeSeries, now int64) bool {
	t.key = appendKey(t.key[:0], ts.Labels)
	s := t.series[string(t.key)]
	if s == nil {
		s = &tracked{labels: slices.Clone(ts.Labels), exemplar: math.MinInt64}
		t.series[string(t.key)] = s
	}
	at := sampleTime(ts)
	switch {
	case s.round != t.round:
		s.trying = s.exemplar
	case at <= s.newest:
		return false
	}
	s.meta, s.histogram, s.round, s.newest, s.ownTime = ts.Metadata, len(ts.Histograms) > 0, t.round, at, at != now
	ts.Exemplars = s.newExemplars(ts.Exemplars)
	return true
}

// newExemplars returns the exemplars, which are in order of time, that are newer than those seen before.
func (s *tracked) newExemplars(es []promwire.Exemplar) []promwire.Exemplar {
	first := 0
	for first < len(es) && es[first].Timestamp <= s.trying {
		first++
	}
	if n := len(es); n > first {
		s.trying = es[n-1].Timestamp
	}
	for i := first; i < len(es) && first > 0; i++ { // exchanged, so that their memory stays
		es[i-first], es[i] = es[i], es[i-first]
	}
	return es[:len(es)-first]
}

func sampleTime(ts *promwire.TimeSeries) int64 {
	switch {
	case len(ts.Histograms) > 0:
		return ts.Histograms[0].Timestamp
	case len(ts.Samples) > 0:
		return ts.Samples[0].Timestamp
	default:
		return 0
	}
}

// AppendMarkers appends to req, in order of labels, a stale marker for each series that the request of this round did not
// have: at now, or a millisecond after the series' newest sample. Markers are appended again each time until a Settle.
func (t *Tracker) AppendMarkers(req *promwire.WriteRequest, now int64) {
	before := len(req.Timeseries)
	for key, s := range t.series {
		switch {
		case s.round == t.round:
		case s.ownTime && !t.MarkAll:
			delete(t.series, key)
		default:
			s.marked = t.round
			s.appendMarker(req, now)
		}
	}
	slices.SortFunc(req.Timeseries[before:], func(a, b promwire.TimeSeries) int { return a.Labels.Compare(b.Labels) })
}

// End begins a round without a request, in which every series went away.
func (t *Tracker) End() { t.begin() }

// Forget is AppendMarkers without markers: series that went away are no longer known.
func (t *Tracker) Forget() {
	for key, s := range t.series {
		if s.round != t.round {
			delete(t.series, key)
		}
	}
}

func (s *tracked) appendMarker(req *promwire.WriteRequest, now int64) {
	var ts *promwire.TimeSeries
	req.Timeseries, ts = extend(req.Timeseries)
	ts.Reset()
	ts.Labels = append(ts.Labels, s.labels...)
	ts.Metadata = s.meta
	now = max(now, s.newest+1)
	if !s.histogram {
		ts.Samples = append(ts.Samples, promwire.Sample{Timestamp: now, Value: promwire.StaleNaN()})
		return
	}
	var h *promwire.Histogram
	ts.Histograms, h = extend(ts.Histograms)
	h.Reset()
	h.Timestamp, h.Sum = now, promwire.StaleNaN()
}

// Settle notes that markers and exemplars of this round need not be sent again: the receiver has judged them, see
// [Final]. After a failure it is left out.
func (t *Tracker) Settle() {
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

// Final reports whether a Writer's error says that the receiver has judged the request, so that the same data would fare
// the same again: nil, a [*promwire.PartialWriteError], or a [*promwire.HTTPError] with status 400, 409 or 422,
// by which receivers refuse data for good.
func Final(err error) bool {
	if err == nil {
		return true
	}
	var answer *promwire.HTTPError
	if errors.As(err, &answer) {
		return answer.StatusCode == http.StatusBadRequest || answer.StatusCode == http.StatusConflict ||
			answer.StatusCode == http.StatusUnprocessableEntity
	}
	var partial *promwire.PartialWriteError
	return errors.As(err, &partial)
}

// extend lengthens s by an element, which holds what memory behind the end of s held, for reuse.
func extend[T any](s []T) ([]T, *T) {
	if len(s) < cap(s) {
		s = s[:len(s)+1]
	} else {
		var zero T
		s = append(s, zero)
	}
	return s, &s[len(s)-1]
}
