package promquery

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/prometheus/common/model"

	"github.com/promwire/promwire/internal/readable"
)

// WriteTable writes an instant as one line per series, and a range as one block per series with a line per point. Of a scalar or
// a string it writes the value.
func WriteTable(out io.Writer, v model.Value) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	switch v := v.(type) {
	case *model.Scalar:
		fmt.Fprintln(w, v.Value)
	case *model.String: // not in cells: it may have tabs
		_, err := fmt.Fprintln(out, readable.Text([]byte(v.Value)))
		return err
	case model.Vector:
		if len(v) > 0 {
			fmt.Fprintln(w, "SERIES\tVALUE")
		}
		for _, s := range v {
			fmt.Fprintf(w, "%s\t%s\n", s.Metric, shown(s.Value, s.Histogram))
		}
	case model.Matrix:
		for i, s := range v {
			if i > 0 {
				fmt.Fprintln(w)
			}
			fmt.Fprintln(w, s.Metric)
			for _, p := range points(s) {
				fmt.Fprintf(w, "  %s\t%s\n", clock(p.time), shown(p.value, p.histogram))
			}
		}
	}
	return w.Flush()
}

// WriteJSON writes the result as the HTTP API has it, on one line.
func WriteJSON(out io.Writer, v model.Value) error {
	return json.NewEncoder(out).Encode(struct {
		ResultType string      `json:"resultType"`
		Result     model.Value `json:"result"`
	}{v.Type().String(), v})
}

// WriteCSV writes a header and a line per series and point: series,time,value. A native histogram is JSON in the field of the
// value.
func WriteCSV(out io.Writer, v model.Value) error {
	w := csv.NewWriter(out)
	_ = w.Write([]string{"series", "time", "value"}) // its errors stay until Flush
	record := func(series string, t model.Time, v fmt.Stringer, h *model.SampleHistogram) error {
		value := v.String()
		if h != nil {
			text, err := json.Marshal(h)
			if err != nil {
				return err
			}
			value = string(text)
		}
		return w.Write([]string{series, clock(t), value})
	}
	var err error
	switch v := v.(type) {
	case *model.Scalar:
		err = record("", v.Timestamp, v.Value, nil)
	case *model.String:
		err = record("", v.Timestamp, v, nil)
	case model.Vector:
		for _, s := range v {
			if err == nil {
				err = record(s.Metric.String(), s.Timestamp, s.Value, s.Histogram)
			}
		}
	case model.Matrix:
		for _, s := range v {
			for _, p := range points(s) {
				if err == nil {
					err = record(s.Metric.String(), p.time, p.value, p.histogram)
				}
			}
		}
	}
	w.Flush()
	if err == nil {
		err = w.Error()
	}
	return err
}

// Empty reports whether there is no series.
func Empty(v model.Value) bool {
	switch v := v.(type) {
	case model.Vector:
		return len(v) == 0
	case model.Matrix:
		return len(v) == 0
	default:
		return false
	}
}

// point is a value or a native histogram.
type point struct {
	time      model.Time
	value     model.SampleValue
	histogram *model.SampleHistogram
}

// points merges values and histograms by time.
func points(s *model.SampleStream) []point {
	out := make([]point, 0, len(s.Values)+len(s.Histograms))
	values, histograms := s.Values, s.Histograms
	for len(values) > 0 || len(histograms) > 0 {
		if len(histograms) == 0 || len(values) > 0 && values[0].Timestamp < histograms[0].Timestamp {
			out = append(out, point{time: values[0].Timestamp, value: values[0].Value})
			values = values[1:]
			continue
		}
		out = append(out, point{time: histograms[0].Timestamp, histogram: histograms[0].Histogram})
		histograms = histograms[1:]
	}
	return out
}

func shown(v model.SampleValue, h *model.SampleHistogram) string {
	if h != nil {
		return fmt.Sprintf("histogram: count %s, sum %s, %d buckets", h.Count, h.Sum, len(h.Buckets))
	}
	return v.String()
}

// clock formats a time as RFC 3339 in UTC, with milliseconds if there are any.
func clock(t model.Time) string { return t.Time().UTC().Format("2006-01-02T15:04:05.999Z07:00") }
