package formats

import (
	"fmt"
	"math"
	"strconv"

	"github.com/promwire/promwire/cmd/promwire/internal/exposition"
)

// FormatFloat returns the fewest digits that keep the exact value, without exponent; stale and nan:BITS for the NaNs that
// are not the usual one.
func FormatFloat(v float64) string {
	if s, special := exposition.FormatSpecial(v); special {
		return s
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}

// parseFloat is the reverse of FormatFloat, and takes all that Go takes for a number.
func parseFloat(text string) (float64, error) {
	if v, special := exposition.ParseSpecial(text); special {
		return v, nil
	}
	v, err := strconv.ParseFloat(text, 64)
	switch {
	case err != nil:
		return 0, fmt.Errorf("%.40q is not a number", text)
	case math.IsNaN(v):
		return math.NaN(), nil
	default:
		return v, nil
	}
}

// exact is a float in JSON: a string, since JSON has neither NaN nor infinity.
type exact float64

// MarshalText implements encoding.TextMarshaler.
func (e exact) MarshalText() ([]byte, error) {
	if s, special := exposition.FormatSpecial(float64(e)); special {
		return []byte(s), nil
	}
	return strconv.AppendFloat(nil, float64(e), 'g', -1, 64), nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (e *exact) UnmarshalText(text []byte) error {
	v, err := parseFloat(string(text))
	*e = exact(v)
	return err
}
