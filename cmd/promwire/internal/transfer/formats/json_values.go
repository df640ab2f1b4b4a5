package formats

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/promwire/promwire"
)

// maxJSONLabels bounds the text of the labels of a series, in bytes.
const maxJSONLabels = 1 << 20

// jsonLabels are an object of strings. A name that comes twice is an error, not the last one's.
type jsonLabels []promwire.Label

// UnmarshalJSON implements json.Unmarshaler.
func (l *jsonLabels) UnmarshalJSON(text []byte) error {
	if len(text) > maxJSONLabels {
		return fmt.Errorf("%w: labels of more than %d bytes", promwire.ErrTooLarge, maxJSONLabels)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return errors.New("labels are not an object")
	}
	*l = jsonLabels{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return err
		}
		value, err := d.Token()
		if err != nil {
			return err
		}
		v, isString := value.(string)
		if !isString {
			return fmt.Errorf("label %.40q is not a string", name)
		}
		*l = append(*l, promwire.Label{Name: name.(string), Value: v})
	}
	return nil
}

// jsonValues are numbers, null for NaN, or strings for what JSON has no number for: Infinity, -Infinity, NaN, stale,
// nan:BITS. Or they are pairs of a time in seconds and a value, as in the HTTP API of Prometheus.
type jsonValues struct {
	values []float64
	times  []int64 // of pairs
}

// UnmarshalJSON implements json.Unmarshaler.
func (v *jsonValues) UnmarshalJSON(text []byte) error {
	*v = jsonValues{values: make([]float64, 0, countElements(text))}
	return eachElement(text, func(element []byte) error {
		if len(element) > 0 && element[0] == '[' {
			return v.pair(element)
		}
		n, err := jsonNumber(element)
		v.values = append(v.values, n)
		return err
	})
}

// pair reads a time and a value.
func (v *jsonValues) pair(text []byte) error {
	var parts [2]float64
	n := 0
	err := eachElement(text, func(element []byte) (err error) {
		if n == len(parts) {
			return errors.New("a pair has more than two elements")
		}
		parts[n], err = jsonNumber(element)
		n++
		return err
	})
	ms := math.Round(parts[0] * 1000)
	switch {
	case err != nil:
		return err
	case n != len(parts) || len(v.times) != len(v.values) || !(math.Abs(ms) < 1<<53):
		return fmt.Errorf("%.40q is not a pair of a time and a value", text)
	}
	v.times, v.values = append(v.times, int64(ms)), append(v.values, parts[1])
	return nil
}

// jsonTimes are integers: milliseconds.
type jsonTimes []int64

// UnmarshalJSON implements json.Unmarshaler.
func (t *jsonTimes) UnmarshalJSON(text []byte) error {
	*t = make(jsonTimes, 0, countElements(text))
	return eachElement(text, func(element []byte) error {
		n, err := strconv.ParseInt(string(element), 10, 64)
		if err != nil {
			return fmt.Errorf("timestamp %.40q is not a number of milliseconds", element)
		}
		*t = append(*t, n)
		return nil
	})
}

// jsonNumber reads an element of an array of values.
func jsonNumber(element []byte) (float64, error) {
	if string(element) == "null" {
		return math.NaN(), nil
	}
	if len(element) > 1 && element[0] == '"' {
		element = element[1 : len(element)-1]
	}
	return parseFloat(string(element))
}

// eachElement calls do with the elements of a valid JSON array of scalars, or of arrays of these.
func eachElement(text []byte, do func(element []byte) error) error {
	text = bytes.TrimSpace(text)
	if string(text) == "null" {
		return nil
	}
	if len(text) < 2 || text[0] != '[' {
		return fmt.Errorf("%.40q is not an array", text)
	}
	text = bytes.TrimSpace(text[1 : len(text)-1])
	for len(text) > 0 {
		end := elementEnd(text)
		if err := do(bytes.TrimSpace(text[:end])); err != nil {
			return err
		}
		if end == len(text) {
			return nil
		}
		text = text[end+1:]
	}
	return nil
}

// elementEnd returns the place of the comma behind the first element, or the end.
func elementEnd(text []byte) int {
	depth, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '[' || c == '{':
			depth++
		case c == ']' || c == '}':
			depth--
		case c == ',' && depth == 0:
			return i
		}
	}
	return len(text)
}

// specials are what older VictoriaMetrics write without quotes, which is no JSON.
var specials = [][]byte{[]byte("NaN"), []byte("+Inf"), []byte("-Inf"), []byte("Inf")}

// quoteSpecials puts quotes around them.
func quoteSpecials(text []byte) (out []byte, changed bool) {
	quoted := false
	for i := 0; i < len(text); i++ {
		c := text[i]
		out = append(out, c)
		switch {
		case quoted && c == '\\' && i+1 < len(text):
			i++
			out = append(out, text[i])
		case c == '"':
			quoted = !quoted
		case !quoted && (c == '[' || c == ','):
			for _, s := range specials {
				if bytes.HasPrefix(text[i+1:], s) {
					out = append(append(append(out, '"'), s...), '"')
					i += len(s)
					changed = true
					break
				}
			}
		}
	}
	return out, changed
}
