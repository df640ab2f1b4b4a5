package bench

import (
	"testing"

	"github.com/golang/snappy"
	expv2 "github.com/prometheus/client_golang/exp/api/remote/genproto/v2"
	"github.com/prometheus/prometheus/prompb"
	writev2 "github.com/prometheus/prometheus/prompb/io/prometheus/write/v2"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/workload"
	"github.com/promwire/promwire/internal/xcompress"
)

// decoder returns the operation under measurement: snappy body in, everything in it seen.
type decoder struct {
	impl string
	msg  promwire.MessageType
	make func(b testing.TB, body []byte) func() checksum
}

var decoders = []decoder{
	{"promwire-walk", promwire.WriteV1, func(tb testing.TB, body []byte) func() checksum { return decodeWalk(tb, body, promwire.WriteV1) }},
	{"promwire-request", promwire.WriteV1, func(tb testing.TB, body []byte) func() checksum { return decodeRequest(tb, body, promwire.WriteV1) }},
	{"promwire-request-copy", promwire.WriteV1, decodeRequestCopy},
	{"easyproto", promwire.WriteV1, decodeEasyproto},
	{"prompb", promwire.WriteV1, decodePrompb},
	{"promwire-walk", promwire.WriteV2, func(tb testing.TB, body []byte) func() checksum { return decodeWalk(tb, body, promwire.WriteV2) }},
	{"promwire-request", promwire.WriteV2, func(tb testing.TB, body []byte) func() checksum { return decodeRequest(tb, body, promwire.WriteV2) }},
	{"exp-vtproto", promwire.WriteV2, decodeExp},
	{"prometheus-writev2", promwire.WriteV2, decodeWriteV2},
}

func BenchmarkDecode(b *testing.B) {
	for _, set := range workload.Sets() {
		for _, d := range decoders {
			b.Run("msg="+short(d.msg)+"/work="+set.Name+"/impl="+d.impl, func(b *testing.B) {
				op := d.make(b, body(b, set, d.msg))
				measure(b, func() { op() })
			})
		}
	}
}

// body encodes a workload with Prometheus' own code, so that no decoder meets its own encoder only.
func body(tb testing.TB, set workload.Set, t promwire.MessageType) []byte {
	return append([]byte(nil), encodeQueue(tb, set.Make(), t)()...)
}

func decodeSnappy(tb testing.TB, dst, body []byte) []byte {
	out, err := xcompress.AppendDecoded(dst[:0], body, 64<<20)
	if err != nil {
		tb.Fatal(err)
	}
	return out
}

func sumSeries(c *checksum, ts *promwire.TimeSeries) {
	for i := range ts.Labels {
		c.label(ts.Labels[i].Name, ts.Labels[i].Value)
	}
	for i := range ts.Samples {
		c.sample(ts.Samples[i].Timestamp, ts.Samples[i].Value)
	}
	for i := range ts.Histograms {
		h := &ts.Histograms[i]
		c.histogram(h.Timestamp, h.Sum, h.PositiveDeltas)
	}
}

func decodeWalk(tb testing.TB, body []byte, t promwire.MessageType) func() checksum {
	var message []byte
	var d promwire.Decoder
	return func() (c checksum) {
		message = decodeSnappy(tb, message, body)
		d.Reset(message, t)
		for d.Next() {
			sumSeries(&c, d.Series())
		}
		if err := d.Err(); err != nil {
			tb.Fatal(err)
		}
		return c
	}
}

func decodeRequest(tb testing.TB, body []byte, t promwire.MessageType) func() checksum {
	var message []byte
	var req promwire.WriteRequest
	return func() (c checksum) {
		message = decodeSnappy(tb, message, body)
		if err := req.UnmarshalProtoAlias(message, t); err != nil {
			tb.Fatal(err)
		}
		for i := range req.Timeseries {
			sumSeries(&c, &req.Timeseries[i])
		}
		return c
	}
}

func decodeRequestCopy(tb testing.TB, body []byte) func() checksum {
	var message []byte
	var req promwire.WriteRequest
	return func() (c checksum) {
		message = decodeSnappy(tb, message, body)
		if err := req.UnmarshalProto(message, promwire.WriteV1); err != nil {
			tb.Fatal(err)
		}
		for i := range req.Timeseries {
			sumSeries(&c, &req.Timeseries[i])
		}
		return c
	}
}

// golangSnappy decompresses into reused memory with the library that the peers use.
func golangSnappy(tb testing.TB, dst, body []byte) []byte {
	out, err := snappy.Decode(dst[:cap(dst)], body)
	if err != nil {
		tb.Fatal(err)
	}
	return out
}

func decodeEasyproto(tb testing.TB, body []byte) func() checksum {
	var message []byte
	return func() checksum {
		message = golangSnappy(tb, message, body)
		c, err := walkEasyproto(message)
		if err != nil {
			tb.Fatal(err)
		}
		return c
	}
}

func decodePrompb(tb testing.TB, body []byte) func() checksum {
	var message []byte
	var req prompb.WriteRequest
	return func() (c checksum) {
		message = golangSnappy(tb, message, body)
		req.Reset()
		if err := req.Unmarshal(message); err != nil {
			tb.Fatal(err)
		}
		for _, ts := range req.Timeseries {
			for _, l := range ts.Labels {
				c.label(l.Name, l.Value)
			}
			for _, s := range ts.Samples {
				c.sample(s.Timestamp, s.Value)
			}
			for i := range ts.Histograms {
				c.histogram(ts.Histograms[i].Timestamp, ts.Histograms[i].Sum, ts.Histograms[i].PositiveDeltas)
			}
		}
		return c
	}
}

func decodeExp(tb testing.TB, body []byte) func() checksum {
	var message []byte
	return func() (c checksum) {
		message = golangSnappy(tb, message, body)
		var req expv2.Request
		if err := req.UnmarshalVT(message); err != nil {
			tb.Fatal(err)
		}
		for _, ts := range req.Timeseries {
			for i := 0; i+1 < len(ts.LabelsRefs); i += 2 {
				c.label(req.Symbols[ts.LabelsRefs[i]], req.Symbols[ts.LabelsRefs[i+1]])
			}
			for _, s := range ts.Samples {
				c.sample(s.Timestamp, s.Value)
			}
			for _, h := range ts.Histograms {
				c.histogram(h.Timestamp, h.Sum, h.PositiveDeltas)
			}
		}
		return c
	}
}

func decodeWriteV2(tb testing.TB, body []byte) func() checksum {
	var message []byte
	return func() (c checksum) {
		message = golangSnappy(tb, message, body)
		var req writev2.Request
		if err := req.Unmarshal(message); err != nil {
			tb.Fatal(err)
		}
		for i := range req.Timeseries {
			ts := &req.Timeseries[i]
			for j := 0; j+1 < len(ts.LabelsRefs); j += 2 {
				c.label(req.Symbols[ts.LabelsRefs[j]], req.Symbols[ts.LabelsRefs[j+1]])
			}
			for _, s := range ts.Samples {
				c.sample(s.Timestamp, s.Value)
			}
			for j := range ts.Histograms {
				c.histogram(ts.Histograms[j].Timestamp, ts.Histograms[j].Sum, ts.Histograms[j].PositiveDeltas)
			}
		}
		return c
	}
}
