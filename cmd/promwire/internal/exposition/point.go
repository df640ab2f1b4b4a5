package exposition

import (
	"cmp"
	"strings"

	"github.com/promwire/promwire"
)

// Point is one value of one series in an exposition.
type Point struct {
	Series *Series
	// Family is the metric family that the series belongs to in this exposition, nil if none was declared.
	Family *Family
	Value  float64
	// Histogram is set for native histograms, instead of Value. Its timestamps are not set.
	Histogram *promwire.Histogram
	// Timestamp is in milliseconds; HasTimestamp says whether the exposition gives one.
	Timestamp    int64
	HasTimestamp bool
	// Start is when a cumulative value started from zero, in milliseconds, 0 if the exposition does not say.
	Start int64
	// Exemplars are in the order of CompareExemplars. Those with HasTime false have no time of their own.
	Exemplars []Exemplar
	// Place is the line in a text, the metric family in a protobuf body, both counted from 1.
	Place int
}

// Exemplar is an exemplar as exposed.
type Exemplar struct {
	promwire.Exemplar
	HasTime bool
}

// CompareExemplars orders the exemplars of a series as Prometheus does and wants them: by time, value and labels. One that
// comes before the newest that it has is refused, which tells new ones from old ones without a memory of all.
func CompareExemplars(a, b *promwire.Exemplar) int {
	if c := cmp.Compare(a.Timestamp, b.Timestamp); c != 0 {
		return c
	}
	if c := cmp.Compare(a.Value, b.Value); c != 0 {
		return c
	}
	return a.Labels.Compare(b.Labels)
}

// Series is a series as exposed. A Reader returns the same one for as long as it remembers the bytes that name it.
type Series struct {
	// Labels are sorted by name and unique, with values that may be empty.
	Labels promwire.Labels
	// Data belongs to the caller.
	Data any

	starts  *starts // shared by the series of one metric, in OpenMetrics only
	created bool    // it is the series that holds the start
}

// starts is when a metric started, as its _created line says.
type starts struct {
	at    int64
	round uint64
}

// Family is what an exposition says of a metric family. Its content is complete, and valid, once Read returns.
type Family struct {
	Name string
	promwire.Metadata

	round uint64
}

// suffixes are those of the series of a family, by its type.
var suffixes = map[promwire.MetricType][]string{
	promwire.TypeCounter:        {"_total", "_created"},
	promwire.TypeHistogram:      {"_bucket", "_sum", "_count", "_created"},
	promwire.TypeGaugeHistogram: {"_bucket", "_gsum", "_gcount", "_sum", "_count"},
	promwire.TypeSummary:        {"_sum", "_count", "_created"},
	promwire.TypeInfo:           {"_info"},
}

// has reports whether a series of this name belongs to f.
func (f *Family) has(name string) bool {
	rest, found := strings.CutPrefix(name, f.Name)
	if !found {
		base, isTotal := strings.CutSuffix(f.Name, "_total") // text 0.0.4 declares counters by their full names
		return isTotal && f.Type == promwire.TypeCounter && name == base+"_created"
	}
	if rest == "" {
		return true
	}
	for _, s := range suffixes[f.Type] {
		if rest == s {
			return true
		}
	}
	return false
}

// Bad is a line that could not be read.
type Bad struct {
	Place int    // as in Point
	Text  string // of the line, cut
	Err   error
}

const (
	// maxBad bounds the bad lines that are kept of one exposition. The others are counted.
	maxBad = 10
	// maxBadText bounds what is kept of the text of a bad line, in bytes.
	maxBadText = 120
)

// Result is what an exposition holds. It is valid until the next Read.
type Result struct {
	Points []Point
	// Bad are the first ten bad lines of BadCount.
	Bad      []Bad
	BadCount int
}

func (r *Result) bad(place int, text []byte, err error) {
	r.BadCount++
	if len(r.Bad) >= maxBad {
		return
	}
	cut := text[:min(len(text), maxBadText)]
	message := err.Error()
	if len(message) > 2*maxBadText {
		err = cutError(strings.ToValidUTF8(message[:2*maxBadText], "") + "...")
	}
	r.Bad = append(r.Bad, Bad{place, strings.ToValidUTF8(string(cut), "�"), err})
}

// cutError is an error of the parser, which repeats the input, cut.
type cutError string

func (e cutError) Error() string { return string(e) }
