package promwire_test

import (
	"math"
	"testing"

	"github.com/promwire/promwire"
)

func mustDecode(t *testing.T, src []byte, mt promwire.MessageType) *promwire.WriteRequest {
	t.Helper()
	var req promwire.WriteRequest
	if err := req.UnmarshalProto(src, mt); err != nil {
		t.Fatal(err)
	}
	return &req
}

// Exemplars and histograms swap their numbers between the versions.
func TestTrapExemplarAndHistogramNumbers(t *testing.T) {
	series := msg{}.sub(3, msg{}.double(2, 7)).sub(4, msg{}.double(3, 8))
	ts := mustDecode(t, msg{}.sub(1, series), v1).Timeseries[0]
	if len(ts.Exemplars) != 1 || ts.Exemplars[0].Value != 7 || len(ts.Histograms) != 1 || ts.Histograms[0].Sum != 8 {
		t.Errorf("1.0: 3 must be exemplars and 4 histograms, got %+v", ts)
	}
	series = msg{}.sub(3, msg{}.double(3, 8)).sub(4, msg{}.double(2, 7))
	ts = mustDecode(t, msg{}.sub(5, series), v2).Timeseries[0]
	if len(ts.Exemplars) != 1 || ts.Exemplars[0].Value != 7 || len(ts.Histograms) != 1 || ts.Histograms[0].Sum != 8 {
		t.Errorf("2.0: 3 must be histograms and 4 exemplars, got %+v", ts)
	}
}

// Values keep every bit: stale marker, other NaNs, minus zero.
func TestTrapBitsSurvive(t *testing.T) {
	for _, bits := range []uint64{
		promwire.StaleNaNBits, 0x7ff8000000000001, 0xfff0000000000123, 1 << 63, math.Float64bits(math.Inf(-1)), 1,
	} {
		v := math.Float64frombits(bits)
		v1Req := mustDecode(t, msg{}.sub(1, msg{}.sub(2, sampleMsg(v, 1)).sub(3, msg{}.double(2, v))), v1)
		v2Req := mustDecode(t, msg{}.sub(5, msg{}.sub(2, sampleMsg(v, 1).int(3, 1)).sub(4, msg{}.double(2, v))), v2)
		for _, req := range []*promwire.WriteRequest{v1Req, v2Req} {
			ts := req.Timeseries[0]
			if got := math.Float64bits(ts.Samples[0].Value); got != bits {
				t.Errorf("sample bits %x, want %x", got, bits)
			}
			if got := math.Float64bits(ts.Exemplars[0].Value); got != bits {
				t.Errorf("exemplar bits %x, want %x", got, bits)
			}
		}
	}
}

// Schema, offsets and deltas are zigzag, all else plain.
func TestTrapZigzag(t *testing.T) {
	h := mustDecode(t, msg{}.sub(1, msg{}.sub(4, msg{}.uint(4, 1).uint(15, 1).uint(14, 1).uint(1, 1).uint(12, 1).
		uints(9, 3, 4).sub(8, msg{}.uint(1, 5).uint(2, 5)))), v1).Timeseries[0].Histograms[0]
	want := promwire.Histogram{
		Schema: -1, Timestamp: 1, ResetHint: 1, Count: 1, PositiveDeltas: []int64{-1}, NegativeDeltas: []int64{-2, 2},
		NegativeSpans: []promwire.BucketSpan{{Offset: -3, Length: 5}},
	}
	if !sameRequest(histogramRequest(h), histogramRequest(want)) {
		t.Errorf("got %+v, want %+v", h, want)
	}
}

func histogramRequest(h promwire.Histogram) *promwire.WriteRequest {
	return &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{{Histograms: []promwire.Histogram{h}}}}
}

// The start timestamp has moved from the series to the sample.
func TestTrapLegacyCreatedTimestamps(t *testing.T) {
	series := msg{}.int(6, 500).sub(2, sampleMsg(1, 1000)).sub(2, sampleMsg(1, 2000).int(3, 900)).
		sub(3, msg{}.int(15, 3000)).sub(3, msg{}.int(15, 4000).int(17, 950))
	for _, legacy := range []bool{false, true} {
		d := promwire.Decoder{LegacyCreatedTimestamps: legacy}
		d.Reset(msg{}.sub(5, series).sub(5, msg{}.sub(2, sampleMsg(1, 1)).uint(6, 0)), v2)
		if !d.Next() {
			t.Fatal(d.Err())
		}
		unset := int64(0)
		if legacy {
			unset = 500
		}
		ts := d.Series()
		got := [4]int64{
			ts.Samples[0].StartTimestamp, ts.Samples[1].StartTimestamp,
			ts.Histograms[0].StartTimestamp, ts.Histograms[1].StartTimestamp,
		}
		if want := [4]int64{unset, 900, unset, 950}; got != want {
			t.Errorf("legacy %v: starts %v, want %v", legacy, got, want)
		}
		if !d.Next() || d.Series().Samples[0].StartTimestamp != 0 {
			t.Errorf("legacy %v: second series has the start of the first", legacy)
		}
	}
	d := promwire.Decoder{LegacyCreatedTimestamps: true}
	d.Reset(msg{}.sub(1, series), v1)
	if !d.Next() || d.Series().Samples[0].StartTimestamp != 0 {
		t.Errorf("1.0 has no created timestamp: %+v, %v", d.Series(), d.Err())
	}
	d.Reset(msg{}.sub(5, msg{}.str(6, "x").sub(2, sampleMsg(1, 1))), v2)
	if !d.Next() || d.Series().Samples[0].StartTimestamp != 0 {
		t.Errorf("field 6 of another wire type must be skipped: %v", d.Err())
	}
}

// Exemplars may come without samples, in a series of their own.
func TestTrapExemplarsAlone(t *testing.T) {
	src := msg{}.str(4, "").str(4, "__name__").str(4, "m").sub(5, msg{}.uints(1, 1, 2).
		sub(4, msg{}.double(2, 1).int(3, 9)))
	ts := mustDecode(t, src, v2).Timeseries[0]
	if len(ts.Samples) != 0 || len(ts.Exemplars) != 1 || ts.Exemplars[0].Timestamp != 9 {
		t.Errorf("got %+v", ts)
	}
}

// Requests with metadata only, or with nothing, are valid.
func TestTrapMetadataOnly(t *testing.T) {
	req := mustDecode(t, msg{}.sub(3, msg{}.uint(1, 1).str(2, "f").str(4, "h").str(5, "u")).sub(3, msg{}.str(2, "g")), v1)
	if len(req.Timeseries) != 0 || len(req.Metadata) != 2 || req.Metadata[1].Family != "g" || req.Metadata[0].Unit != "u" {
		t.Errorf("got %+v", req)
	}
}

// Bytes of one version read as the other are an empty message, not an error.
func TestTrapVersionsDoNotMix(t *testing.T) {
	if req := mustDecode(t, unhex(t, vectorR1), v1); len(req.Timeseries)+len(req.Metadata) != 0 {
		t.Errorf("2.0 as 1.0: %+v", req)
	}
	if req := mustDecode(t, unhex(t, vectors[2].hex), v2); len(req.Timeseries)+len(req.Metadata) != 0 {
		t.Errorf("1.0 as 2.0: %+v", req)
	}
}
