package promwire_test

import (
	"testing"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/workload"
)

// BenchmarkDecode reads messages of the workloads, without compression; the module bench compares with other
// libraries.
func BenchmarkDecode(b *testing.B) {
	ways := []struct {
		name string
		run  func(b *testing.B, src []byte, t promwire.MessageType)
	}{
		{"walk", func(b *testing.B, src []byte, t promwire.MessageType) {
			benchmarkWalk(b, src, t, (*promwire.Decoder).Next)
		}},
		{"raw", func(b *testing.B, src []byte, t promwire.MessageType) {
			benchmarkWalk(b, src, t, (*promwire.Decoder).NextRaw)
		}},
		{"request", func(b *testing.B, src []byte, t promwire.MessageType) {
			var req promwire.WriteRequest
			benchmarkUnmarshal(b, func() error { return req.UnmarshalProtoAlias(src, t) })
		}},
		{"request-copy", func(b *testing.B, src []byte, t promwire.MessageType) {
			var req promwire.WriteRequest
			benchmarkUnmarshal(b, func() error { return req.UnmarshalProto(src, t) })
		}},
		{"request-new", func(b *testing.B, src []byte, t promwire.MessageType) {
			benchmarkUnmarshal(b, func() error { return new(promwire.WriteRequest).UnmarshalProto(src, t) })
		}},
	}
	for _, set := range workload.Sets() {
		for version, t := range []promwire.MessageType{v1, v2} {
			src := encode(b, set.Make(), t)
			for _, way := range ways {
				b.Run([]string{"1.0/", "2.0/"}[version]+set.Name+"/"+way.name, func(b *testing.B) {
					b.SetBytes(int64(len(src)))
					b.ReportAllocs()
					way.run(b, src, t)
				})
			}
		}
	}
}

func benchmarkWalk(b *testing.B, src []byte, t promwire.MessageType, next func(*promwire.Decoder) bool) {
	var d promwire.Decoder
	for b.Loop() {
		for d.Reset(src, t); next(&d); {
		}
		if d.Err() != nil {
			b.Fatal(d.Err())
		}
	}
}

func benchmarkUnmarshal(b *testing.B, op func() error) {
	for b.Loop() {
		if err := op(); err != nil {
			b.Fatal(err)
		}
	}
}
