package remote

import (
	"fmt"

	"github.com/promwire/promwire"
)

// encode makes the body of req in format f. It returns what the body carries, and the histograms that the message has
// no form for; an empty body means that nothing is left to send.
func (p *payload) encode(req *promwire.WriteRequest, f format) (promwire.WriteStats, []promwire.Refusal, error) {
	var unfit []promwire.Refusal
	if f.message == promwire.WriteV1 && hasCustomBuckets(req.Timeseries) {
		req, unfit = withoutCustomBuckets(req)
	}
	if f.message == promwire.WriteV2 && hasMixed(req.Timeseries) {
		req = splitMixed(req)
	}
	var err error
	if p.message, err = req.AppendProto(p.message[:0], f.message); err != nil {
		return promwire.WriteStats{}, nil, fmt.Errorf("encode %s: %w", f.message, err)
	}
	if p.compressed = p.compressed[:0]; len(p.message) == 0 {
		return promwire.WriteStats{}, unfit, nil
	}
	if p.compressed, err = f.compression.AppendEncoded(p.compressed, p.message); err != nil {
		return promwire.WriteStats{}, nil, fmt.Errorf("compress %s: %w", f.compression.ContentEncoding(), err)
	}
	return req.Stats(), unfit, nil
}

func hasCustomBuckets(series []promwire.TimeSeries) bool {
	for i := range series {
		for j := range series[i].Histograms {
			if series[i].Histograms[j].Schema == promwire.CustomBucketsSchema {
				return true
			}
		}
	}
	return false
}

// withoutCustomBuckets returns a copy of req that lacks the histograms with custom buckets, and a refusal for each.
func withoutCustomBuckets(req *promwire.WriteRequest) (*promwire.WriteRequest, []promwire.Refusal) {
	out := &promwire.WriteRequest{Metadata: req.Metadata}
	var refused []promwire.Refusal
	for i, ts := range req.Timeseries {
		all := ts.Histograms
		ts.Histograms = nil
		for j := range all {
			if all[j].Schema != promwire.CustomBucketsSchema {
				ts.Histograms = append(ts.Histograms, all[j])
				continue
			}
			refused = append(refused, promwire.Refusal{
				Series: i, Labels: ts.Labels.Clone(), Timestamp: all[j].Timestamp,
				Reason: fmt.Errorf("%w: custom buckets have no form in Remote Write 1.0", promwire.ErrInvalidHistogram),
			})
		}
		if len(all) == 0 || ts.Stats() != (promwire.WriteStats{}) {
			out.Timeseries = append(out.Timeseries, ts)
		}
	}
	return out, refused
}

func hasMixed(series []promwire.TimeSeries) bool {
	for i := range series {
		if len(series[i].Samples) > 0 && len(series[i].Histograms) > 0 {
			return true
		}
	}
	return false
}

// splitMixed returns a copy of req in which no series has both samples and histograms (Remote Write 2.0, "Protobuf
// message": a series must not contain both). Exemplars stay with the samples.
func splitMixed(req *promwire.WriteRequest) *promwire.WriteRequest {
	out := &promwire.WriteRequest{Metadata: req.Metadata}
	for _, ts := range req.Timeseries {
		if len(ts.Samples) > 0 && len(ts.Histograms) > 0 {
			samples := ts
			samples.Histograms = nil
			out.Timeseries = append(out.Timeseries, samples)
			ts.Samples, ts.Exemplars = nil, nil
		}
		out.Timeseries = append(out.Timeseries, ts)
	}
	return out
}
