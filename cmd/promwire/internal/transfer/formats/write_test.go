package formats_test

import (
	"bytes"
	"fmt"
	"math"
	"testing"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/transfer/formats"
	"github.com/promwire/promwire/cmd/promwire/internal/transfer/tally"
)

func TestWrite(t *testing.T) {
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
	for format, want := range map[formats.Format]string{
		formats.Text: `m{le="1.0"} 0.25 1500
m{le="1.0"} NaN 2000
m{le="1.0"} stale 3000
h {count:4, sum:18.5, (1,2]:1, (2,4]:3} 1000
f {count:1.5, sum:+Inf, (-Inf,0.5]:1.5} 1000
left out: 2
`,
		formats.OpenMetrics: `m{le="1.0"} 0.25 1.5
m{le="1.0"} NaN 2
# EOF
left out: 3
`,
		formats.CSV: `series,time,value
"m{le=""1.0""}",1970-01-01T00:00:01.500Z,0.25
"m{le=""1.0""}",1970-01-01T00:00:02.000Z,NaN
"m{le=""1.0""}",1970-01-01T00:00:03.000Z,stale
h,1970-01-01T00:00:01.000Z,"{""count"":4,""sum"":""18.5"",""schema"":0,""zero_threshold"":""0"",""positive_spans"":[{""offset"":1,""length"":2}],""positive_deltas"":[1,2]}"
f,1970-01-01T00:00:01.000Z,"{""float"":true,""count_float"":""1.5"",""sum"":""+Inf"",""schema"":-53,""zero_threshold"":""0"",""zero_count_float"":""0"",` +
			`""positive_spans"":[{""offset"":0,""length"":1}],""positive_counts"":[""1.5""],""custom_values"":[""0.5""]}"
left out: 0
`,
		formats.JSON: `{"metric":{"__name__":"m","le":"1.0"},"values":[0.25],"timestamps":[1500]}
{"metric":{"__name__":"m","le":"1.0"},"values":[null],"timestamps":[2000]}
{"metric":{"__name__":"m","le":"1.0"},"values":["stale"],"timestamps":[3000]}
{"metric":{"__name__":"h"},"histograms":[{"timestamp":1000,"count":4,"sum":"18.5","schema":0,"zero_threshold":"0","positive_spans":[{"offset":1,"length":2}],"positive_deltas":[1,2]}]}
{"metric":{"__name__":"f"},"histograms":[{"timestamp":1000,"float":true,"count_float":"1.5","sum":"+Inf","schema":-53,"zero_threshold":"0","zero_count_float":"0",` +
			`"positive_spans":[{"offset":0,"length":1}],"positive_counts":["1.5"],"custom_values":["0.5"]}]}
left out: 0
`,
	} {
		t.Run(string(format), func(t *testing.T) {
			var out bytes.Buffer
			var lost tally.Tally
			f, err := formats.NewWriter(format, &out, &lost)
			if err != nil {
				t.Fatal(err)
			}
			for i := range series {
				if err := f.Write(&series[i]); err != nil {
					t.Fatal(err)
				}
			}
			if err := f.End(); err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&out, "left out: %d\n", lost.Total())
			if out.String() != want {
				t.Errorf("got\n%s\nwant\n%s", &out, want)
			}
		})
	}
}
