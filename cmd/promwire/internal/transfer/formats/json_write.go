package formats

import (
	"bytes"
	"encoding/json"
	"io"
	"math"
	"strconv"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/exposition"
	"github.com/promwire/promwire/cmd/promwire/internal/transfer/tally"
)

// jsonWriter writes an object per line: a series, or a part of one, as VictoriaMetrics exports and imports it. What that
// has no place for is in lines of its own, so that VictoriaMetrics takes the others.
type jsonWriter struct {
	out  io.Writer
	lost *tally.Tally
	line []byte
}

// jsonPart bounds the samples of a line, jsonHistograms its histograms.
const (
	jsonPart       = 10_000
	jsonHistograms = 200
)

func (w *jsonWriter) Write(ts *promwire.TimeSeries) error {
	if !validUTF8(ts.Labels) {
		leaveOut(w.lost, notUTF8, len(ts.Samples)+len(ts.Histograms), ts)
		return nil
	}
	metric, err := jsonMetric(ts.Labels)
	if err != nil {
		return err
	}
	for _, all := range byKind(ts.Samples) {
		for len(all) > 0 {
			n := min(len(all), jsonPart)
			if err := w.samples(metric, all[:n]); err != nil {
				return err
			}
			all = all[n:]
		}
	}
	for all := ts.Histograms; len(all) > 0; {
		n := min(len(all), jsonHistograms)
		if err := w.histograms(metric, all[:n]); err != nil {
			return err
		}
		all = all[n:]
	}
	return nil
}

// byKind separates numbers, which all take, from infinities and the usual NaN, which only newer ones of VictoriaMetrics
// take, and these from what none of them takes.
func byKind(samples []promwire.Sample) (kinds [3][]promwire.Sample) {
	plain := 0
	for plain < len(samples) && jsonKind(samples[plain].Value) == 0 {
		plain++
	}
	kinds[0] = samples[:plain:plain]
	for _, s := range samples[plain:] {
		kind := jsonKind(s.Value)
		kinds[kind] = append(kinds[kind], s)
	}
	return kinds
}

func jsonKind(v float64) int {
	switch {
	case !math.IsNaN(v) && !math.IsInf(v, 0):
		return 0
	case math.IsInf(v, 0) || math.Float64bits(v) == math.Float64bits(math.NaN()):
		return 1
	default:
		return 2
	}
}

// jsonMetric returns the beginning of a line, the labels in their order.
func jsonMetric(ls promwire.Labels) ([]byte, error) {
	out := []byte(`{"metric":{`)
	for i, l := range ls {
		if i > 0 {
			out = append(out, ',')
		}
		for j, text := range []string{l.Name, l.Value} {
			var b bytes.Buffer
			e := json.NewEncoder(&b)
			e.SetEscapeHTML(false)
			if err := e.Encode(text); err != nil {
				return nil, err
			}
			out = append(out, bytes.TrimSuffix(b.Bytes(), []byte("\n"))...)
			if j == 0 {
				out = append(out, ':')
			}
		}
	}
	return append(out, '}'), nil
}

func (w *jsonWriter) samples(metric []byte, samples []promwire.Sample) error {
	w.line = append(append(w.line[:0], metric...), `,"values":[`...)
	for i := range samples {
		if i > 0 {
			w.line = append(w.line, ',')
		}
		w.line = appendJSONValue(w.line, samples[i].Value)
	}
	w.line = append(w.line, `],"timestamps":[`...)
	for i := range samples {
		if i > 0 {
			w.line = append(w.line, ',')
		}
		w.line = strconv.AppendInt(w.line, samples[i].Timestamp, 10)
	}
	w.line = append(w.line, "]}\n"...)
	_, err := w.out.Write(w.line)
	return err
}

// appendJSONValue appends a number, or what VictoriaMetrics writes for what is none.
func appendJSONValue(dst []byte, v float64) []byte {
	text, special := exposition.FormatSpecial(v)
	switch {
	case special:
		return append(append(append(dst, '"'), text...), '"')
	case math.IsNaN(v):
		return append(dst, "null"...)
	case math.IsInf(v, 1):
		return append(dst, `"Infinity"`...)
	case math.IsInf(v, -1):
		return append(dst, `"-Infinity"`...)
	}
	format := byte('g')
	if abs := math.Abs(v); abs >= 1e-4 && abs < 1e21 {
		format = 'f'
	}
	return strconv.AppendFloat(dst, v, format, -1, 64)
}

func (w *jsonWriter) histograms(metric []byte, histograms []promwire.Histogram) error {
	out := make([]*jsonHistogram, len(histograms))
	for i := range histograms {
		out[i] = newJSONHistogram(&histograms[i])
		out[i].Timestamp = &histograms[i].Timestamp
	}
	text, err := json.Marshal(out)
	if err != nil {
		return err
	}
	w.line = append(append(append(w.line[:0], metric...), `,"histograms":`...), text...)
	w.line = append(w.line, "}\n"...)
	_, err = w.out.Write(w.line)
	return err
}

func (w *jsonWriter) End() error { return nil }
