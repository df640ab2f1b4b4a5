package chunk

import (
	"math"
	"math/bits"

	"github.com/promwire/promwire"
)

// maxXORBytes is what an XOR chunk takes at most: the count, two times and a float, per further sample 68 bits of
// time and 77 of value, and what the writer stores beyond.
const maxXORBytes = xorHeader + 10 + 8 + 10 + (maxSamples*(68+77)+7)/8 + 8

// writeXOR writes an XOR chunk of 1 to maxSamples samples.
func writeXOR(w *bitWriter, ss []promwire.Sample) {
	w.put(uint64(len(ss)), 16)
	w.varint(ss[0].Timestamp)
	value := newXORWriter(math.Float64bits(ss[0].Value))
	w.put64(value.bits, 64)
	if len(ss) == 1 {
		return
	}
	t := ss[1].Timestamp
	interval := uint64(t) - uint64(ss[0].Timestamp)
	w.uvarint(interval)
	value.put(w, math.Float64bits(ss[1].Value))
	for i := 2; i < len(ss); i++ {
		next := uint64(ss[i].Timestamp) - uint64(t)
		if next == interval {
			w.put(0, 1)
		} else {
			putIntervalChange(w, int64(next-interval))
		}
		t, interval = ss[i].Timestamp, next
		value.put(w, math.Float64bits(ss[i].Value))
	}
}

// putIntervalChange writes a delta of deltas other than zero: one to three ones and a zero in front of 14, 17 or 20
// bits, or four ones in front of 64.
func putIntervalChange(w *bitWriter, dod int64) {
	switch n := signedBits(dod); {
	case n <= 14:
		w.put(0b10<<14|uint64(dod)&(1<<14-1), 16)
	case n <= 17:
		w.put(0b110<<17|uint64(dod)&(1<<17-1), 20)
	case n <= 20:
		w.put(0b1110<<20|uint64(dod)&(1<<20-1), 24)
	default:
		w.put(0b1111, 4)
		w.put64(uint64(dod), 64)
	}
}

// xorWriter writes floats as xorFloat reads them.
type xorWriter struct {
	bits     uint64
	leading  int // bits in front of the window; 64 as long as there is none
	trailing int // bits behind it
}

func newXORWriter(bits uint64) xorWriter { return xorWriter{bits: bits, leading: 64} }

// put writes the next value.
func (x *xorWriter) put(w *bitWriter, next uint64) {
	diff := next ^ x.bits
	x.bits = next
	if diff == 0 {
		w.put(0, 1)
		return
	}
	leading, trailing := min(bits.LeadingZeros64(diff), 31), bits.TrailingZeros64(diff)
	if leading >= x.leading && trailing >= x.trailing {
		w.put(0b10, 2)
	} else {
		x.leading, x.trailing = leading, trailing
		w.put(uint64(0b11<<11|leading<<6|(64-leading-trailing)&63), 13)
	}
	w.put64(diff>>uint(x.trailing), 64-x.leading-x.trailing)
}
