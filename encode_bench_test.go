package promwire_test

import (
	"testing"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/workload"
	"github.com/promwire/promwire/internal/xcompress"
)

// BenchmarkEncode makes messages of the workloads; the module bench compares with other libraries, compression
// included.
func BenchmarkEncode(b *testing.B) {
	for name, kind := range map[string]promwire.MessageType{"1.0": v1, "2.0": v2} {
		for _, set := range workload.Sets() {
			req := set.Make()
			b.Run(name+"/"+set.Name+"/structs", func(b *testing.B) { benchmarkStructs(b, req, kind) })
			b.Run(name+"/"+set.Name+"/handles", func(b *testing.B) { benchmarkHandles(b, req, kind) })
		}
	}
}

func benchmarkStructs(b *testing.B, req *promwire.WriteRequest, kind promwire.MessageType) {
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if buf, err = req.AppendProto(buf[:0], kind); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(int64(len(buf)))
}

func benchmarkHandles(b *testing.B, req *promwire.WriteRequest, kind promwire.MessageType) {
	e := promwire.NewEncoder(kind)
	handles := prepareAll(b, e, req)
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		e.Reset()
		for i, h := range handles {
			appendSeries(e, h, &req.Timeseries[i])
		}
		buf = e.AppendTo(buf[:0])
	}
	b.SetBytes(int64(len(buf)))
}

func BenchmarkSnappy(b *testing.B) {
	for _, set := range workload.Sets() {
		message := encode(b, set.Make(), v1)
		block := xcompress.AppendSnappy(nil, message)
		var buf []byte
		b.Run(set.Name+"/compress", func(b *testing.B) {
			b.SetBytes(int64(len(message)))
			for b.Loop() {
				buf = xcompress.AppendSnappy(buf[:0], message)
			}
			b.ReportMetric(float64(len(buf)), "block-bytes")
		})
		b.Run(set.Name+"/decompress", func(b *testing.B) {
			b.SetBytes(int64(len(message)))
			for b.Loop() {
				var err error
				if buf, err = xcompress.AppendDecoded(buf[:0], block, len(message)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
