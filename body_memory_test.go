package promwire

import (
	"errors"
	"strings"
	"testing"
	"unsafe"

	"github.com/promwire/promwire/internal/xcompress"
)

func TestBodyMemory(t *testing.T) {
	ts := TimeSeries{
		Labels:     LabelsFromStrings("__name__", "m", "job", "a"),
		Samples:    []Sample{{Timestamp: 1, Value: 1}, {Timestamp: 2, Value: 2}},
		Histograms: []Histogram{{Timestamp: 1, Count: 1, ZeroCount: 1}},
		Exemplars:  []Exemplar{{Timestamp: 1, Value: 1, Labels: LabelsFromStrings("a", "b")}},
	}
	req := &WriteRequest{}
	for range 100 {
		req.Timeseries = append(req.Timeseries, ts)
	}
	for _, version := range []MessageType{WriteV1, WriteV2} {
		msg, err := req.AppendProto(nil, version)
		if err != nil {
			t.Fatal(err)
		}
		// What is certain to be taken, and a generous multiple of it.
		least := 100 * int(requestCostsV1[1].field+2*memLabel+2*memSample+memHistogram+memExemplar+memLabel)
		for _, tt := range []struct {
			name  string
			limit int
			fits  bool
		}{{"none", 0, true}, {"too low", least - 1, false}, {"sensible", 3 * least, true}} {
			var b Body
			b.Reset(xcompress.AppendSnappy(nil, msg), EncodingSnappy, version, len(msg))
			b.Rules.MaxMemory = tt.limit
			for range 2 {
				_, err := b.Decoded()
				if (err == nil) != tt.fits || err != nil && !errors.Is(err, ErrTooLarge) {
					t.Errorf("%s, limit %s (%d of %d): %v", version, tt.name, tt.limit, least, err)
				}
			}
		}
	}
}

// Malformed messages are for the decoder to complain about.
func TestBodyMemoryMalformed(t *testing.T) {
	for _, msg := range []string{"\x0a", "\x0a\x05", "\x0a\x01\x0a", strings.Repeat("\xff", 50), "\x07", "\x2a\x02\x1a\x7f"} {
		for _, version := range []MessageType{WriteV1, WriteV2} {
			// Unknown fields in front, so that the message is long enough to be looked at.
			if err := checkMemory(strings.Repeat("\x78\x01", 50)+msg, version, 1000); err != nil {
				t.Errorf("%q: %v", msg, err)
			}
		}
	}
}

func BenchmarkCheckMemory(b *testing.B) {
	ts := TimeSeries{Labels: LabelsFromStrings("__name__", "http_requests_total", "instance", "10.0.0.1:9090", "job", "api", "method", "get", "status", "200")}
	ts.Samples = []Sample{{Timestamp: 1_700_000_000_000, Value: 1}}
	req := &WriteRequest{}
	for range 20_000 {
		req.Timeseries = append(req.Timeseries, ts)
	}
	for _, version := range []MessageType{WriteV1, WriteV2} {
		msg, err := req.AppendProto(nil, version)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(version.Version(), func(b *testing.B) {
			b.SetBytes(int64(len(msg)))
			for b.Loop() {
				if err := checkMemory(string(msg), version, 64<<20); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// FuzzCheckMemory: what passes as small is small.
func FuzzCheckMemory(f *testing.F) {
	ts := TimeSeries{
		Labels:     LabelsFromStrings("__name__", "m"),
		Samples:    []Sample{{Timestamp: 1, Value: 1}},
		Histograms: []Histogram{{Timestamp: 1, Count: 3, PositiveSpans: []BucketSpan{{Length: 2}}, PositiveDeltas: []int64{1, 1}}},
		Exemplars:  []Exemplar{{Timestamp: 1, Labels: LabelsFromStrings("a", "b")}},
	}
	for _, version := range []MessageType{WriteV1, WriteV2} {
		msg, err := (&WriteRequest{Timeseries: []TimeSeries{ts, ts, ts}}).AppendProto(nil, version)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(msg, version == WriteV2)
	}
	f.Add([]byte(strings.Repeat("\x0a\x06\x22\x00\x1a\x00\x12\x00", 20)), false)
	f.Add([]byte("\x22\x00"+strings.Repeat("\x2a\x0a\x0a\x04\x00\x00\x00\x00\x22\x02\x0a\x00", 20)), true)
	f.Fuzz(func(t *testing.T, msg []byte, v2 bool) {
		version := WriteV1
		if v2 {
			version = WriteV2
		}
		const limit = 4096
		if err := checkMemory(string(msg), version, limit); err != nil {
			return
		}
		var d Decoder
		memory := uint64(0)
		for d.Reset(msg, version); d.Next(); {
			memory += uint64(unsafe.Sizeof(TimeSeries{})) + listMemory(d.Series())
		}
		memory += uint64(len(d.Symbols())) * uint64(unsafe.Sizeof(""))
		memory += uint64(len(d.Metadata())) * uint64(unsafe.Sizeof(MetricMetadata{}))
		if d.Err() == nil && memory > limit {
			t.Errorf("%d bytes take %d", len(msg), memory)
		}
	})
}

// listMemory returns what the lists of a series take.
func listMemory(ts *TimeSeries) uint64 {
	memory := uint64(len(ts.Labels))*memLabel + uint64(len(ts.Samples))*memSample
	for i := range ts.Histograms {
		h := &ts.Histograms[i]
		memory += memHistogram + 8*uint64(len(h.PositiveDeltas)+len(h.NegativeDeltas)+len(h.PositiveCounts)+len(h.NegativeCounts)+
			len(h.PositiveSpans)+len(h.NegativeSpans)+len(h.CustomValues))
	}
	for i := range ts.Exemplars {
		memory += memExemplar + uint64(len(ts.Exemplars[i].Labels))*memLabel
	}
	return memory
}
