package promwire

import "math"

// StaleNaNBits is the bit pattern that marks the end of a series (Remote Write 1.0, "Stale Markers").
const StaleNaNBits uint64 = 0x7ff0000000000002

// StaleNaN returns the stale marker. It survives copying only: any arithmetic turns it into an ordinary NaN.
func StaleNaN() float64 { return math.Float64frombits(StaleNaNBits) }

// IsStaleNaN reports whether v is the stale marker, bit for bit.
func IsStaleNaN(v float64) bool { return math.Float64bits(v) == StaleNaNBits }
