package formats

import (
	"bytes"
	"io"
	"math"
	"strconv"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/exposition"
	"github.com/promwire/promwire/cmd/promwire/internal/transfer/tally"
)

// textWriter writes a line per sample, with its time. Label values are as they are stored, so that they can be asked for.
type textWriter struct {
	out   io.Writer
	lost  *tally.Tally
	check seriesCheck
	line  []byte
}

func (w *textWriter) Write(ts *promwire.TimeSeries) error {
	series := ts.Labels.AppendText(nil)
	leaveOut(w.lost, "native histograms are in a form for people, which push --file does not take", len(ts.Histograms), ts)
	if !w.check.carries(ts.Labels, series) {
		leaveOut(w.lost, "labels are in a form for people, which push --file does not take", len(ts.Samples), ts)
		if bytes.IndexByte(series, 0) >= 0 { // it would make the whole file a binary one
			return nil
		}
	}
	for i := range ts.Samples {
		if err := w.value(series, FormatFloat(ts.Samples[i].Value), ts.Samples[i].Timestamp); err != nil {
			return err
		}
	}
	for i := range ts.Histograms {
		if err := w.value(series, formatHistogram(&ts.Histograms[i]), ts.Histograms[i].Timestamp); err != nil {
			return err
		}
	}
	return nil
}

func (w *textWriter) value(series []byte, value string, ms int64) error {
	w.line = append(append(append(append(w.line[:0], series...), ' '), value...), ' ')
	w.line = append(strconv.AppendInt(w.line, ms, 10), '\n')
	_, err := w.out.Write(w.line)
	return err
}

func (w *textWriter) End() error { return nil }

// openMetricsWriter writes what any reader of OpenMetrics takes, and leaves out the rest.
type openMetricsWriter struct {
	out   io.Writer
	lost  *tally.Tally
	check seriesCheck
	line  []byte
}

func (w *openMetricsWriter) Write(ts *promwire.TimeSeries) error {
	leaveOut(w.lost, "OpenMetrics has no native histograms", len(ts.Histograms), ts)
	series := ts.Labels.AppendText(nil)
	if !w.check.carries(ts.Labels, series) {
		leaveOut(w.lost, noSuchSeries, len(ts.Samples), ts)
		return nil
	}
	for _, s := range ts.Samples {
		if _, special := exposition.FormatSpecial(s.Value); special {
			leaveOut(w.lost, "OpenMetrics has no stale markers, and one NaN only", 1, ts)
			continue
		}
		at, ok := seconds(s.Timestamp)
		if !ok {
			leaveOut(w.lost, "OpenMetrics has no such time", 1, ts)
			continue
		}
		w.line = append(append(w.line[:0], series...), ' ')
		w.line = strconv.AppendFloat(w.line, s.Value, 'f', -1, 64)
		w.line = append(strconv.AppendFloat(append(w.line, ' '), at, 'f', -1, 64), '\n')
		if _, err := w.out.Write(w.line); err != nil {
			return err
		}
	}
	return nil
}

func (w *openMetricsWriter) End() error {
	_, err := io.WriteString(w.out, "# EOF\n")
	return err
}

// seconds returns a time that readers make these milliseconds of: Prometheus multiplies, and cuts off what is below a
// millisecond, so that 1700000000.123 would come back as .122.
func seconds(ms int64) (float64, bool) {
	s := float64(ms) / 1000
	for range 3 {
		if int64(s*1000) == ms {
			return s, true
		}
		s = math.Nextafter(s, math.Copysign(math.Inf(1), s))
	}
	return 0, false
}
