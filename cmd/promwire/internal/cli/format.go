package cli

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/promwire/promwire"
)

// format prints series as they come; end prints what closes the output.
type format interface {
	write(ts *promwire.TimeSeries) error
	end() error
}

func newFormat(name string, out io.Writer) (format, error) {
	switch name {
	case "text":
		return &textFormat{out: out}, nil
	case "json":
		return &jsonFormat{out: out}, nil
	case "csv":
		return &csvFormat{out: csv.NewWriter(out)}, nil
	default:
		return nil, usagef("--format %q: want text, json or csv", name)
	}
}

// textFormat prints a line per sample, with its time. Label values are as they are stored, so that they can be asked for.
type textFormat struct{ out io.Writer }

func (f *textFormat) write(ts *promwire.TimeSeries) error {
	series := ts.Labels.AppendText(nil)
	for i := range ts.Samples {
		if err := f.line(series, formatFloat(ts.Samples[i].Value), ts.Samples[i].Timestamp); err != nil {
			return err
		}
	}
	for i := range ts.Histograms {
		if err := f.line(series, formatHistogram(&ts.Histograms[i]), ts.Histograms[i].Timestamp); err != nil {
			return err
		}
	}
	return nil
}

func (f *textFormat) line(series []byte, value string, ms int64) error {
	line := append(append(append(series, ' '), value...), ' ')
	_, err := f.out.Write(append(strconv.AppendInt(line, ms, 10), '\n'))
	return err
}

func (f *textFormat) end() error { return nil }

// csvFormat prints a header and a record per sample.
type csvFormat struct {
	out   *csv.Writer
	begun bool
}

func (f *csvFormat) write(ts *promwire.TimeSeries) error {
	if err := f.begin(); err != nil {
		return err
	}
	series := ts.Labels.String()
	for _, s := range ts.Samples {
		if err := f.record(series, s.Timestamp, formatFloat(s.Value)); err != nil {
			return err
		}
	}
	for i := range ts.Histograms {
		h := &ts.Histograms[i]
		if err := f.record(series, h.Timestamp, formatHistogram(h)); err != nil {
			return err
		}
	}
	return nil
}

func (f *csvFormat) begin() error {
	if f.begun {
		return nil
	}
	f.begun = true
	return f.out.Write([]string{"series", "time", "value"})
}

func (f *csvFormat) record(series string, ms int64, value string) error {
	return f.out.Write([]string{series, time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z"), value})
}

func (f *csvFormat) end() error {
	if err := f.begin(); err != nil {
		return err
	}
	f.out.Flush()
	return f.out.Error()
}

// formatFloat returns the fewest digits that keep the exact value, without exponent.
func formatFloat(v float64) string {
	if promwire.IsStaleNaN(v) {
		return "stale"
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}

// formatHistogram returns h as the text form prints it behind the labels.
func formatHistogram(h *promwire.Histogram) string {
	one := promwire.WriteRequest{Timeseries: []promwire.TimeSeries{{Histograms: []promwire.Histogram{*h}}}}
	text := string(one.AppendText(nil, promwire.TextOptions{}))
	return strings.TrimSuffix(strings.TrimPrefix(text, "{} "), "\n")
}
