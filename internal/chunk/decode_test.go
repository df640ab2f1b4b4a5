package chunk

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/promwire/promwire"
)

func TestDecodeVectors(t *testing.T) {
	for _, v := range vectors {
		t.Run(v.name, func(t *testing.T) {
			got, err := decode(v.chunk(t))
			if err != nil {
				t.Fatal(err)
			}
			if !sameSamples(got.Samples, v.want.Samples) || !sameHistograms(got.Histograms, v.want.Histograms) {
				t.Errorf("got  %+v\nwant %+v", got, v.want)
			}
		})
	}
}

// TestDecodeTruncated cuts chunks at every byte: an error that says where, and the samples before it.
func TestDecodeTruncated(t *testing.T) {
	for _, v := range vectors {
		t.Run(v.name, func(t *testing.T) {
			c := v.chunk(t)
			whole := c.Data
			for n := range whole {
				c.Data = whole[:n:n]
				got, err := decode(c)
				var de *promwire.DecodeError
				if !errors.As(err, &de) {
					t.Fatalf("%d of %d bytes: got %v", n, len(whole), err)
				}
				at := len(got.Samples) + len(got.Histograms)
				if de.Message != name(v.encoding)+" chunk" || de.Field != fmt.Sprintf("samples[%d]", at) || de.Offset > n {
					t.Fatalf("%d of %d bytes: got %v after %d samples", n, len(whole), err, at)
				}
				if !sameSamples(got.Samples, v.want.Samples[:len(got.Samples)]) ||
					!sameHistograms(got.Histograms, v.want.Histograms[:len(got.Histograms)]) {
					t.Fatalf("%d of %d bytes: got %+v", n, len(whole), got)
				}
			}
		})
	}
}

// TestDecodeRange gives the samples within the range only, and does not look at what follows.
func TestDecodeRange(t *testing.T) {
	for _, v := range vectors {
		t.Run(v.name, func(t *testing.T) {
			c := v.chunk(t)
			times := timesOf(&v.want)
			for i, lo := range times {
				for j := i; j < len(times); j++ {
					var d Decoder
					var got promwire.TimeSeries
					if err := d.Append(&got, c, lo, times[j]); err != nil {
						t.Fatal(err)
					}
					want := v.want
					if want.Samples != nil {
						want.Samples = want.Samples[i : j+1]
					} else {
						want.Histograms = want.Histograms[i : j+1]
					}
					if !sameSamples(got.Samples, want.Samples) || !sameHistograms(got.Histograms, want.Histograms) {
						t.Errorf("%d to %d: got %+v", lo, times[j], got)
					}
				}
			}
			if len(times) == 1 {
				return
			}
			c.Data = c.Data[:len(c.Data)-2] // of the last sample
			var d Decoder
			var got promwire.TimeSeries
			if err := d.Append(&got, c, math.MinInt64, times[0]); err != nil || timesOf(&got)[0] != times[0] {
				t.Errorf("in front of a damaged sample: got %+v, %v", got, err)
			}
			if err := d.Append(&got, c, math.MinInt64, times[0]-1); err != nil || len(timesOf(&got)) != 1 {
				t.Errorf("in front of the chunk: got %+v, %v", got, err)
			}
		})
	}
}

func timesOf(ts *promwire.TimeSeries) []int64 {
	var out []int64
	for _, s := range ts.Samples {
		out = append(out, s.Timestamp)
	}
	for _, h := range ts.Histograms {
		out = append(out, h.Timestamp)
	}
	return out
}

// TestDecodeReuse decodes everything twice into the same memory, in both orders.
func TestDecodeReuse(t *testing.T) {
	var d Decoder
	var ts promwire.TimeSeries
	for i := range 2 * len(vectors) {
		for j, v := range vectors {
			if j%(i+1) > 0 {
				continue
			}
			ts.Reset()
			if err := d.Append(&ts, v.chunk(t), math.MinInt64, math.MaxInt64); err != nil {
				t.Fatal(err)
			}
			if !sameSamples(ts.Samples, v.want.Samples) || !sameHistograms(ts.Histograms, v.want.Histograms) {
				t.Errorf("%s: got %+v", v.name, ts)
			}
		}
	}
	if d.r.data != nil {
		t.Error("the decoder retains the data")
	}
}

// TestDecodeAppends keeps what is in the series, and copies the data.
func TestDecodeAppends(t *testing.T) {
	ts := promwire.TimeSeries{
		Samples:    []promwire.Sample{{Timestamp: 1}},
		Histograms: []promwire.Histogram{{Timestamp: 2}},
	}
	var d Decoder
	for _, v := range vectors {
		c := v.chunk(t)
		if err := d.Append(&ts, c, math.MinInt64, math.MaxInt64); err != nil {
			t.Fatal(err)
		}
		clear(c.Data)
	}
	samples, histograms := 1, 1
	for _, v := range vectors {
		got := promwire.TimeSeries{Samples: ts.Samples[samples:], Histograms: ts.Histograms[histograms:]}
		samples, histograms = samples+len(v.want.Samples), histograms+len(v.want.Histograms)
		got.Samples = got.Samples[:len(v.want.Samples)]
		got.Histograms = got.Histograms[:len(v.want.Histograms)]
		if !sameSamples(got.Samples, v.want.Samples) || !sameHistograms(got.Histograms, v.want.Histograms) {
			t.Errorf("%s: got %+v", v.name, got)
		}
	}
	if ts.Samples[0].Timestamp != 1 || ts.Histograms[0].Timestamp != 2 || samples != len(ts.Samples) {
		t.Errorf("got %+v", ts)
	}
}

func TestDecodeMalformed(t *testing.T) {
	ones := strings.Repeat("ff", 40)
	tests := []struct {
		name     string
		encoding promwire.ChunkEncoding
		hex      string
		tooLarge bool
		want     string
	}{
		{"no data", promwire.ChunkXOR, "", false, "shorter than the header"},
		{
			"more samples announced than there are", promwire.ChunkXOR, "ffff d00f 3ff0000000000000 e807 3097ffc0", false,
			"samples[6] at byte 18: data end too early",
		},
		{"first time too long", promwire.ChunkXOR, "0001" + ones, false, "more than 64 bits"},
		{"second time too long", promwire.ChunkXOR, "0002 d00f 3ff0000000000000" + ones, false, "samples[1]"},
		{"XOR2 time too long", promwire.ChunkXOR2, "000100" + ones, false, "more than 64 bits"},
		{"XOR2 start too long", promwire.ChunkXOR2, "000180 00 0000000000000000" + ones, false, "more than 64 bits"},
		{"unknown schema", promwire.ChunkHistogram, "000100 00 " + hexOf("1110 000111111"), false, "schema 63"},
		{
			"schema beyond 32 bits", promwire.ChunkHistogram, "000100 00 " + hexOf("11111110 "+strings.Repeat("01", 28)), true,
			"schema",
		},
		{
			"spans announced", promwire.ChunkHistogram, "000100 00 " + hexOf("0 1111110"+strings.Repeat("1", 25)), true,
			"33554431 spans",
		},
		{
			"spans that do not fit", promwire.ChunkHistogram, "000100 00 " + hexOf("0 11110 111111111111"), false,
			"data end too early",
		},
		{"a span of many buckets", promwire.ChunkHistogram, "000100 00 " +
			hexOf("0 10001 1111110"+strings.Repeat("1", 25)), true, "span of 33554431 buckets"},
		{
			"many buckets in all", promwire.ChunkHistogram, "000100 00 " +
				hexOf("0 10011 1111110 0000011111111111111111111 0 1111110 0000011111111111111111111 0"), true,
			"buckets, limit 1048576",
		},
		{
			"many buckets on both sides", promwire.ChunkFloatHistogram, "000100 00 " +
				hexOf("0 10001 1111110 0000011111111111111111111 0 10001 1111110 0000011111111111111111111 0"), true,
			"histogram has 2097150 buckets",
		},
		{
			"more buckets than data", promwire.ChunkHistogram, "000100 00 " + hexOf("0 10001 1110111111111 0 0"), false,
			"data end too early",
		},
		{"span offset beyond 32 bits", promwire.ChunkHistogram, "000100 00 " +
			hexOf("0 10001 0 11111110 "+strings.Repeat("01", 28)), true, "span offset"},
		{"bounds announced", promwire.ChunkHistogram, "000100 00 " +
			hexOf("1110 111001011 0 0 1111110"+strings.Repeat("1", 25)), true, "33554431 custom bounds"},
		{
			"bounds that do not fit", promwire.ChunkHistogram, "000100 00 " + hexOf("1110 111001011 0 0 10111"), false,
			"data end too early",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := decode(promwire.Chunk{Encoding: tt.encoding, Data: unhex(t, tt.hex)})
			var de *promwire.DecodeError
			if !errors.As(err, &de) || !strings.Contains(err.Error(), tt.want) ||
				errors.Is(err, promwire.ErrTooLarge) != tt.tooLarge {
				t.Errorf("got %v, want %q, too large: %v", err, tt.want, tt.tooLarge)
			}
		})
	}
}

// hexOf turns zeros and ones into hex.
func hexOf(s string) string {
	s = strings.ReplaceAll(s, " ", "")
	s += strings.Repeat("0", (8-len(s)%8)%8)
	var out strings.Builder
	for ; s != ""; s = s[8:] {
		var b byte
		for _, c := range s[:8] {
			b = b<<1 | byte(c-'0')
		}
		fmt.Fprintf(&out, "%02x", b)
	}
	return out.String()
}

func TestDecodeUnknownEncoding(t *testing.T) {
	for _, e := range []promwire.ChunkEncoding{0, 7, -1, math.MaxInt32} {
		_, err := decode(promwire.Chunk{Encoding: e, Data: []byte{0, 0, 0}})
		if !errors.Is(err, promwire.ErrUnsupported) || !strings.Contains(err.Error(), fmt.Sprintf("encoding %d", e)) {
			t.Errorf("%d: got %v", e, err)
		}
	}
}

// TestDecodeShared bounds what every histogram has a copy of: 4,000 spans in each of 65,535 histograms.
func TestDecodeShared(t *testing.T) {
	w := newBitWriter(nil)
	w.put(0xffff00, 24)
	w.put(0, 8) // zero threshold
	w.put(0, 1) // schema
	w.varbitUint(4000)
	for range 4000 {
		w.put(0, 2) // empty span
	}
	w.put(0, 1) // no negative spans
	w.put(0, 3) // time, count, zero count
	w.put64(0, 64)
	for range 65534 {
		w.put(0, 4)
	}
	ts, err := decode(promwire.Chunk{Encoding: promwire.ChunkHistogram, Data: w.bytes()})
	if !errors.Is(err, promwire.ErrTooLarge) || len(ts.Histograms) != maxShared/4000 {
		t.Errorf("got %d histograms, %v", len(ts.Histograms), err)
	}
}

// A bit for each bucket that has not changed is all that a histogram takes in a chunk.
func TestDecodeBucketsBounded(t *testing.T) {
	const buckets = 1000
	h := promwire.Histogram{Count: buckets, PositiveSpans: []promwire.BucketSpan{{Length: buckets}}, PositiveDeltas: make([]int64, buckets)}
	h.PositiveDeltas[0] = 1
	var e Encoder
	c := e.AppendHistograms(nil, []promwire.Histogram{h})[0]
	c.Data = append(bytes.Clone(c.Data), make([]byte, 65535*(buckets+100)/8)...) // zeros: as the one before
	binary.BigEndian.PutUint16(c.Data, 65535)
	var d Decoder
	var ts promwire.TimeSeries
	err := d.Append(&ts, c, math.MinInt64, math.MaxInt64)
	if !errors.Is(err, promwire.ErrTooLarge) || len(ts.Histograms) != maxCounts/buckets {
		t.Errorf("%v after %d histograms", err, len(ts.Histograms))
	}
}

// TestDecodeReservedSchema reduces schemas beyond the finest one in use.
func TestDecodeReservedSchema(t *testing.T) {
	var e Encoder
	h := promwire.Histogram{
		Timestamp: 1, Schema: 9, Count: 6, Sum: 1, PositiveSpans: []promwire.BucketSpan{{Offset: 1, Length: 3}},
		PositiveDeltas: []int64{1, 1, 1},
	}
	broken := h.Clone()
	broken.Timestamp, broken.Count = 2, 7
	got, err := decode(e.AppendHistograms(nil, []promwire.Histogram{h, broken})[0])
	want := promwire.Histogram{
		Timestamp: 1, Schema: 8, Count: 6, Sum: 1, PositiveSpans: []promwire.BucketSpan{{Offset: 1, Length: 2}},
		PositiveDeltas: []int64{3, 0},
	}
	if !sameHistograms(got.Histograms, []promwire.Histogram{want}) {
		t.Errorf("got %+v", got.Histograms)
	}
	if !errors.Is(err, promwire.ErrInvalidHistogram) {
		t.Errorf("got %v", err)
	}
}

func TestDecodeAllocs(t *testing.T) {
	var d Decoder
	var ts promwire.TimeSeries
	for _, v := range vectors {
		c := v.chunk(t)
		ts.Reset()
		if n := testing.AllocsPerRun(100, func() {
			ts.Reset()
			if err := d.Append(&ts, c, math.MinInt64, math.MaxInt64); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations", v.name, n)
		}
	}
}
