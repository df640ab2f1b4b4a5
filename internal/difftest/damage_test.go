package difftest

import (
	"math/rand"
	"testing"
)

// eachDamage calls test with the message as it is and with several changes to it: bits flipped, bytes replaced,
// parts cut out or doubled.
func eachDamage(s *source, msg []byte, test func(msg []byte)) {
	test(msg)
	if len(msg) == 0 {
		return
	}
	rng := rand.New(rand.NewSource(int64(len(msg)) + int64(s.byte())))
	for range 8 {
		bad := append([]byte(nil), msg...)
		for range 1 + rng.Intn(3) {
			at := rng.Intn(len(bad))
			switch rng.Intn(5) {
			case 0:
				bad[at] ^= 1 << rng.Intn(8)
			case 1:
				bad[at] = byte(rng.Intn(256))
			case 2:
				bad = bad[:at+1]
			case 3:
				end := min(len(bad), at+1+rng.Intn(12))
				bad = append(bad[:at:at], bad[end:]...)
			case 4:
				end := min(len(bad), at+1+rng.Intn(40))
				bad = append(bad[:end:end], bad[at:]...)
			}
			if len(bad) == 0 {
				break
			}
		}
		test(bad)
	}
}

// seedMessages adds a few generated messages to a fuzzer's seeds, and hostile ones.
func seedMessages(f *testing.F, marshal func(s *source) ([]byte, error)) {
	rng := rand.New(rand.NewSource(1))
	for range 8 {
		data := make([]byte, 400)
		rng.Read(data)
		msg, err := marshal(&source{data})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(msg)
	}
	long := "\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"
	for _, s := range []string{"", "\x00", "\x0b\x0c", "\x13\x14", long, "\x0a\x02\x0a"} {
		f.Add([]byte(s))
	}
}
