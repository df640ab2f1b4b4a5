package promwire

import "slices"

// Sample is one float value of a series.
type Sample struct {
	// Timestamp is in milliseconds since the Unix epoch.
	Timestamp int64
	// StartTimestamp is when a cumulative value started from zero, in milliseconds; 0 means unset. Only Remote
	// Write 2.0 carries it.
	StartTimestamp int64
	Value          float64
}

// Exemplar ties a value to labels outside the series, such as a trace ID.
type Exemplar struct {
	Labels Labels
	Value  float64
	// Timestamp is in milliseconds since the Unix epoch.
	Timestamp int64
}

// MetricType is the type of a metric family; the numbers are those of both wire versions.
type MetricType int32

// The metric types. An unknown number from the wire is kept as it is.
const (
	TypeUnknown MetricType = iota
	TypeCounter
	TypeGauge
	TypeHistogram
	TypeGaugeHistogram
	TypeSummary
	TypeInfo
	TypeStateSet
)

// Metadata describes a series: the type, help and unit of its metric family.
type Metadata struct {
	Type       MetricType
	Help, Unit string
}

// MetricMetadata is the metadata of a metric family that stands on its own in a Remote Write 1.0 message.
type MetricMetadata struct {
	Metadata
	// Family is the metric family's name.
	Family string
}

// TimeSeries is a label set with samples, native histograms and exemplars.
//
// Samples and Histograms are each in ascending order of time. One series may occur several times in a request.
type TimeSeries struct {
	Labels     Labels
	Samples    []Sample
	Histograms []Histogram
	Exemplars  []Exemplar
	// Metadata is carried by Remote Write 2.0; a 1.0 message gets it as family metadata (see
	// [WriteRequest.AppendProto]).
	Metadata Metadata
}

// Reset empties ts and keeps its memory for reuse, that of nested slices included.
func (ts *TimeSeries) Reset() {
	ts.Labels = ts.Labels[:0]
	ts.Samples = ts.Samples[:0]
	ts.Histograms = ts.Histograms[:0]
	ts.Exemplars = ts.Exemplars[:0]
	ts.Metadata = Metadata{}
}

// Clone returns a deep copy that shares no memory with ts.
func (ts *TimeSeries) Clone() TimeSeries {
	out := TimeSeries{
		Labels:   ts.Labels.Clone(),
		Samples:  slices.Clone(ts.Samples),
		Metadata: ts.Metadata.clone(),
	}
	for i := range ts.Histograms {
		out.Histograms = append(out.Histograms, ts.Histograms[i].Clone())
	}
	for i := range ts.Exemplars {
		e := ts.Exemplars[i]
		e.Labels = e.Labels.Clone()
		out.Exemplars = append(out.Exemplars, e)
	}
	return out
}
