package difftest

import (
	"encoding/binary"
	"math"
	"math/rand"
	"testing"

	"github.com/promwire/promwire"
)

// source turns bytes into choices, so that a fuzzer's bytes become valid values and a change of one byte a change of
// one value. Behind the end all choices are zero.
type source struct{ data []byte }

func (s *source) done() bool { return len(s.data) == 0 }

func (s *source) byte() byte {
	if s.done() {
		return 0
	}
	b := s.data[0]
	s.data = s.data[1:]
	return b
}

// intn returns a number below n, which is at most 256.
func (s *source) intn(n int) int { return int(s.byte()) % n }

// one reports true once in n times.
func (s *source) one(n int) bool { return s.intn(n) == 1 }

func (s *source) uint64() uint64 {
	var b [8]byte
	s.data = s.data[copy(b[:], s.data):]
	return binary.LittleEndian.Uint64(b[:])
}

// int64 returns a number of any size, the small ones more often.
func (s *source) int64() int64 { return int64(s.uint64()) >> (s.byte() & 63) }

// float returns special values, whole numbers, decimal fractions and arbitrary bits.
func (s *source) float() float64 {
	special := [...]float64{
		0, math.Copysign(0, -1), 1, -1, math.NaN(), promwire.StaleNaN(), math.Inf(1), math.Inf(-1),
		math.MaxFloat64, math.SmallestNonzeroFloat64, math.Float64frombits(0xfff8000000000002), 0.1,
	}
	switch b := int(s.byte()); {
	case b < len(special):
		return special[b]
	case b < 80:
		return float64(b)
	case b < 160:
		return float64(s.int64()) / 1000
	default:
		return math.Float64frombits(s.uint64())
	}
}

// count returns a number that is not negative and not NaN.
func (s *source) count() float64 {
	if f := math.Abs(s.float()); f >= 0 {
		return f
	}
	return 1
}

// text returns a string of up to n bytes, now and then no UTF-8.
func (s *source) text(n int) string {
	n = s.intn(n + 1)
	b := make([]byte, 0, n)
	for range n {
		c := s.byte()
		if c < 0xf8 {
			c = 'a' + c%26
		}
		b = append(b, c)
	}
	return string(b)
}

// eachSource runs test with n sources of random bytes, the same ones every time.
func eachSource(t *testing.T, n int, test func(t *testing.T, s *source)) {
	t.Helper()
	rng := rand.New(rand.NewSource(int64(n)))
	for i := range n {
		data := make([]byte, rng.Intn(4<<10))
		rng.Read(data)
		// Runs of equal bytes give runs of equal choices.
		for j := 1; j < len(data) && i%2 == 1; j++ {
			if rng.Intn(3) > 0 {
				data[j] = data[j-1]
			}
		}
		test(t, &source{data})
		if t.Failed() {
			t.Fatalf("with source %d of %d: %x", i, n, data)
		}
	}
}
