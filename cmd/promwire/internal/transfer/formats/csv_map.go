package formats

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// CSVMap says where in a record a sample is.
type CSVMap struct {
	time, value column
	layout      string // of the time
	metric      column // a column, or the name itself if the header has no such one
	series      column
	labels      []labelColumn
}

// column is one by its number or by its name in the header; the number of "" is -1.
type column struct {
	name   string
	number int
}

type labelColumn struct {
	label string
	column
}

// TimeLayouts are the forms of times in CSV files.
var TimeLayouts = []string{"rfc3339", "unix_s", "unix_ms", "unix_us", "unix_ns"}

// ParseCSVMap reads a map like time=0:rfc3339,value=2,metric=temperature,label:room=3. Columns are numbers, counted from
// 0, or names in the header, which is the first record then.
//
//	time=COLUMN[:LAYOUT]  rfc3339 (default), unix_s, unix_ms, unix_us or unix_ns; without it, samples get Options.Now
//	value=COLUMN          needed
//	metric=NAME           the metric's name, or the column that holds it
//	label:LABEL=COLUMN    repeatable; an empty field means no such label
//	series=COLUMN         in place of metric and labels: a whole series like up{job="a"}
func ParseCSVMap(text string) (CSVMap, error) {
	m := CSVMap{layout: TimeLayouts[0], time: column{number: -1}, value: column{number: -1}, metric: column{number: -1}, series: column{number: -1}}
	seen := map[string]bool{}
	for _, part := range strings.Split(text, ",") {
		key, value, found := strings.Cut(strings.TrimSpace(part), "=")
		if !found || value == "" {
			return m, fmt.Errorf("%q: want KEY=COLUMN", part)
		}
		if seen[key] {
			return m, fmt.Errorf("%q is given twice", key)
		}
		seen[key] = true
		if err := m.set(key, value); err != nil {
			return m, err
		}
	}
	return m, m.complete()
}

func (m *CSVMap) set(key, value string) error {
	if label, isLabel := strings.CutPrefix(key, "label:"); isLabel && label != "" {
		m.labels = append(m.labels, labelColumn{label, newColumn(value)})
		return nil
	}
	switch key {
	case "time":
		name, layout, found := strings.Cut(value, ":")
		if m.time = newColumn(name); found {
			m.layout = layout
		}
	case "value":
		m.value = newColumn(value)
	case "metric":
		m.metric = newColumn(value)
	case "series":
		m.series = newColumn(value)
	default:
		return fmt.Errorf("%q: want time, value, metric, series or label:NAME", key)
	}
	return nil
}

func (m *CSVMap) complete() error {
	for _, l := range TimeLayouts {
		if m.layout == l {
			switch {
			case m.value.absent():
				return errors.New("value= is missing")
			case m.series.absent() && m.metric.absent():
				return errors.New("metric= is missing")
			case !m.series.absent() && (!m.metric.absent() || len(m.labels) > 0):
				return errors.New("series= excludes metric= and labels")
			}
			return nil
		}
	}
	return fmt.Errorf("time layout %q: want %s", m.layout, strings.Join(TimeLayouts, ", "))
}

func newColumn(text string) column {
	if n, err := strconv.Atoi(text); err == nil && n >= 0 {
		return column{number: n}
	}
	return column{name: text, number: -1}
}

func (c column) absent() bool { return c.name == "" && c.number < 0 }

// named reports whether a column of m needs the header.
func (m *CSVMap) named() bool {
	named := m.time.name != "" || m.value.name != "" || m.series.name != ""
	for _, l := range m.labels {
		named = named || l.name != ""
	}
	return named
}

// resolve finds the columns in the header.
func (m CSVMap) resolve(header []string) (CSVMap, error) {
	m.labels = append([]labelColumn(nil), m.labels...)
	for i := range m.labels {
		if err := m.labels[i].resolve(header); err != nil {
			return m, err
		}
	}
	if m.metric.find(header) {
		m.metric.name = ""
	}
	for _, c := range []*column{&m.time, &m.value, &m.series} {
		if err := c.resolve(header); err != nil {
			return m, err
		}
	}
	return m, nil
}

func (c *column) find(header []string) bool {
	for i, name := range header {
		if c.name != "" && name == c.name {
			c.number = i
			return true
		}
	}
	return false
}

func (c *column) resolve(header []string) error {
	if c.name != "" && !c.find(header) {
		return fmt.Errorf("the header has no column %q", c.name)
	}
	return nil
}
