package remote

import (
	"fmt"

	"github.com/promwire/promwire"
)

// encode makes the body of req as message t. It returns what the body carries, and the histograms that the message has
// no form for; a body without a message (len(p.message) == 0) means that nothing is left to send.
func (p *payload) encode(req *promwire.WriteRequest, t promwire.MessageType) (promwire.WriteStats, []promwire.Refusal, error) {
	var unfit []promwire.Refusal
	if t == promwire.WriteV1 && hasCustomBuckets(req.Timeseries) {
		req, unfit = withoutCustomBuckets(req)
	}
	var err error
	p.message, err = req.AppendProto(p.message[:0], t)
	if err != nil {
		return promwire.WriteStats{}, nil, fmt.Errorf("encode %s: %w", t, err)
	}
	p.compress()
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
