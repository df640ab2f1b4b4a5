package gateway

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/promwire/promwire"
)

// exportLine is a line of an export. Its memory is used again.
type exportLine struct {
	labels promwire.Labels
	values []float64
	times  []int64

	metric []byte // the text of labels: blocks of a series follow each other
}

var errExport = errors.New("the answer is no export")

// parse reads {"metric":{...},"values":[...],"timestamps":[...]}, as VictoriaMetrics writes it: not always JSON, since
// older versions write infinities as they are.
func (l *exportLine) parse(line []byte) error {
	rest, err := l.parseMetric(line)
	if err != nil {
		return err
	}
	l.values, l.times = l.values[:0], l.times[:0]
	rest, err = elements(rest, `,"values":[`, func(text []byte) error {
		v, err := exportValue(text)
		l.values = append(l.values, v)
		return err
	})
	if err != nil {
		return err
	}
	rest, err = elements(rest, `,"timestamps":[`, func(text []byte) error {
		t, err := strconv.ParseInt(string(text), 10, 64)
		l.times = append(l.times, t)
		return err
	})
	switch {
	case err != nil:
		return err
	case string(bytes.TrimSpace(rest)) != "}" || len(l.values) != len(l.times):
		return fmt.Errorf("%w: it has %d values and %d times, and ends with %.40q", errExport, len(l.values), len(l.times), rest)
	}
	return nil
}

// parseMetric reads the labels, and returns what is behind them.
func (l *exportLine) parseMetric(line []byte) ([]byte, error) {
	const start = `{"metric":`
	text, found := bytes.CutPrefix(line, []byte(start))
	if !found {
		return nil, fmt.Errorf("%w: it has a line %.200q", errExport, line)
	}
	if n := len(l.metric); n > 0 && bytes.HasPrefix(text, l.metric) {
		return text[n:], nil
	}
	var metric map[string]string
	d := json.NewDecoder(bytes.NewReader(text))
	if err := d.Decode(&metric); err != nil {
		return nil, fmt.Errorf("%w: labels %.200q: %w", errExport, text, err)
	}
	n := d.InputOffset()
	l.metric = append(l.metric[:0], text[:n]...)
	l.labels = promwire.LabelsFromMap(metric)
	return text[n:], nil
}

// elements calls do with the elements of an array of scalars that follows start, and returns what is behind it.
func elements(text []byte, start string, do func([]byte) error) ([]byte, error) {
	list, found := bytes.CutPrefix(text, []byte(start))
	end := bytes.IndexByte(list, ']')
	if !found || end < 0 {
		return nil, fmt.Errorf("%w: %.40q instead of %s", errExport, text, start)
	}
	list, rest := list[:end], list[end+1:]
	for len(list) > 0 {
		element, more, _ := bytes.Cut(list, []byte(","))
		if err := do(element); err != nil {
			return nil, fmt.Errorf("%w: %w", errExport, err)
		}
		list = more
	}
	return rest, nil
}

// exportValue reads a value. The only NaN that VictoriaMetrics stores is the stale marker; it writes null for it.
func exportValue(text []byte) (float64, error) {
	if string(text) == "null" {
		return promwire.StaleNaN(), nil
	}
	v, err := strconv.ParseFloat(string(bytes.Trim(text, `"`)), 64)
	if err == nil && math.IsNaN(v) {
		v = promwire.StaleNaN()
	}
	return v, err
}
