package formats

import (
	"fmt"
	"io"
	"slices"
	"unicode/utf8"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/exposition"
	"github.com/promwire/promwire/cmd/promwire/internal/transfer/tally"
)

// Writer writes series as they come. It is not safe for concurrent use.
type Writer interface {
	// Write writes a series, or a part of one. It keeps nothing of it.
	Write(ts *promwire.TimeSeries) error
	// End writes what closes the file. Nothing is written after it.
	End() error
}

// NewWriter returns the writer of a format of Writable. What the format cannot carry is left out and counted in lost; for
// people, Text has a line for native histograms all the same.
func NewWriter(format Format, out io.Writer, lost *tally.Tally) (Writer, error) {
	switch format {
	case Text:
		return &textWriter{out: out, lost: lost, check: seriesCheck{format: exposition.Text}}, nil
	case OpenMetrics:
		return &openMetricsWriter{out: out, lost: lost, check: seriesCheck{format: exposition.OpenMetrics}}, nil
	case CSV:
		return &csvWriter{out: out, lost: lost}, nil
	case JSON:
		return &jsonWriter{out: out, lost: lost}, nil
	default:
		_, err := Parse(string(format), Writable)
		return nil, err
	}
}

// leaveOut counts n items of a series.
func leaveOut(lost *tally.Tally, reason string, n int, ts *promwire.TimeSeries) {
	if n > 0 {
		lost.Add(reason, n, func() string { return ts.Labels.String() })
	}
}

// validUTF8 reports whether all labels are text: what is not has a place in no format.
func validUTF8(ls promwire.Labels) bool {
	for i := range ls {
		if !utf8.ValidString(ls[i].Name) || !utf8.ValidString(ls[i].Value) {
			return false
		}
	}
	return true
}

const (
	notUTF8      = "the labels are not valid UTF-8"
	noSuchSeries = "the format cannot carry labels like these"
)

// seriesCheck finds out whether a text format carries a series: plain ones it does, the others are read back.
type seriesCheck struct {
	format exposition.Format
	last   promwire.Labels
	ok     bool
}

func (c *seriesCheck) carries(ls promwire.Labels, text []byte) bool {
	if c.last == nil || !c.last.Equal(ls) {
		c.last = ls.Clone()
		c.ok = plain(ls) || c.comesBack(ls, text)
	}
	return c.ok
}

func (c *seriesCheck) comesBack(ls promwire.Labels, text []byte) bool {
	if !validUTF8(ls) || slices.ContainsFunc(text, func(b byte) bool { return b == '\n' || b == '\r' || b == 0 }) {
		return false
	}
	found, err := exposition.SeriesOf(text, c.format)
	return err == nil && found.Labels.Equal(ls)
}

// plain reports whether a series has a name, and nothing that formats differ about.
func plain(ls promwire.Labels) bool {
	for i := range ls {
		if !promwire.ValidName(ls[i].Name, promwire.LegacyNames, false) || ls[i].Name == "le" || ls[i].Name == "quantile" {
			return false
		}
		for j := range len(ls[i].Value) {
			if c := ls[i].Value[j]; c < ' ' || c > '~' || c == '\\' || c == '"' {
				return false
			}
		}
	}
	return promwire.ValidName(ls.Get(promwire.MetricName), promwire.LegacyNames, true)
}

// formatHistogram returns h as the text form prints it behind the labels, for people.
func formatHistogram(h *promwire.Histogram) string {
	one := promwire.WriteRequest{Timeseries: []promwire.TimeSeries{{Histograms: []promwire.Histogram{*h}}}}
	text := string(one.AppendText(nil, promwire.TextOptions{}))
	return fmt.Sprintf("%.*s", len(text)-len("{} \n"), text[len("{} "):])
}
