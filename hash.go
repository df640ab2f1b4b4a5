package promwire

import (
	"encoding/binary"
	"math/bits"
	"math/rand/v2"

	"github.com/promwire/promwire/internal/pb"
)

// textHash hashes label texts for hash tables. It multiplies and folds 16 bytes at a time, as Go's own hash does where
// the processor has no AES, and like that is keyed at random, so that nobody can prepare texts that collide. For the
// short texts of labels it takes half the time of [hash/maphash].
type textHash struct{ a, b uint64 }

func newTextHash() textHash { return textHash{rand.Uint64(), rand.Uint64()} }

func (h textHash) sum(s string) uint32 {
	b := pb.AsBytes(s)
	n := len(b)
	state := h.a ^ uint64(n)
	for len(b) > 16 {
		state = fold(binary.LittleEndian.Uint64(b)^h.b, binary.LittleEndian.Uint64(b[8:])^state)
		b = b[16:]
	}
	var x, y uint64
	switch n = len(b); {
	case n >= 8:
		x, y = binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[n-8:])
	case n >= 4:
		x, y = uint64(binary.LittleEndian.Uint32(b)), uint64(binary.LittleEndian.Uint32(b[n-4:]))
	case n > 0:
		x, y = uint64(b[0])<<8|uint64(b[n/2]), uint64(b[n-1])
	}
	return uint32(fold(fold(x^h.b, y^state), h.a^uint64(len(s))))
}

// fold multiplies and returns the product's halves xored.
func fold(x, y uint64) uint64 {
	hi, lo := bits.Mul64(x, y)
	return hi ^ lo
}
