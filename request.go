package promwire

import "strings"

// WriteRequest is what one remote-write request carries. The same type serves 1.0 and 2.0; the message type is
// chosen when it is encoded ([WriteRequest.AppendProto]).
//
// A WriteRequest may be reused: decoding into it and [WriteRequest.Reset] keep its memory.
type WriteRequest struct {
	Timeseries []TimeSeries
	// Metadata are family metadata that belong to no series here. Only 1.0 has a place for them; encoding to 2.0
	// gives an error if there are any.
	Metadata []MetricMetadata
}

// Reset empties r and keeps its memory for reuse, that of nested slices included.
func (r *WriteRequest) Reset() {
	r.Timeseries = r.Timeseries[:0]
	r.Metadata = r.Metadata[:0]
}

// Clone returns a deep copy that shares no memory with r.
func (r *WriteRequest) Clone() *WriteRequest {
	out := &WriteRequest{}
	for i := range r.Timeseries {
		out.Timeseries = append(out.Timeseries, r.Timeseries[i].Clone())
	}
	for _, m := range r.Metadata {
		out.Metadata = append(out.Metadata, MetricMetadata{m.clone(), strings.Clone(m.Family)})
	}
	return out
}

// Stats counts what r carries.
func (r *WriteRequest) Stats() WriteStats {
	var s WriteStats
	for i := range r.Timeseries {
		s = s.Add(r.Timeseries[i].Stats())
	}
	return s
}

// Stats counts what ts carries.
func (ts *TimeSeries) Stats() WriteStats {
	return WriteStats{len(ts.Samples), len(ts.Histograms), len(ts.Exemplars)}
}

func (m Metadata) clone() Metadata {
	return Metadata{m.Type, strings.Clone(m.Help), strings.Clone(m.Unit)}
}
