package formats

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/promwire/promwire"
)

// csvHeader is the header of what Writer writes.
var csvHeader = []string{"series", "time", "value"}

const ownCSVMap = "series=series,time=time:rfc3339,value=value"

var (
	errQuote  = errors.New("a quote is not closed in its line, or stands inside of a field")
	errNoTime = errors.New("the time is empty")
)

// readCSV reads a CSV file, a record per line: quoted fields with line ends in them are bad lines.
func (s *source) readCSV(in io.Reader) error {
	maps, header := s.CSV, s.CSVHeader
	if len(maps) == 0 {
		own, err := ParseCSVMap(ownCSVMap)
		if err != nil {
			return err
		}
		maps = []CSVMap{own}
	}
	for i := range maps {
		header = header || maps[i].named()
	}
	maps = slices.Clone(maps)
	var fields []string
	return s.eachLine(in, maxLine, func(line []byte, number int) error {
		var ok bool
		if fields, ok = splitCSV(fields[:0], string(line)); !ok {
			return s.bad(number, line, errQuote)
		}
		if header {
			header = false
			return resolveAll(maps, fields)
		}
		for i := range maps {
			p, err := s.csvPoint(&maps[i], fields)
			if err != nil {
				err = s.bad(number, line, err)
			} else {
				err = s.sink.Point(p)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func resolveAll(maps []CSVMap, header []string) (err error) {
	for i := range maps {
		if maps[i], err = maps[i].resolve(header); err != nil {
			return err
		}
	}
	return nil
}

// splitCSV appends the fields of a record (RFC 4180).
func splitCSV(fields []string, line string) ([]string, bool) {
	for {
		if !strings.HasPrefix(line, `"`) {
			field, rest, more := strings.Cut(line, ",")
			if strings.Contains(field, `"`) {
				return fields, false
			}
			if fields = append(fields, field); !more {
				return fields, true
			}
			line = rest
			continue
		}
		end := 1
		for {
			i := strings.IndexByte(line[end:], '"')
			if i < 0 {
				return fields, false
			}
			if end += i + 1; !strings.HasPrefix(line[end:], `"`) {
				break
			}
			end++
		}
		fields = append(fields, strings.ReplaceAll(line[1:end-1], `""`, `"`))
		switch line = line[end:]; {
		case line == "":
			return fields, true
		case line[0] != ',':
			return fields, false
		}
		line = line[1:]
	}
}

func (s *source) csvPoint(m *CSVMap, fields []string) (*Point, error) {
	p := &Point{Sample: promwire.Sample{Timestamp: s.Now}}
	var err error
	if p.Labels, err = s.csvLabels(m, fields); err != nil {
		return nil, err
	}
	if !m.time.absent() {
		text, err := m.time.of(fields)
		if err != nil {
			return nil, err
		}
		if p.Sample.Timestamp, err = parseCSVTime(text, m.layout); err != nil {
			return nil, err
		}
	}
	value, err := m.value.of(fields)
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(value, "{") {
		p.Histogram, err = parseHistogram(value)
	} else {
		p.Sample.Value, err = parseFloat(value)
	}
	return p, err
}

func (s *source) csvLabels(m *CSVMap, fields []string) (promwire.Labels, error) {
	if !m.series.absent() {
		text, err := m.series.of(fields)
		if err != nil {
			return nil, err
		}
		return s.seriesLabels(text)
	}
	own := make([]promwire.Label, 0, len(m.labels)+1)
	name := m.metric.name
	if name == "" {
		var err error
		if name, err = m.metric.of(fields); err != nil {
			return nil, err
		}
		if name == "" {
			return nil, promwire.ErrNoMetricName
		}
	}
	own = append(own, promwire.Label{Name: promwire.MetricName, Value: name})
	for _, l := range m.labels {
		value, err := l.of(fields)
		if err != nil {
			return nil, err
		}
		own = append(own, promwire.Label{Name: l.label, Value: value})
	}
	return s.labels(own...)
}

// maxSeriesTexts bounds the texts of series that are remembered.
const (
	maxSeriesTexts    = 20_000
	maxRememberedText = 1 << 10
)

// seriesLabels reads the text of a series, or remembers it: files have many samples of each.
func (s *source) seriesLabels(text string) (promwire.Labels, error) {
	if ls, known := s.seriesTexts[text]; known {
		return ls, nil
	}
	own, err := ParseSeries(text)
	if err != nil {
		return nil, err
	}
	ls, err := s.labels(own...)
	if err != nil {
		return nil, err
	}
	if s.seriesTexts == nil || len(s.seriesTexts) >= maxSeriesTexts {
		s.seriesTexts = map[string]promwire.Labels{}
	}
	if len(text) < maxRememberedText {
		ls = ls.Clone()
		s.seriesTexts[strings.Clone(text)] = ls
	}
	return ls, nil
}

// of returns the field in this column.
func (c column) of(fields []string) (string, error) {
	if c.number >= len(fields) {
		return "", fmt.Errorf("there is no column %d", c.number)
	}
	return fields[c.number], nil
}

// ParseSeries reads a series as Labels.String writes it.
func ParseSeries(text string) ([]promwire.Label, error) {
	matchers, err := promwire.ParseSelector(text)
	if err != nil {
		return nil, err
	}
	out := make([]promwire.Label, len(matchers))
	for i, m := range matchers {
		if m.Type != promwire.MatchEqual {
			return nil, fmt.Errorf("%.100q is not a series: it has another operator than =", text)
		}
		out[i] = promwire.Label{Name: m.Name, Value: m.Value}
	}
	return out, nil
}

func parseHistogram(text string) (*promwire.Histogram, error) {
	var j jsonHistogram
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&j); err != nil {
		return nil, fmt.Errorf("histogram: %w", err)
	}
	return j.histogram()
}

// csvUnits are the milliseconds in a unit of each layout.
var csvUnits = map[string]float64{"unix_s": 1000, "unix_ms": 1, "unix_us": 1e-3, "unix_ns": 1e-6}

func parseCSVTime(text, layout string) (int64, error) {
	if text == "" {
		return 0, errNoTime
	}
	if layout == TimeLayouts[0] {
		t, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			return 0, fmt.Errorf("%.40q is not a time like 2026-01-02T15:04:05Z", text)
		}
		return t.UnixMilli(), nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	switch {
	case err == nil && layout == "unix_ms":
		return n, nil
	case err == nil && layout == "unix_us":
		return floorDiv(n, 1000), nil
	case err == nil && layout == "unix_ns":
		return floorDiv(n, 1e6), nil
	}
	f, err := strconv.ParseFloat(text, 64)
	ms := f * csvUnits[layout]
	if layout == "unix_s" {
		ms = math.Round(ms)
	} else {
		ms = math.Floor(ms)
	}
	if err != nil || !(math.Abs(ms) < 1<<62) {
		return 0, fmt.Errorf("%.40q is not a time in %s", text, layout)
	}
	return int64(ms), nil
}

func floorDiv(a, b int64) int64 {
	if a < 0 {
		return -((-a + b - 1) / b)
	}
	return a / b
}
