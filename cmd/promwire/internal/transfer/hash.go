package transfer

import (
	"hash/crc64"
	"math"
	"math/bits"

	"github.com/promwire/promwire"
)

var table = crc64.MakeTable(crc64.ECMA)

// seriesHash is a hash of labels, the same in each process.
func seriesHash(ls promwire.Labels, buf *[]byte) uint64 {
	*buf = ls.AppendText((*buf)[:0])
	return crc64.Checksum(*buf, table)
}

// mix adds a number to a hash; the order counts.
func mix(hash, n uint64) uint64 {
	hi, lo := bits.Mul64(hash^n^0x9e3779b97f4a7c15, 0xbf58476d1ce4e5b9)
	return bits.RotateLeft64(hash, 23) ^ hi ^ lo
}

func mixSample(hash, series uint64, s *promwire.Sample) uint64 {
	return mix(mix(mix(hash, series), uint64(s.Timestamp)), math.Float64bits(s.Value))
}

func mixHistogram(hash, series uint64, h *promwire.Histogram) uint64 {
	hash = mix(mix(mix(hash, series), uint64(h.Timestamp)), math.Float64bits(h.Sum))
	return mix(mix(hash, h.Count), math.Float64bits(h.CountFloat))
}
