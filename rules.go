package promwire

import (
	"sort"
)

// Rules is what a receiver demands of a series before it reaches a store (Remote Write 2.0, "Invalid Samples"). The
// write handler applies them, and a [BodyWriter] for what it decodes itself, so that stores see valid series only.
// The zero value judges 1.0 messages and takes UTF-8 names.
type Rules struct {
	// Type is the message that the series came in; 1.0 lets series without any data pass in silence.
	Type MessageType
	// Names says which names are valid.
	Names NameScheme
	// Validation says how strictly content is judged.
	Validation Validation
	// MaxSeries, MaxSamples (histograms included) and MaxExemplars bound what a message holds; 0 sets no limit. See
	// [Rules.CheckMessage].
	MaxSeries, MaxSamples, MaxExemplars int
	// MaxMemory bounds the memory that a message takes when it is decoded as a whole, estimated before it is taken, in
	// bytes; 0 sets no limit. [Body.Decoded] holds messages against it: two bytes of a hostile one become hundreds.
	MaxMemory int
	// MaxLabelBytes bounds the strings that the references of a 2.0 message stand for, in bytes; 0 sets no limit. Whoever
	// decodes a body sets it as [Decoder.MaxLabelBytes].
	MaxLabelBytes int
	// MaxLabels bounds the labels of a series; 0 sets no limit. A series with more is refused ([ErrTooManyLabels]).
	MaxLabels int
	// MaxLabelNameBytes and MaxLabelValueBytes bound each name and value of a label; 0 sets no limit. A series with a longer
	// one is refused ([ErrLabelTooLong]).
	MaxLabelNameBytes, MaxLabelValueBytes int
	// AnyFirstSymbol accepts 2.0 messages whose first symbol is not the empty string. See [Rules.CheckMessage].
	AnyFirstSymbol bool
}

// Validation says how strictly [Rules] judge what a sender did wrong.
type Validation uint8

const (
	// ValidateUsual mends what takes no guess: labels are sorted, and empty ones dropped.
	ValidateUsual Validation = iota
	// ValidateStrict mends nothing: a series with unsorted labels or an empty value is refused, and so is one of a 2.0
	// message with samples and histograms (Remote Write 2.0, "Protobuf Message"). It is for tests of senders.
	ValidateStrict
	// ValidateLenient takes more than ValidateUsual: invalid UTF-8 becomes U+FFFD, empty series of 2.0 pass in silence as
	// those of 1.0 do, and the first symbol of a message may be any string.
	ValidateLenient
)

// maxDetailedRefusals is how many refusals of one request carry labels and details, as many as Prometheus sends series
// at once; the others carry the index, the time and the bare reason. With up to some 7 KiB for each ([shorten]), a
// hostile request gets no more than 14 MiB of them.
const maxDetailedRefusals = 2_000

// Apply judges ts, the series with that index in its request: it mends in place what may be mended, takes out what
// is refused, and reports whether anything is left to store. What is refused is appended to refused, and named: by
// index, copied labels (cut if they are longer than 4 KiB), time and reason; after 2,000 refusals, labels and
// details are left out.
//
//   - A series with more than r.MaxLabels labels, or with a name or value that is too long, is refused as a whole.
//   - Labels are sorted, those with an empty value dropped. A series without metric name, with a repeated, empty or
//     invalid label name, or with invalid UTF-8 is refused as a whole.
//   - Each invalid histogram and exemplar is refused on its own. Exponential schemas above [MaxSchema] are reduced to
//     it, and a stale histogram loses its layout, which means nothing.
//   - A series with neither samples nor histograms is kept for its exemplars. Without those, there is nothing to
//     store: over 2.0 that is refused ([ErrEmptySeries]), over 1.0 it is fine.
//
// This is [ValidateUsual]; see [Validation] for what the others change.
//
// Times and values are the store's business. What is taken out stays behind the ends of the slices, for reuse. A
// valid series costs no allocation.
func (r Rules) Apply(refused []Refusal, index int, ts *TimeSeries) ([]Refusal, bool) {
	if err := r.labels(ts); err != nil {
		return appendRefusal(refused, index, ts.Labels, 0, err), false
	}
	empty := len(ts.Samples) == 0 && len(ts.Histograms) == 0
	if empty && len(ts.Exemplars) == 0 {
		if r.Type == WriteV2 && r.Validation != ValidateLenient {
			refused = appendRefusal(refused, index, ts.Labels, 0, ErrEmptySeries)
		}
		return refused, false
	}
	refused = applyHistograms(refused, index, ts)
	refused = r.applyExemplars(refused, index, ts)
	return refused, len(ts.Samples) > 0 || len(ts.Histograms) > 0 || len(ts.Exemplars) > 0
}

// Refuse appends the refusal of a whole series for a reason found elsewhere, such as [Decoder.SeriesErr]; it is named
// as those of [Rules.Apply] are.
func (r Rules) Refuse(refused []Refusal, index int, ls Labels, reason error) []Refusal {
	return appendRefusal(refused, index, ls, 0, reason)
}

func applyHistograms(refused []Refusal, index int, ts *TimeSeries) []Refusal {
	hs, kept := ts.Histograms, 0
	for i := range hs {
		if err := hs[i].prepare(); err != nil {
			refused = appendRefusal(refused, index, ts.Labels, hs[i].Timestamp, err)
			continue
		}
		if kept != i {
			hs[kept], hs[i] = hs[i], hs[kept]
		}
		kept++
	}
	ts.Histograms = hs[:kept]
	return refused
}

// prepare validates h and brings it into the form that stores know.
func (h *Histogram) prepare() error {
	if IsStaleNaN(h.Sum) {
		timestamp, start, hint, float, sum := h.Timestamp, h.StartTimestamp, h.ResetHint, h.IsFloat, h.Sum
		h.Reset()
		h.Timestamp, h.StartTimestamp, h.ResetHint, h.IsFloat, h.Sum = timestamp, start, hint, float, sum
		return nil
	}
	if h.Schema > MaxSchema && h.Schema <= maxReservedSchema {
		return h.ReduceResolution(MaxSchema)
	}
	return h.Validate()
}

func (r Rules) applyExemplars(refused []Refusal, index int, ts *TimeSeries) []Refusal {
	es, kept := ts.Exemplars, 0
	for i := range es {
		es[i].Labels = es[i].Labels.Normalize()
		if err := es[i].Validate(r.Names); err != nil {
			refused = appendRefusal(refused, index, ts.Labels, es[i].Timestamp, err)
			continue
		}
		if kept != i {
			es[kept], es[i] = es[i], es[kept]
		}
		kept++
	}
	ts.Exemplars = es[:kept]
	return refused
}

// appendRefusal names what is refused. Refusals of one series share one copy of its labels.
func appendRefusal(refused []Refusal, index int, ls Labels, timestamp int64, err error) []Refusal {
	if len(refused) >= maxDetailedRefusals {
		return append(refused, Refusal{Series: index, Timestamp: timestamp, Reason: bare(err)})
	}
	if n := len(refused); n > 0 && refused[n-1].Series == index {
		ls = refused[n-1].Labels
	} else {
		ls = shorten(ls).Clone()
	}
	return append(refused, Refusal{index, ls, timestamp, err})
}

// bare returns the reason without details: what err wraps in the end, and of several errors the first.
func bare(err error) error {
	for {
		var inner error
		switch e := err.(type) { //nolint:errorlint // walks the chain of wrapped errors itself
		case interface{ Unwrap() error }:
			inner = e.Unwrap()
		case interface{ Unwrap() []error }:
			if all := e.Unwrap(); len(all) > 0 {
				inner = all[0]
			}
		}
		if inner == nil {
			return err
		}
		err = inner
	}
}

// ApplyAll applies r to every series of req and takes out those of which nothing is left; the order of the others
// stays. What is taken out stays behind the end of req.Timeseries, so that pooled memory is neither lost nor shared.
//
// Refusals are appended to refused. The second result says which series are gone, in the memory of removed, whose
// content does not matter: with it, [Removed.Index] and [Removed.AppendRefusals] turn the indices of a store that
// saw the shortened request into those of the request as it came. A valid request costs no allocation.
func (r Rules) ApplyAll(req *WriteRequest, refused []Refusal, removed Removed) ([]Refusal, Removed) {
	removed = removed[:0]
	all, kept := req.Timeseries, 0
	for i := range all {
		var keep bool
		if refused, keep = r.Apply(refused, i, &all[i]); !keep {
			removed = append(removed, i)
			continue
		}
		if kept != i {
			all[kept], all[i] = all[i], all[kept]
		}
		kept++
	}
	req.Timeseries = all[:kept]
	return refused, removed
}

// Removed holds the indices of the series that were taken out of a request, ascending. The zero value stands for an
// unchanged request.
type Removed []int

// Index returns the index in the request as it came of the series that is now at position i.
func (r Removed) Index(i int) int {
	// Position i has k removed series before it, where k is the first for which removed[k] lies behind i+k.
	return i + sort.Search(len(r), func(k int) bool { return r[k]-k > i })
}

// AppendRefusals appends refusals of the shortened request to dst, with the indices of the request as it came.
func (r Removed) AppendRefusals(dst, refused []Refusal) []Refusal {
	for _, f := range refused {
		f.Series = r.Index(f.Series)
		dst = append(dst, f)
	}
	return dst
}
