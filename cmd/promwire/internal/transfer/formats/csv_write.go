package formats

import (
	"encoding/json"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/transfer/tally"
)

// csvWriter writes a header and a record per sample. A native histogram is a JSON object in the field of the value.
type csvWriter struct {
	out   io.Writer
	lost  *tally.Tally
	begun bool
	line  []byte

	last promwire.Labels // the series written last, and whether it comes back
	ok   bool
}

func (w *csvWriter) Write(ts *promwire.TimeSeries) error {
	if err := w.begin(); err != nil {
		return err
	}
	if w.last == nil || !w.last.Equal(ts.Labels) {
		w.last = ts.Labels.Clone()
		w.ok = plain(ts.Labels) || w.comesBack(ts.Labels)
	}
	if !w.ok {
		leaveOut(w.lost, noSuchSeries, len(ts.Samples)+len(ts.Histograms), ts)
		return nil
	}
	series := ts.Labels.String()
	for _, s := range ts.Samples {
		if err := w.record(ts, series, s.Timestamp, FormatFloat(s.Value)); err != nil {
			return err
		}
	}
	for i := range ts.Histograms {
		value, err := json.Marshal(newJSONHistogram(&ts.Histograms[i]))
		if err != nil {
			return err
		}
		if err := w.record(ts, series, ts.Histograms[i].Timestamp, string(value)); err != nil {
			return err
		}
	}
	return nil
}

// comesBack reports whether the series is read as it was: one without labels is not.
func (w *csvWriter) comesBack(ls promwire.Labels) bool {
	text := ls.String()
	own, err := ParseSeries(text)
	if err != nil || strings.ContainsAny(text, "\n\r\x00") {
		return false
	}
	got, err := promwire.NewLabels(own...)
	return err == nil && got.Equal(ls)
}

func (w *csvWriter) begin() error {
	if w.begun {
		return nil
	}
	w.begun = true
	_, err := io.WriteString(w.out, strings.Join(csvHeader, ",")+"\n")
	return err
}

func (w *csvWriter) record(ts *promwire.TimeSeries, series string, ms int64, value string) error {
	at := time.UnixMilli(ms).UTC()
	if year := at.Year(); year < 0 || year > 9999 {
		leaveOut(w.lost, "RFC 3339 has no such time", 1, ts)
		return nil
	}
	w.line = appendCSV(w.line[:0], series)
	w.line = at.AppendFormat(append(w.line, ','), "2006-01-02T15:04:05.000Z")
	w.line = append(appendCSV(append(w.line, ','), value), '\n')
	_, err := w.out.Write(w.line)
	return err
}

func (w *csvWriter) End() error { return w.begin() }

// appendCSV appends a field, in quotes if it needs them.
func appendCSV(dst []byte, field string) []byte {
	if !strings.ContainsAny(field, "\",\r\n") {
		return append(dst, field...)
	}
	dst = append(slices.Grow(dst, len(field)+2), '"')
	dst = append(dst, strings.ReplaceAll(field, `"`, `""`)...)
	return append(dst, '"')
}
