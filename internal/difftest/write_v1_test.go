package difftest

import (
	"bytes"
	"testing"

	"github.com/prometheus/prometheus/prompb"

	"github.com/promwire/promwire"
)

func toV1(r *promwire.WriteRequest) *prompb.WriteRequest {
	out := &prompb.WriteRequest{}
	for i := range r.Timeseries {
		out.Timeseries = append(out.Timeseries, toSeriesV1(&r.Timeseries[i]))
	}
	for _, m := range r.Metadata {
		out.Metadata = append(out.Metadata, prompb.MetricMetadata{
			Type: prompb.MetricMetadata_MetricType(m.Type), MetricFamilyName: m.Family, Help: m.Help, Unit: m.Unit,
		})
	}
	return out
}

func toSeriesV1(ts *promwire.TimeSeries) prompb.TimeSeries {
	out := prompb.TimeSeries{Labels: toLabelsV1(ts.Labels)}
	for _, s := range ts.Samples {
		out.Samples = append(out.Samples, prompb.Sample{Timestamp: s.Timestamp, Value: s.Value})
	}
	for _, e := range ts.Exemplars {
		out.Exemplars = append(out.Exemplars, prompb.Exemplar{
			Labels: toLabelsV1(e.Labels), Value: e.Value, Timestamp: e.Timestamp,
		})
	}
	for i := range ts.Histograms {
		h := &ts.Histograms[i]
		if h.IsFloat {
			out.Histograms = append(out.Histograms, prompb.FromFloatHistogram(h.Timestamp, toFloat(h)))
		} else {
			out.Histograms = append(out.Histograms, prompb.FromIntHistogram(h.Timestamp, toInt(h)))
		}
		// The conversion takes the hint for one byte.
		out.Histograms[i].ResetHint = prompb.Histogram_ResetHint(h.ResetHint)
	}
	return out
}

func toLabelsV1(ls promwire.Labels) []prompb.Label {
	var out []prompb.Label
	for _, l := range ls {
		out = append(out, prompb.Label{Name: l.Name, Value: l.Value})
	}
	return out
}

func fromV1(r *prompb.WriteRequest) *promwire.WriteRequest {
	out := &promwire.WriteRequest{Timeseries: fromSeriesV1(r.Timeseries)}
	for _, m := range r.Metadata {
		out.Metadata = append(out.Metadata, promwire.MetricMetadata{
			Metadata: promwire.Metadata{Type: promwire.MetricType(m.Type), Help: m.Help, Unit: m.Unit},
			Family:   m.MetricFamilyName,
		})
	}
	return out
}

func fromSeriesV1(all []prompb.TimeSeries) []promwire.TimeSeries {
	var out []promwire.TimeSeries
	for _, ts := range all {
		series := promwire.TimeSeries{Labels: fromLabelsV1(ts.Labels)}
		for _, s := range ts.Samples {
			series.Samples = append(series.Samples, promwire.Sample{Timestamp: s.Timestamp, Value: s.Value})
		}
		for _, e := range ts.Exemplars {
			series.Exemplars = append(series.Exemplars, promwire.Exemplar{
				Labels: fromLabelsV1(e.Labels), Value: e.Value, Timestamp: e.Timestamp,
			})
		}
		for i := range ts.Histograms {
			series.Histograms = append(series.Histograms, fromProto(&ts.Histograms[i]))
		}
		out = append(out, series)
	}
	return out
}

func fromLabelsV1(ls []prompb.Label) promwire.Labels {
	var out promwire.Labels
	for _, l := range ls {
		out = append(out, promwire.Label{Name: l.Name, Value: l.Value})
	}
	return out
}

// checkV1 encodes a generated request with both, and lets the library decode what promwire wrote.
func checkV1(t *testing.T, s *source) {
	t.Helper()
	r := s.request(promwire.WriteV1)
	plain := positiveZeros(r)
	want, err := toV1(plain).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if got := encode(t, plain, promwire.WriteV1); !bytes.Equal(got, want) {
		t.Fatalf("got  %x\nwant %x\nfrom %+v", got, want, plain)
	}
	var decoded prompb.WriteRequest
	if err := decoded.Unmarshal(encode(t, r, promwire.WriteV1)); err != nil {
		t.Fatalf("library on promwire's message: %v", err)
	}
	if diff := diffRequest(fromV1(&decoded), r); diff != "" {
		t.Fatalf("library on promwire's message: %s", diff)
	}
}

func encode(t *testing.T, r *promwire.WriteRequest, m promwire.MessageType) []byte {
	t.Helper()
	b, err := r.AppendProto(nil, m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// compareV1 decodes a message with both.
func compareV1(t *testing.T, d *promwire.Decoder, got *promwire.WriteRequest, msg []byte) {
	t.Helper()
	var want prompb.WriteRequest
	wantErr := want.Unmarshal(msg)
	err := got.UnmarshalProto(msg, promwire.WriteV1)
	if !sameVerdict(t, err, wantErr) {
		return
	}
	if diff := diffRequest(got, fromV1(&want)); diff != "" {
		t.Fatal(diff)
	}
	checkWalks(t, d, msg, got, promwire.WriteV1)
}

func TestWriteV1(t *testing.T) { eachSource(t, 1000, checkV1) }

// TestDamagedV1 damages encoded messages.
func TestDamagedV1(t *testing.T) {
	var d promwire.Decoder
	var r promwire.WriteRequest
	eachSource(t, 1000, func(t *testing.T, s *source) {
		msg := encode(t, s.request(promwire.WriteV1), promwire.WriteV1)
		eachDamage(s, msg, func(msg []byte) { compareV1(t, &d, &r, msg) })
	})
}

func FuzzWriteV1(f *testing.F) {
	f.Add([]byte("some bytes for choices\x01\x02\x03\x00\x00\xff"))
	f.Fuzz(func(t *testing.T, data []byte) { checkV1(t, &source{data}) })
}

func FuzzWriteV1Bytes(f *testing.F) {
	seedMessages(f, func(s *source) ([]byte, error) { return toV1(s.request(promwire.WriteV1)).Marshal() })
	f.Fuzz(func(t *testing.T, msg []byte) { compareV1(t, &promwire.Decoder{}, &promwire.WriteRequest{}, msg) })
}
