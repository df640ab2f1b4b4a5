// Package serieshash gives each series a number by which it finds its shard. The number is part of what deployments
// rely on: it is the same in every version, on every machine and after every restart.
package serieshash

import (
	"encoding/binary"
	"math/bits"

	"github.com/promwire/promwire"
)

// separator ends each name and value. It is in no valid UTF-8.
const separator = 0xff

// onStack is the size of label sets that are hashed without an allocation.
const onStack = 1024

// Labels returns the XXH64 (seed 0) of the names and values in their order, each followed by the byte 0xFF.
func Labels(ls promwire.Labels) uint64 {
	var memory [onStack]byte
	b := memory[:0]
	for i := range ls {
		b = append(append(b, ls[i].Name...), separator)
		b = append(append(b, ls[i].Value...), separator)
	}
	return Bytes(b)
}

// Shard returns which of n shards, 0 to n-1, a hash belongs to.
func Shard(hash uint64, n int) int {
	hi, _ := bits.Mul64(hash, uint64(n))
	return int(hi)
}

// Rendezvous returns which of the targets, given by the hashes of their names, a series belongs to: the one with the
// highest score. A target that is added takes its share from all others, and nothing moves between those.
func Rendezvous(series uint64, targets []uint64) int {
	best, highest := 0, uint64(0)
	for i, target := range targets {
		if score := avalanche(series ^ bits.RotateLeft64(target, 31)*prime1); score > highest || i == 0 {
			best, highest = i, score
		}
	}
	return best
}

// The primes of XXH64.
const (
	prime1 = 0x9E3779B185EBCA87
	prime2 = 0xC2B2AE3D27D4EB4F
	prime3 = 0x165667B19E3779F9
	prime4 = 0x85EBCA77C2B2AE63
	prime5 = 0x27D4EB2F165667C5
)

// Bytes returns the XXH64 of b with seed 0 (xxHash specification, "XXH64 Algorithm Description").
func Bytes(b []byte) uint64 {
	h, length := uint64(prime5), uint64(len(b))
	if len(b) >= 32 {
		h, b = stripes(b)
	}
	h += length
	for ; len(b) >= 8; b = b[8:] {
		h ^= round(0, binary.LittleEndian.Uint64(b))
		h = bits.RotateLeft64(h, 27)*prime1 + prime4
	}
	if len(b) >= 4 {
		h ^= uint64(binary.LittleEndian.Uint32(b)) * prime1
		h = bits.RotateLeft64(h, 23)*prime2 + prime3
		b = b[4:]
	}
	for _, c := range b {
		h ^= uint64(c) * prime5
		h = bits.RotateLeft64(h, 11) * prime1
	}
	return avalanche(h)
}

// stripes takes 32 bytes at a time, and returns what is left.
func stripes(b []byte) (uint64, []byte) {
	lane := [4]uint64{0, prime2, 0, 0}
	lane[0] = lane[1] + prime1
	lane[3] -= prime1
	for ; len(b) >= 32; b = b[32:] {
		for i := range lane {
			lane[i] = round(lane[i], binary.LittleEndian.Uint64(b[8*i:]))
		}
	}
	h := bits.RotateLeft64(lane[0], 1) + bits.RotateLeft64(lane[1], 7) +
		bits.RotateLeft64(lane[2], 12) + bits.RotateLeft64(lane[3], 18)
	for i := range lane {
		h = (h^round(0, lane[i]))*prime1 + prime4
	}
	return h, b
}

func round(lane, input uint64) uint64 {
	return bits.RotateLeft64(lane+input*prime2, 31) * prime1
}

// avalanche spreads each bit over all.
func avalanche(h uint64) uint64 {
	h = (h ^ h>>33) * prime2
	h = (h ^ h>>29) * prime3
	return h ^ h>>32
}
