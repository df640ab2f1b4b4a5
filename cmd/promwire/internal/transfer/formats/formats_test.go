package formats_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/transfer/formats"
	"github.com/promwire/promwire/cmd/promwire/internal/transfer/tally"
)

// collector keeps what a file holds.
type collector struct {
	points []formats.Point
	bad    []*formats.Bad
	nBad   int
}

func (c *collector) Point(p *formats.Point) error {
	c.points = append(c.points, *p)
	return nil
}

func (c *collector) Bad(b *formats.Bad, n int) error {
	c.bad = append(c.bad, b)
	c.nBad += n
	return nil
}

func read(t testing.TB, text string, f formats.Format, o formats.Options) *collector {
	t.Helper()
	var c collector
	if err := formats.Read(strings.NewReader(text), "file", f, &o, &c); err != nil {
		t.Fatal(err)
	}
	return &c
}

// describe writes points in lines.
func describe(points []formats.Point) string {
	var b strings.Builder
	for _, p := range points {
		fmt.Fprintf(&b, "%s @%d %s", p.Labels, p.Sample.Timestamp, formats.FormatFloat(p.Sample.Value))
		if p.Sample.StartTimestamp != 0 {
			fmt.Fprintf(&b, " start %d", p.Sample.StartTimestamp)
		}
		if p.Histogram != nil {
			fmt.Fprintf(&b, " %+v", *p.Histogram)
		}
		if p.Metadata != (promwire.Metadata{}) {
			fmt.Fprintf(&b, " %s %q %q", p.Metadata.Type, p.Metadata.Help, p.Metadata.Unit)
		}
		for _, e := range p.Exemplars {
			fmt.Fprintf(&b, " # %s %v @%d", e.Labels, e.Value, e.Timestamp)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func TestRead(t *testing.T) {
	for _, c := range []struct {
		name, text string
		format     formats.Format
		options    formats.Options
		want       string
		bad        string // the bad lines, as they are told
	}{
		{
			name: "text", format: formats.Auto, options: formats.Options{Now: 7, Labels: []promwire.Label{{Name: "job", Value: "j"}}},
			text: "# TYPE a_total counter\n# HELP a_total Help.\na_total{x=\"1\"} 1 5\r\na_total{x=\"1\"} 2\nb stale 3\nc nan:7ff8000000000005 4\nd nan\n" +
				"e{job=\"k\"} 1\n<html>\n",
			want: "a_total{job=\"j\",x=\"1\"} @5 1 counter \"Help.\" \"\"\na_total{job=\"j\",x=\"1\"} @7 2 counter \"Help.\" \"\"\nb{job=\"j\"} @3 stale\n" +
				"c{job=\"j\"} @4 nan:7ff8000000000005\nd{job=\"j\"} @7 NaN\n",
			bad: "file:8: label name is repeated: \"job\": \"e{job=\\\"k\\\"}\"\nfile:9: ",
		},
		{
			name: "openmetrics", format: formats.Auto,
			text: "# TYPE a counter\n# UNIT a \n# TYPE a counter\na_total 1 1.5 # {trace_id=\"x\"} 0.5 1.25\na_total 2 2.5\na_created 1\n# EOF\n",
			want: "a_total @1500 1 start 1000 counter \"\" \"\" # {trace_id=\"x\"} 0.5 @1250\na_total @2500 2 start 1000 counter \"\" \"\"\na_created @0 1 counter \"\" \"\"\n",
		},
		{
			name: "json", format: formats.Auto,
			text: `{"metric":{"__name__":"a","x":"1"},"values":[1,-0,null,"Infinity","-Infinity","stale","nan:7ff8000000000005"],"timestamps":[1,2,3,4,5,6,7]}` + "\n" +
				`{"metric":{"__name__":"v","x":",NaN"},"values":[NaN,+Inf,-Inf,1],"timestamps":[1,2,3,4]}` + "\n" +
				`{"metric":{"__name__":"b"},"values":[[1700000000.123,"1.5"]]}` + "\n\n" +
				`{"metric":{"__name__":"c"},"values":[1],"timestamps":[9],"type":"counter","help":"H","unit":"u","exemplars":[{"labels":{"t":"u"},"value":"3","timestamp":8}]}` + "\n" +
				`{"metric":{"__name__":"d"},"values":[1],"timestamps":[1,2]}` + "\n" + `{"metric":{"__name__":"d"},"value":[1]}` + "\n" + `{"metric":{"a":"b","a":"c"},"values":[1],"timestamps":[1]}` + "\n",
			want: "a{x=\"1\"} @1 1\na{x=\"1\"} @2 -0\na{x=\"1\"} @3 NaN\na{x=\"1\"} @4 +Inf\na{x=\"1\"} @5 -Inf\na{x=\"1\"} @6 stale\na{x=\"1\"} @7 nan:7ff8000000000005\n" +
				"v{x=\",NaN\"} @1 NaN\nv{x=\",NaN\"} @2 +Inf\nv{x=\",NaN\"} @3 -Inf\nv{x=\",NaN\"} @4 1\n" +
				"b @1700000000123 1.5\nc @9 1 counter \"H\" \"u\" # {t=\"u\"} 3 @8\n",
			bad: "file:6: values and timestamps differ in number: 1 and 2: \nfile:7: json: unknown field \"value\"\nfile:8: label name is repeated",
		},
		{
			name: "csv with a header", format: formats.Auto, options: formats.Options{CSV: maps(t, "time=when:unix_s,value=v,metric=temperature,label:room=room")},
			text: "when,v,room\n1.5,2,\"a, \"\"b\"\"\"\n2,nan,\nx,1,c\n3,,c\n4\n",
			want: "temperature{room=\"a, \\\"b\\\"\"} @1500 2\ntemperature @2000 NaN\n",
			bad:  "file:4: \"x\" is not a time in unix_s\nfile:5: \"\" is not a number\nfile:6: there is no column 2",
		},
		{
			name: "csv by numbers, two samples each", format: formats.CSV, options: formats.Options{CSV: maps(t, "time=0,value=1,metric=a", "time=0,value=2,metric=3")},
			text: "2023-11-14T22:13:20Z,1,2,name\n2023-11-14T23:13:20.5+01:00,3,4,other\n",
			want: "a @1700000000000 1\nname @1700000000000 2\na @1700000000500 3\nother @1700000000500 4\n",
		},
		{
			name: "series", format: formats.Series, options: formats.Options{Start: 1000, Interval: 500},
			text: "# c\n\na{b=\"x 9\"} 1 2+1x2 _ stale -3\n{__name__=\"h\"} {{schema:1 count:2 sum:3 buckets:[1 1]}}\na 1x2000000\na{\n",
			want: "a{b=\"x 9\"} @1000 1\na{b=\"x 9\"} @1500 2\na{b=\"x 9\"} @2000 3\na{b=\"x 9\"} @2500 4\na{b=\"x 9\"} @3500 stale\na{b=\"x 9\"} @4000 -3\n" +
				"h @1000 0 {Timestamp:0 StartTimestamp:0 Schema:1 ResetHint:0 IsFloat:true Sum:3 ZeroThreshold:0 Count:0 ZeroCount:0 PositiveDeltas:[] NegativeDeltas:[] CountFloat:2 ZeroCountFloat:0 PositiveCounts:[1 1] NegativeCounts:[] PositiveSpans:[{Offset:0 Length:2}] NegativeSpans:[] CustomValues:[]}\n",
			bad: "file:5: too large\nfile:6: ",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := read(t, c.text, c.format, c.options)
			if text := describe(got.points); text != c.want {
				t.Errorf("got\n%swant\n%s", text, c.want)
			}
			want := strings.Split(c.bad, "\n")
			if c.bad == "" {
				want = nil
			}
			for i, b := range got.bad {
				if i >= len(want) || !strings.HasPrefix(b.Error(), want[i]) {
					t.Errorf("bad line %v", b)
				}
			}
			if len(got.bad) != len(want) {
				t.Errorf("%d bad lines, want %d", len(got.bad), len(want))
			}
		})
	}
}

func maps(t testing.TB, texts ...string) (out []formats.CSVMap) {
	t.Helper()
	for _, text := range texts {
		m, err := formats.ParseCSVMap(text)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, m)
	}
	return out
}

// What is wrong with a file as a whole is told, with its name.
func TestReadErrors(t *testing.T) {
	for _, c := range []struct {
		text   string
		format formats.Format
		want   string
	}{
		{"\x1f\x8b\x08\x00", formats.Auto, "zcat"},
		{"PK\x03\x04rest", formats.JSON, "zip"},
		{"a 1\x00", formats.Text, "zero byte"},
		{"a 1\n", formats.OpenMetrics, "cut off"},
		{"a 1\n# EOF\n", formats.Text, "--format openmetrics"},
		{"a,b\n", formats.CSV, `no column "time"`},
	} {
		err := formats.Read(strings.NewReader(c.text), "file", c.format, &formats.Options{}, &collector{})
		if err == nil || !strings.HasPrefix(err.Error(), "file: ") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q as %s: %v", c.text, c.format, err)
		}
	}
	failed := errors.New("failed")
	if err := formats.Read(io.MultiReader(strings.NewReader("a 1\n"), failing{failed}), "file", formats.Text, &formats.Options{}, &collector{}); !errors.Is(err, failed) {
		t.Errorf("got %v", err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestCSVMapErrors(t *testing.T) {
	for text, want := range map[string]string{
		"": "KEY=COLUMN", "time=0": "value= is missing", "value=0": "metric= is missing", "value=0,metric=a,value=1": "twice",
		"value=0,metric=a,time=0:noon": "layout", "series=0,value=1,label:a=2": "excludes", "colour=1": "want time",
	} {
		if _, err := formats.ParseCSVMap(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// What a writer writes is read bit for bit, or counted as left out.
func TestRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, f := range formats.Writable {
		t.Run(string(f), func(t *testing.T) {
			for range 300 {
				ts := randomSeries(r)
				var b bytes.Buffer
				var lost tally.Tally
				w, err := formats.NewWriter(f, &b, &lost)
				if err != nil {
					t.Fatal(err)
				}
				if err := errors.Join(w.Write(&ts), w.End()); err != nil {
					t.Fatal(err)
				}
				compare(t, f, b.String(), &ts, &lost)
			}
		})
	}
}

// carried are the values that each format has to carry, whatever the others are.
var carried = map[formats.Format]bool{formats.JSON: true, formats.CSV: true, formats.Text: true}

func compare(t *testing.T, f formats.Format, text string, want *promwire.TimeSeries, lost *tally.Tally) {
	t.Helper()
	got := read(t, text, f, formats.Options{})
	seen := map[string]bool{}
	for _, p := range got.points {
		if !p.Labels.Equal(want.Labels) {
			t.Fatalf("%s: got %q, want %q", f, p.Labels, want.Labels)
		}
		seen[fmt.Sprint(p.Sample.Timestamp, math.Float64bits(p.Sample.Value), p.Histogram != nil)] = true
		if p.Histogram != nil {
			at := p.Sample.Timestamp
			if f == formats.CSV {
				p.Histogram.Timestamp = at
			}
			if !slices.ContainsFunc(want.Histograms, func(h promwire.Histogram) bool { return reflect.DeepEqual(bits(*p.Histogram), bits(h)) }) {
				t.Fatalf("%s: histogram %+v is none of %+v", f, *p.Histogram, want.Histograms)
			}
		}
	}
	missing := 0
	for _, s := range want.Samples {
		if !seen[fmt.Sprint(s.Timestamp, math.Float64bits(s.Value), false)] {
			missing++
		}
	}
	for i := range want.Histograms {
		if !seen[fmt.Sprint(want.Histograms[i].Timestamp, 0, true)] {
			missing++
		}
	}
	if f == formats.Text { // it has lines for people besides
		missing = int(lost.Total()) - max(0, int(lost.Total())-missing)
	}
	if int(lost.Total()) < missing || f != formats.Text && int(lost.Total()) != missing {
		t.Fatalf("%s: %d are missing, %+v are told:\n%s", f, missing, lost.Reasons, text)
	}
	if carried[f] && want.Labels.Get("odd") == "" && f != formats.Text && missing > 0 {
		t.Fatalf("%s does not carry %d of %s: %+v", f, missing, want.Labels, lost.Reasons)
	}
}

// bits makes NaNs comparable, and empty slices nil.
func bits(h promwire.Histogram) string {
	return fmt.Sprintf("%x %x %x %x %+v", math.Float64bits(h.Sum), math.Float64bits(h.ZeroThreshold), math.Float64bits(h.CountFloat), math.Float64bits(h.ZeroCountFloat),
		fmt.Sprint(h.Timestamp, h.Schema, h.ResetHint, h.IsFloat, h.Count, h.ZeroCount, h.PositiveSpans, h.NegativeSpans, h.PositiveDeltas, h.NegativeDeltas, h.PositiveCounts, h.NegativeCounts, h.CustomValues))
}

func randomSeries(r *rand.Rand) promwire.TimeSeries {
	values := []float64{0, math.Copysign(0, -1), 1, 0.1, 1e300, 5e-324, math.Inf(1), math.Inf(-1), math.NaN(), promwire.StaleNaN(), math.Float64frombits(0xfff8000000000123), 1e21, 123456789.125}
	texts := []string{"a", "b c", "q\"x", `back\slash`, "line\nend", "é", "comma,", "tab\t", " ", "{", "x#y", "1.0", "0.50"}
	odd := []string{"\r\n", "\x00", "\x01", "a\rb", "\xff", "\u2028"}
	ts := promwire.TimeSeries{}
	pairs := []promwire.Label{{Name: promwire.MetricName, Value: []string{"m", "a:b", "my.metric", "with \"quote", "é"}[r.IntN(5)]}}
	for _, name := range []string{"a", "le", "quantile", "a.b", "é"} {
		if r.IntN(3) == 0 {
			pairs = append(pairs, promwire.Label{Name: name, Value: texts[r.IntN(len(texts))]})
		}
	}
	if r.IntN(8) == 0 {
		pairs = append(pairs, promwire.Label{Name: "odd", Value: odd[r.IntN(len(odd))] + "x"})
	}
	ts.Labels, _ = promwire.NewLabels(pairs...)
	base := []int64{1700000000123, 0, -5, 86400_000 * 365 * 30}[r.IntN(4)]
	for i := range 1 + r.IntN(20) {
		ts.Samples = append(ts.Samples, promwire.Sample{Timestamp: base + int64(i)*int64(1+r.IntN(999))*7919, Value: values[r.IntN(len(values))]})
	}
	for i := range r.IntN(3) {
		h := promwire.Histogram{
			Timestamp: base + int64(i)*17, Schema: int32(r.IntN(9)), ResetHint: promwire.ResetHint(r.IntN(4)), Sum: values[r.IntN(len(values))], ZeroThreshold: 1e-128,
			PositiveSpans: []promwire.BucketSpan{{Offset: -3, Length: 2}, {Offset: 5, Length: 1}}, NegativeSpans: []promwire.BucketSpan{{Offset: 1, Length: 1}},
		}
		if h.IsFloat = r.IntN(2) == 0; h.IsFloat {
			h.CountFloat, h.ZeroCountFloat, h.PositiveCounts, h.NegativeCounts = 6.5, 0.25, []float64{1.5, 2, math.Copysign(0, -1)}, []float64{3}
		} else {
			h.Count, h.ZeroCount, h.PositiveDeltas, h.NegativeDeltas = math.MaxUint64, 1<<63, []int64{1, -1, math.MaxInt64}, []int64{math.MinInt64}
		}
		if r.IntN(3) == 0 {
			h.Schema, h.CustomValues = promwire.CustomBucketsSchema, []float64{0.1, 5}
		}
		ts.Histograms = append(ts.Histograms, h)
	}
	return ts
}
