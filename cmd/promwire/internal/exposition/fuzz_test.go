package exposition_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/prometheus/model/exemplar"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/exposition"
)

// FuzzRead reads any body in any format, three times with one reader. Where the library reads it as a whole, both read the
// same; and memory of the first time changes nothing.
func FuzzRead(f *testing.F) {
	for _, body := range []string{
		"# HELP a_total Help.\n# TYPE a_total counter\na_total{x=\"1\"} 1 1700000000000\n# c\n\nb NaN\n",
		"# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"1e3\"} 1\n# TYPE s summary\ns{quantile=\"0.50\"} 1\n",
		"# TYPE a counter\na_total 1 # {t=\"u\"} 0.5 1.5\na_created 7\n# EOF\n", "{\"a.b\",c=\"d\"} 1\n", "a 1\nb{x=\"y\n",
	} {
		f.Add([]byte(body), uint8(1))
		f.Add([]byte(body), uint8(2))
	}
	f.Add(registry(f, expfmt.NewFormat(expfmt.TypeTextPlain)), uint8(1))
	f.Add(registry(f, expfmt.NewFormat(expfmt.TypeOpenMetrics)), uint8(2))
	f.Add(registry(f, expfmt.NewFormat(expfmt.TypeProtoDelim)), uint8(3))
	f.Fuzz(func(t *testing.T, body []byte, kind uint8) {
		format := exposition.Format(kind%3) + exposition.Text
		r := exposition.NewReader(exposition.Options{})
		input := bytes.Clone(body)
		var results [3]string
		for i := range results {
			res, err := r.Read(input, format)
			results[i] = fmt.Sprint(describe(res), err)
			if err == nil && res.BadCount == 0 {
				compareWithLibrary(t, body, format, res)
			}
		}
		if results[0] != results[1] || results[0] != results[2] {
			t.Errorf("first\n%s\nthen\n%s\nthen\n%s", results[0], results[1], results[2])
		}
		if !bytes.Equal(input, body) {
			t.Error("the body was changed")
		}
	})
}

// compareWithLibrary compares res with what the library reads, if it reads the body as a whole and line by line alike.
func compareWithLibrary(t *testing.T, body []byte, format exposition.Format, res *exposition.Result) {
	t.Helper()
	want, ok := library(body, format)
	if !ok {
		return
	}
	var got []string
	for _, p := range res.Points {
		text := fmt.Sprintf("%s %x %d %v", p.Series.Labels, math.Float64bits(p.Value), p.Timestamp, p.HasTimestamp)
		if p.Histogram != nil {
			text = fmt.Sprintf("%s %v %v %v", p.Series.Labels, p.Histogram.Sum, p.Timestamp, p.HasTimestamp)
		}
		for _, e := range p.Exemplars {
			text += fmt.Sprintf(" %s %v %d", e.Labels, e.Value, e.Timestamp)
		}
		got = append(got, text)
	}
	if a, b := strings.Join(got, "\n"), strings.Join(want, "\n"); a != b {
		t.Errorf("%q: got\n%s\nthe library reads\n%s", body, a, b)
	}
}

func library(body []byte, format exposition.Format) (points []string, ok bool) {
	contentType := map[exposition.Format]string{
		exposition.Text: "text/plain", exposition.OpenMetrics: "application/openmetrics-text",
		exposition.Protobuf: "application/vnd.google.protobuf",
	}[format]
	// It takes line ends inside of label values, blanks in front of names and what follows a zero byte for something else.
	if format == exposition.Text && (bytes.ContainsAny(body, "\x00") || bytes.Contains(body, []byte("\n ")) || bytes.Contains(body, []byte("\n\t")) || bytes.HasPrefix(body, []byte(" ")) || bytes.HasPrefix(body, []byte("\t"))) {
		return nil, false
	}
	p, err := textparse.New(bytes.Clone(body), contentType, nil, textparse.ParserOptions{KeepClassicOnClassicAndNativeHistograms: true})
	if err != nil {
		return nil, false
	}
	for {
		entry, err := p.Next()
		if errors.Is(err, io.EOF) {
			return points, true
		}
		if err != nil {
			return nil, false
		}
		var name []byte
		var at *int64
		var value float64
		text := ""
		var ls labels.Labels
		switch entry {
		case textparse.EntrySeries:
			name, at, value = p.Series()
			p.Labels(&ls)
			text = fmt.Sprintf("%s %x", own(ls), math.Float64bits(value))
		case textparse.EntryHistogram:
			_, ts, h, fh := p.Histogram()
			at = ts
			p.Labels(&ls)
			if fh == nil {
				fh = h.ToFloat(nil)
			}
			text = fmt.Sprintf("%s %v", own(ls), fh.Sum)
		default:
			continue
		}
		if format != exposition.Protobuf && bytes.IndexByte(name, '\n') >= 0 {
			return nil, false
		}
		if at == nil {
			text += " 0 false"
		} else {
			text += fmt.Sprintf(" %d true", *at)
		}
		for e := (exemplar.Exemplar{}); p.Exemplar(&e); e = (exemplar.Exemplar{}) {
			text += fmt.Sprintf(" %s %v %d", own(e.Labels).Normalize(), e.Value, e.Ts)
		}
		points = append(points, text)
	}
}

func own(ls labels.Labels) promwire.Labels {
	out := promwire.Labels{}
	ls.Range(func(l labels.Label) { out = append(out, promwire.Label{Name: l.Name, Value: l.Value}) })
	return out
}
