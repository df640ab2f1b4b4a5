package spool_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/promwire/promwire/spool"
)

const fuzzSalt = 0x12345678

// FuzzScan reads arbitrary bytes as a segment: nothing panics, and what is found is in there with its checksum.
func FuzzScan(f *testing.F) {
	b, _ := spool.Segment(fuzzSalt, []byte("one"), []byte("two"), bytes.Repeat([]byte{7}, 1000))
	f.Add(b)
	f.Add(b[:len(b)-1])
	f.Add(spool.NextVersion(bytes.Clone(b)))
	f.Add([]byte(nil))
	f.Add(append(bytes.Repeat([]byte{0xa5, 0x70, 0xb5, 0xd1}, 40), b[32:]...))
	f.Fuzz(func(t *testing.T, b []byte) {
		bodies, _, err := spool.Scan(b, fuzzSalt)
		if err != nil && !errors.Is(err, spool.ErrVersion) {
			t.Fatal(err)
		}
		for _, body := range bodies {
			if !bytes.Contains(b, body) {
				t.Fatalf("%q is not in there", body)
			}
		}
	})
}

// FuzzDamage changes bytes in a segment: all records before the damage and behind it are found, as they were.
func FuzzDamage(f *testing.F) {
	f.Add(uint16(0), []byte{1})
	f.Add(uint16(40), []byte{1, 2, 3})
	f.Add(uint16(500), bytes.Repeat([]byte{0xff}, 300))
	f.Fuzz(func(t *testing.T, at uint16, noise []byte) {
		all := [][]byte{}
		for i := range 20 {
			all = append(all, fmt.Appendf(nil, "body %d %s", i, bytes.Repeat([]byte{byte(i)}, 10*i)))
		}
		b, ends := spool.Segment(fuzzSalt, all...)
		from := int(at) % len(b)
		to := min(from+len(noise), len(b))
		changed := false
		for i := from; i < to; i++ {
			b[i] ^= noise[i-from]
			changed = changed || noise[i-from] != 0
		}
		got, sound, err := spool.Scan(b, fuzzSalt)
		if errors.Is(err, spool.ErrVersion) {
			return // a checksum that fits a changed version, by the noise
		}
		if err != nil || sound == changed {
			t.Fatalf("sound %v, %v", sound, err)
		}
		start := 32
		for i, end := range ends {
			if (to <= start || from >= end) && !contains(got, all[i]) {
				t.Fatalf("record %d at %d to %d was not found; damage from %d to %d", i, start, end, from, to)
			}
			start = end
		}
		for _, body := range got {
			if !contains(all, body) {
				t.Fatalf("%q was never written", body)
			}
		}
	})
}

func contains(all [][]byte, body []byte) bool {
	for _, b := range all {
		if bytes.Equal(b, body) {
			return true
		}
	}
	return false
}
