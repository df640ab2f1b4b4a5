package difftest

import (
	"bytes"
	"errors"
	"testing"

	writev2 "github.com/prometheus/prometheus/prompb/io/prometheus/write/v2"

	"github.com/promwire/promwire"
)

// toV2 converts with symbols in the order of their first use: labels, labels of exemplars, help, unit.
func toV2(r *promwire.WriteRequest) *writev2.Request {
	table := writev2.NewSymbolTable()
	out := &writev2.Request{}
	for i := range r.Timeseries {
		ts := &r.Timeseries[i]
		series := writev2.TimeSeries{LabelsRefs: symbolize(&table, ts.Labels)}
		for _, s := range ts.Samples {
			series.Samples = append(series.Samples, writev2.Sample{
				Timestamp: s.Timestamp, StartTimestamp: s.StartTimestamp, Value: s.Value,
			})
		}
		for j := range ts.Histograms {
			series.Histograms = append(series.Histograms, toHistogramV2(&ts.Histograms[j]))
		}
		for _, e := range ts.Exemplars {
			series.Exemplars = append(series.Exemplars, writev2.Exemplar{
				LabelsRefs: symbolize(&table, e.Labels), Value: e.Value, Timestamp: e.Timestamp,
			})
		}
		series.Metadata = writev2.Metadata{
			Type:    writev2.Metadata_MetricType(ts.Metadata.Type),
			HelpRef: table.Symbolize(ts.Metadata.Help),
			UnitRef: table.Symbolize(ts.Metadata.Unit),
		}
		out.Timeseries = append(out.Timeseries, series)
	}
	out.Symbols = table.Symbols()
	return out
}

func symbolize(table *writev2.SymbolsTable, ls promwire.Labels) []uint32 {
	var refs []uint32
	for _, l := range ls {
		refs = append(refs, table.Symbolize(l.Name), table.Symbolize(l.Value))
	}
	return refs
}

func toHistogramV2(h *promwire.Histogram) writev2.Histogram {
	var out writev2.Histogram
	if h.IsFloat {
		out = writev2.FromFloatHistogram(h.StartTimestamp, h.Timestamp, toFloat(h))
	} else {
		out = writev2.FromIntHistogram(h.StartTimestamp, h.Timestamp, toInt(h))
	}
	// The conversion takes the hint for one byte.
	out.ResetHint = writev2.Histogram_ResetHint(h.ResetHint)
	return out
}

// fromV2 converts to the values that the symbols stand for; an error if a reference has none.
func fromV2(r *writev2.Request) (*promwire.WriteRequest, error) {
	out := &promwire.WriteRequest{}
	for i := range r.Timeseries {
		ts, err := fromSeriesV2(&r.Timeseries[i], r.Symbols)
		if err != nil {
			return nil, err
		}
		out.Timeseries = append(out.Timeseries, ts)
	}
	return out, nil
}

func fromSeriesV2(ts *writev2.TimeSeries, symbols []string) (out promwire.TimeSeries, err error) {
	if out.Labels, err = desymbolize(ts.LabelsRefs, symbols); err != nil {
		return out, err
	}
	for _, s := range ts.Samples {
		out.Samples = append(out.Samples, promwire.Sample{
			Timestamp: s.Timestamp, StartTimestamp: s.StartTimestamp, Value: s.Value,
		})
	}
	for i := range ts.Histograms {
		out.Histograms = append(out.Histograms, fromHistogramV2(&ts.Histograms[i]))
	}
	for _, e := range ts.Exemplars {
		ls, err := desymbolize(e.LabelsRefs, symbols)
		if err != nil {
			return out, err
		}
		out.Exemplars = append(out.Exemplars, promwire.Exemplar{Labels: ls, Value: e.Value, Timestamp: e.Timestamp})
	}
	out.Metadata.Type = promwire.MetricType(ts.Metadata.Type)
	if out.Metadata.Help, err = metadataSymbol(ts.Metadata.HelpRef, symbols); err != nil {
		return out, err
	}
	out.Metadata.Unit, err = metadataSymbol(ts.Metadata.UnitRef, symbols)
	return out, err
}

// metadataSymbol takes reference 0 for unset. The library takes symbol 0, which is "" by the specification.
func metadataSymbol(ref uint32, symbols []string) (string, error) {
	switch {
	case ref == 0:
		return "", nil
	case int(ref) >= len(symbols):
		return "", errRef
	default:
		return symbols[ref], nil
	}
}

var errRef = errors.New("bad symbol reference")

func desymbolize(refs []uint32, symbols []string) (promwire.Labels, error) {
	if len(refs)%2 != 0 {
		return nil, errRef
	}
	var out promwire.Labels
	for i := 0; i < len(refs); i += 2 {
		if int(refs[i]) >= len(symbols) || int(refs[i+1]) >= len(symbols) {
			return nil, errRef
		}
		out = append(out, promwire.Label{Name: symbols[refs[i]], Value: symbols[refs[i+1]]})
	}
	return out, nil
}

func fromHistogramV2(p *writev2.Histogram) promwire.Histogram {
	h := promwire.Histogram{
		Timestamp:      p.Timestamp,
		StartTimestamp: p.StartTimestamp,
		Schema:         p.Schema,
		ResetHint:      promwire.ResetHint(p.ResetHint),
		IsFloat:        p.IsFloatHistogram(),
		Sum:            p.Sum,
		ZeroThreshold:  p.ZeroThreshold,
		Count:          p.GetCountInt(),
		ZeroCount:      p.GetZeroCountInt(),
		PositiveDeltas: p.PositiveDeltas,
		NegativeDeltas: p.NegativeDeltas,
		CountFloat:     p.GetCountFloat(),
		ZeroCountFloat: p.GetZeroCountFloat(),
		PositiveCounts: p.PositiveCounts,
		NegativeCounts: p.NegativeCounts,
		CustomValues:   p.CustomValues,
	}
	for _, s := range p.PositiveSpans {
		h.PositiveSpans = append(h.PositiveSpans, promwire.BucketSpan{Offset: s.Offset, Length: s.Length})
	}
	for _, s := range p.NegativeSpans {
		h.NegativeSpans = append(h.NegativeSpans, promwire.BucketSpan{Offset: s.Offset, Length: s.Length})
	}
	return h
}

// checkV2 encodes a generated request with both, lets the library decode what promwire wrote, and promwire what the
// library's own sender would write.
func checkV2(t *testing.T, s *source) {
	t.Helper()
	r := s.request(promwire.WriteV2)
	plain := positiveZeros(r)
	message := toV2(plain)
	want, err := message.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if got := encode(t, plain, promwire.WriteV2); !bytes.Equal(got, want) {
		t.Fatalf("got  %x\nwant %x\nfrom %+v", got, want, plain)
	}
	var decoded writev2.Request
	if err := decoded.Unmarshal(encode(t, r, promwire.WriteV2)); err != nil {
		t.Fatalf("library on promwire's message: %v", err)
	}
	values, err := fromV2(&decoded)
	if err != nil {
		t.Fatalf("library on promwire's message: %v", err)
	}
	if diff := diffRequest(values, r); diff != "" {
		t.Fatalf("library on promwire's message: %s", diff)
	}
	sent, err := message.OptimizedMarshal(nil)
	if err != nil {
		t.Fatal(err)
	}
	var got promwire.WriteRequest
	if err := got.UnmarshalProto(sent, promwire.WriteV2); err != nil {
		t.Fatal(err)
	}
	if diff := diffRequest(&got, plain); diff != "" {
		t.Fatal(diff)
	}
}

// compareV2 decodes a message with both. The library does not look at symbol references while decoding; in its
// handler a bad one refuses the request, like here.
func compareV2(t *testing.T, d *promwire.Decoder, got *promwire.WriteRequest, msg []byte) {
	t.Helper()
	var decoded writev2.Request
	wantErr := decoded.Unmarshal(msg)
	var want *promwire.WriteRequest
	if wantErr == nil {
		want, wantErr = fromV2(&decoded)
	}
	err := got.UnmarshalProto(msg, promwire.WriteV2)
	if errors.Is(wantErr, errRef) && !errors.Is(err, promwire.ErrInvalidSymbolRef) && (err == nil || !intended(err)) ||
		wantErr == nil && errors.Is(err, promwire.ErrInvalidSymbolRef) {
		t.Fatalf("got error %v, library %v", err, wantErr)
	}
	if !sameVerdict(t, err, wantErr) {
		return
	}
	if diff := diffRequest(got, want); diff != "" {
		t.Fatal(diff)
	}
	checkWalks(t, d, msg, got, promwire.WriteV2)
}

func TestWriteV2(t *testing.T) { eachSource(t, 1000, checkV2) }

// TestDamagedV2 damages encoded messages.
func TestDamagedV2(t *testing.T) {
	var d promwire.Decoder
	var r promwire.WriteRequest
	eachSource(t, 1000, func(t *testing.T, s *source) {
		msg := encode(t, s.request(promwire.WriteV2), promwire.WriteV2)
		eachDamage(s, msg, func(msg []byte) { compareV2(t, &d, &r, msg) })
	})
}

func FuzzWriteV2(f *testing.F) {
	f.Add([]byte("some bytes for choices\x01\x02\x03\x00\x00\xff"))
	f.Fuzz(func(t *testing.T, data []byte) { checkV2(t, &source{data}) })
}

func FuzzWriteV2Bytes(f *testing.F) {
	seedMessages(f, func(s *source) ([]byte, error) { return toV2(s.request(promwire.WriteV2)).Marshal() })
	f.Fuzz(func(t *testing.T, msg []byte) { compareV2(t, &promwire.Decoder{}, &promwire.WriteRequest{}, msg) })
}
