package exposition_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/prometheus/common/expfmt"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/exposition"
)

// describe writes a result in lines.
func describe(res *exposition.Result) string {
	var b strings.Builder
	for _, p := range res.Points {
		fmt.Fprintf(&b, "%d: %s", p.Place, p.Series.Labels)
		if p.Histogram != nil {
			fmt.Fprintf(&b, " %+v", *p.Histogram)
		} else {
			fmt.Fprintf(&b, " %v", p.Value)
		}
		if p.HasTimestamp {
			fmt.Fprintf(&b, " @%d", p.Timestamp)
		}
		if p.Start != 0 {
			fmt.Fprintf(&b, " start %d", p.Start)
		}
		if p.Family != nil {
			fmt.Fprintf(&b, " %s %s %q %q", p.Family.Name, p.Family.Type, p.Family.Help, p.Family.Unit)
		}
		for _, e := range p.Exemplars {
			fmt.Fprintf(&b, " # %s %v", e.Labels, e.Value)
			if e.HasTime {
				fmt.Fprintf(&b, " @%d", e.Timestamp)
			}
		}
		b.WriteByte('\n')
	}
	for _, x := range res.Bad {
		fmt.Fprintf(&b, "bad %d: %q: %v\n", x.Place, x.Text, x.Err)
	}
	return b.String()
}

// readTwice reads a body twice, the second time from memory, and demands the same.
func readTwice(t *testing.T, body string, format exposition.Format) (string, error) {
	t.Helper()
	r := exposition.NewReader(exposition.Options{})
	res, err := r.Read([]byte(body), format)
	first := describe(res)
	res, err2 := r.Read([]byte(body), format)
	if second := describe(res); second != first || fmt.Sprint(err) != fmt.Sprint(err2) {
		t.Errorf("%q: the second time\n%s%v, the first time\n%s%v", body, second, err2, first, err)
	}
	return first, err
}

func TestText(t *testing.T) {
	for _, c := range []struct{ name, body, want string }{
		{"plain", "a 1\nb 2.5 1700000000123\n", "1: a 1\n2: b 2.5 @1700000000123\n"},
		{"no last line end", "a 1\nb 2", "1: a 1\n2: b 2\n"},
		{"empty lines and blanks", "\n  \n\ta\t 1 \n", "3: a 1\n"},
		{"labels", `a{x="1",y="\\ \" \n",} 3` + "\n", `1: a{x="1",y="\\ \" \n"} 3` + "\n"},
		{"empty label", `a{x=""} 3` + "\n", `1: a{x=""} 3` + "\n"},
		{"brace and quote inside", `a{x="}\"{"} 3` + "\n", `1: a{x="}\"{"} 3` + "\n"},
		{"UTF-8 name", `{"my.metric",x="1"} 4` + "\n", `1: {"my.metric",x="1"} 4` + "\n"},
		{"special values", "a NaN\nb +Inf\nc -Inf\nd -0\ne 0x1\n", "1: a NaN\n2: b +Inf\n3: c -Inf\n4: d -0\nbad 5: \"e 0x1\": strconv"},
		{
			"metadata", "# HELP a_total Counts \\\\ a.\\nb\n# TYPE a_total counter\na_total 1\nother 2\n# some comment\n#\n",
			"3: a_total 1 a_total counter \"Counts \\\\ a.\\nb\" \"\"\n4: other 2\n",
		},
		{
			"histogram", "# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 2\nh_sum 3\nh_count 2\n",
			"2: h_bucket{le=\"1.0\"} 1 h histogram \"\" \"\"\n3: h_bucket{le=\"+Inf\"} 2 h histogram \"\" \"\"\n" +
				"4: h_sum 3 h histogram \"\" \"\"\n5: h_count 2 h histogram \"\" \"\"\n",
		},
		{
			"bad lines", "a 1\nb{x=\"y 2\nc 3\n9d 4\ne one\nf\ng 1 2 3\nh 5\n",
			"1: a 1\n3: c 3\n8: h 5\nbad 2: \"b{x=\\\"y 2\": the brace is not closed\nbad 4: \"9d 4\": ",
		},
		{"repeated label", "a{x=\"1\",x=\"2\"} 1\nb 1\n", "2: b 1\nbad 1: \"a{x=\\\"1\\\",x=\\\"2\\\"} 1\": label name is repeated"},
		{"bad type", "# TYPE a gouge\na 1\n", "2: a 1\nbad 1: \"# TYPE a gouge\": invalid metric type"},
		{"bad UTF-8", "a{x=\"\xff\"} 1\nb 1\n", "2: b 1\nbad 1: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := readTwice(t, c.body, exposition.Text)
			if err != nil || !strings.HasPrefix(got, c.want) {
				t.Errorf("got\n%s%v, want\n%s", got, err, c.want)
			}
		})
	}
}

func TestOpenMetrics(t *testing.T) {
	for _, c := range []struct{ name, body, want, fault string }{
		{"plain", "# TYPE a gauge\na 1 1700000000.125\n# EOF\n", "2: a 1 @1700000000125 a gauge \"\" \"\"\n", ""},
		{"no end of the last line", "a 1\n# EOF", "1: a 1\n", ""},
		{"unit", "# TYPE a_seconds gauge\n# UNIT a_seconds seconds\na_seconds 1\n# EOF\n", "3: a_seconds 1 a_seconds gauge \"\" \"seconds\"\n", ""},
		{
			"exemplar", "# TYPE a counter\na_total 1 # {trace_id=\"x\"} 0.5 1700000000\na_total{b=\"c\"} 2 # {} 3\n# EOF\n",
			"2: a_total 1 a counter \"\" \"\" # {trace_id=\"x\"} 0.5 @1700000000000\n3: a_total{b=\"c\"} 2 a counter \"\" \"\" # {} 3\n", "",
		},
		{
			"start", "# TYPE a counter\na_total{x=\"1\"} 1\na_created{x=\"1\"} 1700000000.5\na_total{x=\"2\"} 1\n# EOF\n",
			"2: a_total{x=\"1\"} 1 start 1700000000500 a counter \"\" \"\"\n3: a_created{x=\"1\"} 1.7000000005e+09 a counter \"\" \"\"\n" +
				"4: a_total{x=\"2\"} 1 a counter \"\" \"\"\n", "",
		},
		{
			"start of a histogram", "# TYPE h histogram\nh_bucket{le=\"+Inf\"} 1\nh_count 1\nh_sum 2\nh_created 9\n# EOF\n",
			"2: h_bucket{le=\"+Inf\"} 1 start 9000 h histogram \"\" \"\"\n3: h_count 1 start 9000", "",
		},
		{"a gauge that ends so", "# TYPE a_created gauge\na_created 9\n# EOF\n", "2: a_created 9 a_created gauge \"\" \"\"\n", ""},
		{"bad line", "a 1\nb  2\n\nc 3 x\nd 4\n# EOF\n", "1: a 1\n5: d 4\nbad 2: \"b  2\": ", ""},
		{"no end", "a 1\nb 2\n", "1: a 1\n2: b 2\n", "does not end with # EOF"},
		{"cut off", "a 1\nb 2", "1: a 1\n", "does not end with # EOF"},
		{"more", "a 1\n# EOF\nb 2\n", "1: a 1\n", "there is text after # EOF"},
		{"empty", "", "", "does not end with # EOF"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := readTwice(t, c.body, exposition.OpenMetrics)
			if !strings.HasPrefix(got, c.want) || (err == nil) != (c.fault == "") || err != nil && !strings.Contains(err.Error(), c.fault) {
				t.Errorf("got\n%s%v, want\n%s%s", got, err, c.want, c.fault)
			}
		})
	}
}

// What a reader knows of one exposition does not leak into the next.
func TestReaderForgets(t *testing.T) {
	r := exposition.NewReader(exposition.Options{})
	for i, c := range []struct {
		body   string
		format exposition.Format
		want   string
	}{
		{"# TYPE h histogram\n# HELP h Help.\nh_bucket{le=\"1\"} 1\n", exposition.Text, "3: h_bucket{le=\"1.0\"} 1 h histogram \"Help.\" \"\"\n"},
		{"h_bucket{le=\"1\"} 1\n", exposition.Text, "1: h_bucket{le=\"1\"} 1\n"},
		{"# TYPE h gauge\nh_bucket{le=\"1\"} 1\n", exposition.Text, "2: h_bucket{le=\"1\"} 1\n"},
		{"# TYPE h histogram\nh_bucket{le=\"1\"} 2\n", exposition.Text, "2: h_bucket{le=\"1.0\"} 2 h histogram \"\" \"\"\n"},
		{"# TYPE a counter\na_total 1\na_created 3\n# EOF\n", exposition.OpenMetrics, "2: a_total 1 start 3000 a counter \"\" \"\"\n"},
		{"# TYPE a counter\na_total 1 # {x=\"y\"} 1\n# EOF\n", exposition.OpenMetrics, "2: a_total 1 a counter \"\" \"\" # {x=\"y\"} 1\n"},
		{"# TYPE a counter\na_total 1\n# EOF\n", exposition.OpenMetrics, "2: a_total 1 a counter \"\" \"\"\n"},
	} {
		res, err := r.Read([]byte(c.body), c.format)
		if got := describe(res); err != nil || !strings.HasPrefix(got, c.want) {
			t.Errorf("%d: got %s%v, want %s", i, got, err, c.want)
		}
	}
}

func TestBadIsBounded(t *testing.T) {
	res, err := exposition.NewReader(exposition.Options{}).Read([]byte(strings.Repeat("x"+strings.Repeat("!", 5000)+"\n", 100)), exposition.Text)
	if err != nil || res.BadCount != 100 || len(res.Bad) != 10 {
		t.Fatalf("%d bad, %d kept, %v", res.BadCount, len(res.Bad), err)
	}
	if b := res.Bad[9]; b.Place != 10 || len(b.Text) > 120 || len(b.Err.Error()) > 300 {
		t.Errorf("%+v", b)
	}
}

func TestFormatOf(t *testing.T) {
	for contentType, want := range map[string]exposition.Format{
		"text/plain; version=0.0.4; charset=utf-8": exposition.Text,
		"text/plain": exposition.Text,
		"application/openmetrics-text; version=1.0.0; charset=utf-8":                                   exposition.OpenMetrics,
		"application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited": exposition.Protobuf,
		"text/html": 0, "": 0, "application/openmetrics-text; version=2.0.0": 0,
	} {
		got, err := exposition.FormatOf(contentType, 0)
		if got != want || (err == nil) != (want != 0) {
			t.Errorf("%q: %v, %v", contentType, got, err)
		}
		if got, _ := exposition.FormatOf(contentType, exposition.Text); got != max(want, exposition.Text) {
			t.Errorf("%q with a fallback: %v", contentType, got)
		}
	}
}

// A known exposition is read without allocating.
func TestReadAllocates(t *testing.T) {
	var b strings.Builder
	for f := range 50 {
		fmt.Fprintf(&b, "# HELP m%d Help of it.\n# TYPE m%d gauge\n", f, f)
		for s := range 20 {
			fmt.Fprintf(&b, "m%d{a=\"%d\",b=\"some value\"} %v\n", f, s, math.Sqrt(float64(f*s)))
		}
	}
	body := []byte(b.String())
	r := exposition.NewReader(exposition.Options{})
	read := func() {
		if res, err := r.Read(body, exposition.Text); err != nil || len(res.Points) != 1000 || res.BadCount > 0 {
			t.Fatal(len(res.Points), err)
		}
	}
	read()
	if n := testing.AllocsPerRun(10, read); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// A body can't take more memory than a bound.
func TestTooManyPoints(t *testing.T) {
	r := exposition.NewReader(exposition.Options{MaxPoints: 5})
	for range 2 {
		if _, err := r.Read([]byte(strings.Repeat("a 1\n", 5)), exposition.Text); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Read([]byte(strings.Repeat("a 1\n", 6)), exposition.Text); !errors.Is(err, promwire.ErrTooLarge) {
			t.Fatal(err)
		}
		body := registry(t, expfmt.NewFormat(expfmt.TypeProtoDelim))
		if _, err := r.Read(body, exposition.Protobuf); !errors.Is(err, promwire.ErrTooLarge) {
			t.Fatal(err)
		}
	}
}
