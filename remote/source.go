package remote

import (
	"fmt"
	"slices"

	"github.com/promwire/promwire"
)

// source is a request that can be put into any format.
type source interface {
	// fill makes the body of p. It returns what the body carries, and the items that it has no form for; an empty body
	// means that nothing is left to send.
	fill(p *payload, f format) (sent promwire.WriteStats, unfit []promwire.Refusal, err error)
}

// requestSource is a request in memory.
type requestSource struct{ *promwire.WriteRequest }

func (s requestSource) fill(p *payload, f format) (promwire.WriteStats, []promwire.Refusal, error) {
	return p.encode(s.WriteRequest, f)
}

// bodySource is a request that is encoded already. It goes out as it is if it can: copied, as the transport may read it
// after the answer, when the caller has its memory back.
type bodySource struct {
	body    *promwire.Body
	asIs    bool                   // its rules do not count for series
	request *promwire.WriteRequest // decoded, once it is needed
	refused []promwire.Refusal     // what its rules refuse
	removed promwire.Removed       // the series of the body that request lacks
}

func (s *bodySource) fill(p *payload, f format) (promwire.WriteStats, []promwire.Refusal, error) {
	if f.message != s.body.Type {
		return s.convert(p, f)
	}
	sent, err := s.body.Stats()
	if err != nil {
		return sent, nil, err
	}
	if f.compression.ContentEncoding() == encodingOf(s.body) {
		p.compressed = append(p.compressed[:0], s.body.Encoded...)
		return sent, nil, nil
	}
	message, err := s.body.Decoded()
	if err != nil {
		return promwire.WriteStats{}, nil, err
	}
	p.compressed, err = f.compression.AppendEncoded(p.compressed[:0], message)
	return sent, nil, err
}

// convert makes another message of the body.
func (s *bodySource) convert(p *payload, f format) (promwire.WriteStats, []promwire.Refusal, error) {
	if s.request == nil {
		if err := s.decode(); err != nil {
			return promwire.WriteStats{}, nil, err
		}
	}
	req := s.request
	if f.message == promwire.WriteV2 && len(req.Metadata) > 0 {
		req = withSeriesMetadata(req)
	}
	if len(req.Timeseries) == 0 && len(req.Metadata) == 0 {
		return promwire.WriteStats{}, s.refused, nil
	}
	sent, unfit, err := p.encode(req, f)
	return sent, s.removed.AppendRefusals(slices.Clip(s.refused), unfit), err
}

// decode judges what it decodes by the rules of the body.
func (s *bodySource) decode() error {
	message, err := s.body.Decoded()
	if err != nil {
		return err
	}
	var d promwire.Decoder
	d.Reset(message, s.body.Type)
	d.MaxLabelBytes = s.body.Rules.MaxLabelBytes
	req, rules := &promwire.WriteRequest{}, s.body.Rules
	var refused []promwire.Refusal
	for rules.Within(&d) {
		var ts promwire.TimeSeries
		if !d.NextInto(&ts) {
			break
		}
		keep := s.asIs
		if bad := d.SeriesErr(); bad != nil {
			refused, keep = rules.Refuse(refused, d.Index(), ts.Labels, bad), false
		} else if !s.asIs {
			refused, keep = rules.Apply(refused, d.Index(), &ts)
		}
		if keep {
			req.Timeseries = append(req.Timeseries, ts)
		} else {
			s.removed = append(s.removed, d.Index())
		}
	}
	if err := rules.CheckMessage(&d); err != nil {
		return err
	}
	req.Metadata = d.Metadata()
	s.request, s.refused = req, refused
	return nil
}

// withSeriesMetadata returns a copy of req that has the metadata of families on their series, where 2.0 has its place for
// them; metadata of families without series are left out.
func withSeriesMetadata(req *promwire.WriteRequest) *promwire.WriteRequest {
	families := make(map[string]promwire.Metadata, len(req.Metadata))
	for _, m := range req.Metadata {
		families[m.Family] = m.Metadata
	}
	out := &promwire.WriteRequest{Timeseries: append([]promwire.TimeSeries(nil), req.Timeseries...)}
	for i := range out.Timeseries {
		ts := &out.Timeseries[i]
		if m, ok := families[familyOf(ts.Labels.Get("__name__"), families)]; ok {
			ts.Metadata = m
		}
	}
	return out
}

// familyOf returns the family that a series belongs to: its name, or that without the ending of a part of a family.
func familyOf(name string, families map[string]promwire.Metadata) string {
	if _, ok := families[name]; ok {
		return name
	}
	for _, ending := range []string{"_bucket", "_count", "_sum", "_total", "_created", "_info"} {
		if n := len(name) - len(ending); n > 0 && name[n:] == ending {
			return name[:n]
		}
	}
	return name
}

// encodingOf is the content encoding of b.
func encodingOf(b *promwire.Body) string {
	if b.Encoding == "" {
		return promwire.EncodingIdentity
	}
	return b.Encoding
}

// formatsOf says what a request was sent as, for errors.
func formatsOf(all []tried) string {
	text := ""
	for i := range all[:len(all)-1] {
		text += fmt.Sprintf("; before that as %s: %v", all[i].format, all[i].err)
	}
	return fmt.Sprintf("as %s%s", all[len(all)-1].format, text)
}
