package formats_test

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/transfer/formats"
	"github.com/promwire/promwire/cmd/promwire/internal/transfer/tally"
)

// again writes points in a format and reads them back: all that the format carries are as they were.
func again(t *testing.T, f formats.Format, points []formats.Point) {
	t.Helper()
	var b bytes.Buffer
	var lost tally.Tally
	w, err := formats.NewWriter(f, &b, &lost)
	if err != nil {
		t.Fatal(err)
	}
	var want []formats.Point
	for _, p := range points {
		ts := promwire.TimeSeries{Labels: p.Labels}
		if p.Histogram != nil {
			h := *p.Histogram
			h.Timestamp = p.Sample.Timestamp
			ts.Histograms = []promwire.Histogram{h}
			p.Histogram = &h
		} else {
			ts.Samples = []promwire.Sample{p.Sample}
		}
		before := lost.Total()
		if err := w.Write(&ts); err != nil {
			t.Fatal(err)
		}
		if lost.Total() == before {
			p.Metadata, p.Exemplars, p.Sample.StartTimestamp = promwire.Metadata{}, nil, 0
			want = append(want, p)
		}
	}
	if err := w.End(); err != nil {
		t.Fatal(err)
	}
	got := read(t, b.String(), f, formats.Options{})
	for i := range got.points { // a CSV file has the time beside the histogram
		if h := got.points[i].Histogram; h != nil {
			h.Timestamp = got.points[i].Sample.Timestamp
		}
	}
	if a, b := describe(got.points), describe(want); a != b {
		t.Errorf("%s: got\n%s\nwant\n%s", f, a, b)
	}
	if got.nBad > 0 {
		t.Errorf("%s: bad lines %v in\n%s", f, got.bad, &b)
	}
}

// checkPoints holds what every reader promises.
func checkPoints(t *testing.T, points []formats.Point) {
	t.Helper()
	for _, p := range points {
		if len(p.Labels) == 0 {
			t.Error("a point without labels")
		}
		for i := range p.Labels {
			if l := p.Labels[i]; l.Name == "" || l.Value == "" || i > 0 && l.Name <= p.Labels[i-1].Name {
				t.Errorf("labels %q", p.Labels)
			}
		}
	}
}

// FuzzJSON: whatever is read is written as JSON lines and CSV, and read again, the same.
func FuzzJSON(f *testing.F) {
	for _, line := range []string{
		`{"metric":{"__name__":"a","x":"1"},"values":[1,-0,null,"Infinity","stale","nan:7ff8000000000005"],"timestamps":[1,2,3,4,5,6]}`,
		`{"metric":{"__name__":"b"},"values":[[1700000000.123,"1.5"]]}`,
		`{"metric":{"__name__":"c"},"values":[1],"timestamps":[9],"type":"counter","exemplars":[{"labels":{"t":"u"},"value":"3","timestamp":8}]}`,
		`{"metric":{"h":"d"},"histograms":[{"timestamp":5,"float":true,"count_float":"1.5","sum":"2","schema":-53,"zero_threshold":"0","positive_spans":[{"offset":0,"length":1}],"positive_counts":["1.5"],"custom_values":["0.5"]}]}`,
	} {
		f.Add([]byte(line + "\n" + line + "x\n"))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var c collector
		if err := formats.Read(bytes.NewReader(text), "file", formats.JSON, &formats.Options{}, &c); err != nil {
			return
		}
		checkPoints(t, c.points)
		again(t, formats.JSON, c.points)
		again(t, formats.CSV, c.points)
	})
}

// FuzzCSV reads any file by any map; what is read is written and read again in all formats.
func FuzzCSV(f *testing.F) {
	f.Add("series,time,value\n\"m{a=\"\"b\"\"}\",2023-11-14T22:13:20.123Z,1.5\nh,1970-01-01T00:00:01Z,\"{\"\"count\"\":1}\"\n", "")
	f.Add("when,v,room\n1.5,2,\"a, \"\"b\"\"\"\n2,nan,\n", "time=when:unix_s,value=v,metric=t,label:room=room")
	f.Add("1,2,3\n", "time=0:unix_ns,value=1,metric=2")
	f.Fuzz(func(t *testing.T, text, csvMap string) {
		o := formats.Options{}
		if csvMap != "" {
			m, err := formats.ParseCSVMap(csvMap)
			if err != nil {
				return
			}
			o.CSV = []formats.CSVMap{m}
		}
		var c collector
		if err := formats.Read(strings.NewReader(text), "file", formats.CSV, &o, &c); err != nil {
			return
		}
		checkPoints(t, c.points)
		for _, format := range formats.Writable {
			if format != formats.Text { // which has lines for people besides
				again(t, format, c.points)
			}
		}
	})
}

// FuzzText reads text and OpenMetrics at once and in small pieces: the same, whatever the blocks.
func FuzzText(f *testing.F) {
	f.Add("# TYPE a_total counter\na_total{x=\"1\"} 1 5\nb stale 3\nc nan:7ff8000000000005 4\n<html>\n", false)
	f.Add("# TYPE a counter\na_total 1 1.5 # {trace_id=\"x\"} 0.5 1.25\na_created 1\n# EOF\n", true)
	f.Fuzz(func(t *testing.T, text string, openMetrics bool) {
		format := formats.Text
		if openMetrics {
			format = formats.OpenMetrics
		}
		var results [2]string
		for i, in := range []io.Reader{strings.NewReader(text), &oneByte{text}} {
			var c collector
			err := formats.Read(in, "file", format, &formats.Options{Now: 1}, &c)
			checkPoints(t, c.points)
			results[i] = fmt.Sprint(describe(c.points), c.nBad, err)
			if err == nil && i == 0 {
				again(t, formats.JSON, c.points)
			}
		}
		if results[0] != results[1] {
			t.Errorf("at once\n%s\nin pieces\n%s", results[0], results[1])
		}
	})
}

// oneByte is a reader that gives a byte at a time.
type oneByte struct{ left string }

func (r *oneByte) Read(b []byte) (int, error) {
	if r.left == "" {
		return 0, io.EOF
	}
	if len(b) == 0 {
		return 0, nil
	}
	b[0] = r.left[0]
	r.left = r.left[1:]
	return 1, nil
}
