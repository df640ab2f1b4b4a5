package promwire_test

import (
	"bytes"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/promwire/promwire"
)

// naiveV1 encodes like nobody would in production: each message on its own, from the inside outwards.
func naiveV1(req *promwire.WriteRequest) msg {
	var out msg
	for i := range req.Timeseries {
		ts := &req.Timeseries[i]
		m := naiveLabels(ts.Labels)
		for _, s := range ts.Samples {
			m = m.sub(2, naiveSample(s.Value, s.Timestamp, 0))
		}
		for _, e := range ts.Exemplars {
			m = m.sub(3, naiveLabels(e.Labels), naiveExemplar(&e))
		}
		for k := range ts.Histograms {
			m = m.sub(4, naiveHistogram(&ts.Histograms[k]))
		}
		out = out.sub(1, m)
	}
	for _, m := range req.Metadata {
		out = out.sub(3, optional(1, int64(m.Type)), text(2, m.Family), text(4, m.Help), text(5, m.Unit))
	}
	return out
}

func naiveV2(req *promwire.WriteRequest) msg {
	table, numbers := msg{}.str(4, ""), map[string]uint64{"": 0}
	ref := func(s string) uint64 {
		if _, known := numbers[s]; !known {
			numbers[s] = uint64(len(numbers))
			table = table.str(4, s)
		}
		return numbers[s]
	}
	refs := func(ls promwire.Labels) (m msg) {
		var all []uint64
		for _, l := range ls {
			all = append(all, ref(l.Name), ref(l.Value))
		}
		if len(all) == 0 {
			return nil
		}
		return m.uints(1, all...)
	}
	var out msg
	for i := range req.Timeseries {
		ts := &req.Timeseries[i]
		m := refs(ts.Labels)
		for _, s := range ts.Samples {
			m = m.sub(2, naiveSample(s.Value, s.Timestamp, s.StartTimestamp))
		}
		for k := range ts.Histograms {
			m = m.sub(3, naiveHistogram(&ts.Histograms[k]), optional(17, ts.Histograms[k].StartTimestamp))
		}
		for _, e := range ts.Exemplars {
			m = m.sub(4, refs(e.Labels), naiveExemplar(&e))
		}
		help, unit := ref(ts.Metadata.Help), ref(ts.Metadata.Unit)
		m = m.sub(5, optional(1, int64(ts.Metadata.Type)), optional(3, int64(help)), optional(4, int64(unit)))
		out = out.sub(5, m)
	}
	return append(table, out...)
}

func optional(field int, v int64) msg {
	if v == 0 {
		return nil
	}
	return msg{}.int(field, v)
}

func text(field int, s string) msg {
	if s == "" {
		return nil
	}
	return msg{}.str(field, s)
}

func double(field int, v float64) msg {
	if math.Float64bits(v) == 0 {
		return nil
	}
	return msg{}.double(field, v)
}

func join(parts ...msg) msg { return msg(bytes.Join(asBytes(parts), nil)) }

func asBytes(parts []msg) [][]byte {
	var out [][]byte
	for _, p := range parts {
		out = append(out, p)
	}
	return out
}

func naiveLabels(ls promwire.Labels) (m msg) {
	for _, l := range ls {
		m = m.sub(1, text(1, l.Name), text(2, l.Value))
	}
	return m
}

func naiveSample(v float64, t, start int64) msg {
	return join(double(1, v), optional(2, t), optional(3, start))
}

func naiveExemplar(e *promwire.Exemplar) msg {
	return join(double(2, e.Value), optional(3, e.Timestamp))
}

func naiveHistogram(h *promwire.Histogram) msg {
	count, zero := msg{}.uint(1, h.Count), msg{}.uint(6, h.ZeroCount)
	if h.IsFloat {
		count, zero = msg{}.double(2, h.CountFloat), msg{}.double(7, h.ZeroCountFloat)
	}
	m := join(count, double(3, h.Sum), optional(4, int64(zigzag(int64(h.Schema)))), double(5, h.ZeroThreshold), zero)
	m = join(m, naiveSpans(8, h.NegativeSpans), naiveBuckets(9, h.IsFloat, h.NegativeDeltas, h.NegativeCounts))
	m = join(m, naiveSpans(11, h.PositiveSpans), naiveBuckets(12, h.IsFloat, h.PositiveDeltas, h.PositiveCounts))
	m = join(m, optional(14, int64(h.ResetHint)), optional(15, h.Timestamp))
	if len(h.CustomValues) > 0 {
		m = m.doubles(16, h.CustomValues...)
	}
	return m
}

func naiveSpans(field int, spans []promwire.BucketSpan) (m msg) {
	for _, s := range spans {
		m = m.sub(field, optional(1, int64(zigzag(int64(s.Offset)))), optional(2, int64(s.Length)))
	}
	return m
}

func naiveBuckets(field int, isFloat bool, deltas []int64, counts []float64) msg {
	switch {
	case isFloat && len(counts) > 0:
		return msg{}.doubles(field+1, counts...)
	case !isFloat && len(deltas) > 0:
		return msg{}.sints(field, deltas...)
	}
	return nil
}

// randomRequest makes a request with lengths and numbers of all sizes; that of 2.0 has no family metadata.
func randomRequest(r *rand.Rand, kind promwire.MessageType) *promwire.WriteRequest {
	req := &promwire.WriteRequest{}
	for range r.IntN(6) {
		ts := promwire.TimeSeries{Labels: randomLabels(r)}
		for range randomLength(r) {
			s := promwire.Sample{Value: randomFloat(r), Timestamp: randomInt(r)}
			if kind == v2 {
				s.StartTimestamp = randomInt(r)
			}
			ts.Samples = append(ts.Samples, s)
		}
		for range r.IntN(3) {
			ts.Exemplars = append(ts.Exemplars, promwire.Exemplar{Labels: randomLabels(r), Value: randomFloat(r), Timestamp: randomInt(r)})
		}
		for range r.IntN(3) {
			ts.Histograms = append(ts.Histograms, randomHistogram(r, kind))
		}
		m := promwire.Metadata{Type: promwire.MetricType(randomInt(r)), Help: randomText(r), Unit: randomText(r)}
		if kind == v2 {
			ts.Metadata = m
		} else {
			req.Metadata = append(req.Metadata, promwire.MetricMetadata{Metadata: m, Family: randomText(r)})
		}
		req.Timeseries = append(req.Timeseries, ts)
	}
	return req
}

func randomHistogram(r *rand.Rand, kind promwire.MessageType) promwire.Histogram {
	h := promwire.Histogram{
		IsFloat: r.IntN(2) == 0, Timestamp: randomInt(r), Schema: int32(randomInt(r)), Sum: randomFloat(r),
		ZeroThreshold: randomFloat(r), ResetHint: promwire.ResetHint(randomInt(r)),
	}
	if kind == v2 {
		h.StartTimestamp = randomInt(r)
	}
	for range randomLength(r) / 4 {
		span := promwire.BucketSpan{Offset: int32(randomInt(r)), Length: uint32(randomInt(r))}
		h.NegativeSpans = append(h.NegativeSpans, span)
		h.PositiveSpans = append(h.PositiveSpans, span, span)
		h.CustomValues = append(h.CustomValues, randomFloat(r))
	}
	if h.IsFloat {
		h.CountFloat, h.ZeroCountFloat = randomFloat(r), randomFloat(r)
	} else {
		h.Count, h.ZeroCount = uint64(randomInt(r)), uint64(randomInt(r))
	}
	for range randomLength(r) {
		if h.IsFloat {
			h.NegativeCounts = append(h.NegativeCounts, randomFloat(r))
			h.PositiveCounts = append(h.PositiveCounts, randomFloat(r))
		} else {
			h.NegativeDeltas = append(h.NegativeDeltas, randomInt(r))
			h.PositiveDeltas = append(h.PositiveDeltas, randomInt(r))
		}
	}
	return h
}

func randomLabels(r *rand.Rand) (ls promwire.Labels) {
	for range r.IntN(5) {
		ls = append(ls, promwire.Label{Name: randomText(r), Value: randomText(r)})
	}
	return ls
}

// randomText is short and often repeated, now and then of a length that takes two or three bytes, or empty.
func randomText(r *rand.Rand) string {
	switch n := r.IntN(40); n {
	case 0, 1:
		return ""
	case 2:
		return strings.Repeat("long", 25+r.IntN(15))
	case 3:
		return strings.Repeat("longer", 2700+r.IntN(100))
	default:
		return strings.Repeat(string(rune('a'+r.IntN(26))), 1+n/4)
	}
}

func randomLength(r *rand.Rand) int {
	if r.IntN(10) == 0 {
		return r.IntN(2000)
	}
	return r.IntN(12)
}

func randomInt(r *rand.Rand) int64 {
	if r.IntN(4) == 0 {
		return 0
	}
	return int64(r.Uint64()) >> r.IntN(64)
}

func randomFloat(r *rand.Rand) float64 {
	special := []float64{0, math.Copysign(0, -1), promwire.StaleNaN(), math.NaN(), math.Inf(-1), 1}
	if n := r.IntN(2 * len(special)); n < len(special) {
		return special[n]
	}
	return math.Float64frombits(r.Uint64())
}

// TestEncodeRandom compares with the naive encoding, and decodes again. One request and one Encoder serve all rounds.
func TestEncodeRandom(t *testing.T) {
	var back promwire.WriteRequest
	encoders := map[promwire.MessageType]*promwire.Encoder{v1: promwire.NewEncoder(v1), v2: promwire.NewEncoder(v2)}
	for seed := range uint64(300) {
		for kind, naive := range map[promwire.MessageType]func(*promwire.WriteRequest) msg{v1: naiveV1, v2: naiveV2} {
			req := randomRequest(rand.New(rand.NewPCG(seed, 1)), kind)
			got, err := req.AppendProto(nil, kind)
			if want := naive(req); err != nil || !bytes.Equal(got, want) {
				t.Fatalf("seed %d, %s: %d bytes, %v; want %d", seed, kind, len(got), err, len(want))
			}
			if err := back.UnmarshalProto(got, kind); err != nil || !sameRequest(&back, req) {
				t.Fatalf("seed %d, %s: other values after decoding, %v", seed, kind, err)
			}
			req.Metadata = nil
			got = encodeWithHandles(t, encoders[kind], req)
			if err := back.UnmarshalProto(got, kind); err != nil || !sameRequest(&back, req) {
				t.Fatalf("seed %d, %s: other values from the Encoder, %v", seed, kind, err)
			}
		}
	}
}

// keepOneForm empties the fields of histograms that belong to the form they do not have, and are not sent.
func keepOneForm(req *promwire.WriteRequest) {
	for i := range req.Timeseries {
		for k := range req.Timeseries[i].Histograms {
			h := &req.Timeseries[i].Histograms[k]
			if h.IsFloat {
				h.Count, h.ZeroCount, h.PositiveDeltas, h.NegativeDeltas = 0, 0, nil, nil
			} else {
				h.CountFloat, h.ZeroCountFloat, h.PositiveCounts, h.NegativeCounts = 0, 0, nil, nil
			}
		}
	}
}

// FuzzRoundTrip encodes what it can decode, and decodes it again.
func FuzzRoundTrip(f *testing.F) {
	for _, tt := range encodeCases() {
		f.Add(unhex(f, tt.hex), tt.kind == v2)
	}
	for _, v := range vectors {
		f.Add(unhex(f, v.hex), v.t == v2)
	}
	f.Add([]byte(msg{}.str(4, "").sub(5, msg{}.sub(3, msg{}.uint(1, 1).double(7, 1)))), true) // both forms
	f.Fuzz(func(t *testing.T, src []byte, second bool) {
		kind := v1
		if second {
			kind = v2
		}
		var req, back promwire.WriteRequest
		if req.UnmarshalProto(src, kind) != nil {
			return
		}
		keepOneForm(&req)
		got, err := req.AppendProto(nil, kind)
		if err != nil {
			t.Fatal(err)
		}
		if err := back.UnmarshalProto(got, kind); err != nil || !sameRequest(&back, &req) {
			t.Fatalf("%x\nbecame %x\n%+v\nbecame %+v, %v", src, got, req, back, err)
		}
		again, err := back.AppendProto(nil, kind)
		if err != nil || !bytes.Equal(again, got) {
			t.Fatalf("second encoding %x, %v; first %x", again, err, got)
		}
		req.Metadata = nil
		if err := back.UnmarshalProto(encodeWithHandles(t, promwire.NewEncoder(kind), &req), kind); err != nil || !sameRequest(&back, &req) {
			t.Fatalf("other values from the Encoder: %+v, %v; want %+v", back, err, req)
		}
	})
}
