package cli

import (
	"bytes"
	"math"
	"testing"

	"github.com/promwire/promwire"
)

func TestFormats(t *testing.T) {
	series := []promwire.TimeSeries{
		{Labels: promwire.LabelsFromStrings("__name__", "m", "le", "1.0"), Samples: []promwire.Sample{
			{Timestamp: 1500, Value: 0.25}, {Timestamp: 2000, Value: math.NaN()}, {Timestamp: 3000, Value: promwire.StaleNaN()},
		}},
		{Labels: promwire.LabelsFromStrings("__name__", "h"), Histograms: []promwire.Histogram{
			{Timestamp: 1000, Count: 4, Sum: 18.5, PositiveSpans: []promwire.BucketSpan{{Offset: 1, Length: 2}}, PositiveDeltas: []int64{1, 2}},
		}},
		{Labels: promwire.LabelsFromStrings("__name__", "f"), Histograms: []promwire.Histogram{
			{
				Timestamp: 1000, IsFloat: true, CountFloat: 1.5, Sum: math.Inf(1), Schema: promwire.CustomBucketsSchema, CustomValues: []float64{0.5},
				PositiveSpans: []promwire.BucketSpan{{Length: 1}}, PositiveCounts: []float64{1.5},
			},
		}},
	}
	for name, want := range map[string]string{
		"text": `m{le="1.0"} 0.25 1500
m{le="1.0"} NaN 2000
m{le="1.0"} stale 3000
h {count:4, sum:18.5, (1,2]:1, (2,4]:3} 1000
f {count:1.5, sum:+Inf, (-Inf,0.5]:1.5} 1000
`,
		"csv": `series,time,value
"m{le=""1.0""}",1970-01-01T00:00:01.500Z,0.25
"m{le=""1.0""}",1970-01-01T00:00:02.000Z,NaN
"m{le=""1.0""}",1970-01-01T00:00:03.000Z,stale
h,1970-01-01T00:00:01.000Z,"{count:4, sum:18.5, (1,2]:1, (2,4]:3}"
f,1970-01-01T00:00:01.000Z,"{count:1.5, sum:+Inf, (-Inf,0.5]:1.5}"
`,
		"json": `{"metric":{"__name__":"m","le":"1.0"},"values":[[1.5,"0.25"],[2,"NaN"],[3,"stale"]]}
{"metric":{"__name__":"h"},"histograms":[[1,{"count":4,"sum":"18.5","schema":0,"zero_threshold":"0","zero_count":0,` +
			`"positive_spans":[{"offset":1,"length":2}],"positive_deltas":[1,2]}]]}
{"metric":{"__name__":"f"},"histograms":[[1,{"count":"1.5","sum":"+Inf","schema":-53,"zero_threshold":"0","zero_count":"0",` +
			`"positive_spans":[{"offset":0,"length":1}],"positive_counts":["1.5"],"custom_values":["0.5"]}]]}
`,
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			f, err := newFormat(name, &out)
			if err != nil {
				t.Fatal(err)
			}
			for i := range series {
				if err := f.write(&series[i]); err != nil {
					t.Fatal(err)
				}
			}
			if err := f.end(); err != nil {
				t.Fatal(err)
			}
			if out.String() != want {
				t.Errorf("got\n%s\nwant\n%s", &out, want)
			}
		})
	}
}
