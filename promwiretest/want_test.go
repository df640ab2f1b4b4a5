package promwiretest_test

import (
	"strings"
	"testing"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/promwiretest"
)

func wantData() []promwire.TimeSeries {
	return []promwire.TimeSeries{
		{
			Labels:    promwire.LabelsFromStrings("__name__", "jobs", "job", "nightly"),
			Samples:   []promwire.Sample{{Timestamp: 1000, Value: 3}, {Timestamp: 2000, Value: promwire.StaleNaN()}},
			Exemplars: []promwire.Exemplar{{Labels: promwire.LabelsFromStrings("trace_id", "t"), Value: 0.5, Timestamp: 900}},
		},
		{
			Labels:     promwire.LabelsFromStrings("__name__", "h"),
			Histograms: []promwire.Histogram{{Timestamp: 1500, Count: 2, Sum: 3, PositiveSpans: []promwire.BucketSpan{{Offset: 1, Length: 1}}, PositiveDeltas: []int64{2}}},
		},
	}
}

func TestWantSeries(t *testing.T) {
	const all = `jobs{job="nightly"} 3 1000
jobs{job="nightly"} stale 2000
jobs{job="nightly"} # {trace_id="t"} 0.5 900
h {count:2, sum:3, (1,2]:2} 1500`
	if got := promwiretest.FormatSeries(wantData()); got != all {
		t.Errorf("FormatSeries gives\n%s\nwant\n%s", got, all)
	}
	for _, tt := range []struct{ name, text, says string }{
		{"all", all, ""},
		{"another order, blanks, comments", "\n # a comment\n\th {count:2, sum:3, (1,2]:2} 1500\n" + strings.Replace(all, "\nh {count:2, sum:3, (1,2]:2} 1500", "\n", 1), ""},
		{"without times", "jobs{job=\"nightly\"} 3\njobs{job=\"nightly\"} stale\njobs{job=\"nightly\"} # {trace_id=\"t\"} 0.5\nh {count:2, sum:3, (1,2]:2}", ""},
		{"another value", strings.Replace(all, " 3 1000", " 4 1000", 1), "- jobs{job=\"nightly\"} 4 1000\n+ jobs{job=\"nightly\"} 3 1000"},
		{"another time", strings.Replace(all, " 3 1000", " 3 1001", 1), "- jobs{job=\"nightly\"} 3 1001\n+ jobs{job=\"nightly\"} 3 1000"},
		{"one line too many", all + "\njobs{job=\"nightly\"} 3 1000", "- jobs{job=\"nightly\"} 3 1000"},
		{"one line too few", strings.Replace(all, "jobs{job=\"nightly\"} 3 1000\n", "", 1), "+ jobs{job=\"nightly\"} 3 1000"},
		{"no line", "", "+ h {count:2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := &recorder{}
			same := promwiretest.WantSeries(r, wantData(), tt.text)
			text := strings.Join(r.failures, "\n")
			if same != (tt.says == "") || same != (text == "") || !strings.Contains(text, tt.says) {
				t.Errorf("%v, reports %q, want %q", same, text, tt.says)
			}
		})
	}
}

// TestWantSeriesOfReceiverAndStorage sends what is compared.
func TestWantSeriesOfReceiverAndStorage(t *testing.T) {
	memory := promwiretest.NewMemory(promwiretest.RefuseOlder)
	r, c := start(t, promwiretest.WithStorage(memory))
	for range 2 {
		if _, err := once(c, gauge(2, 1_700_000_000_000, 7)); err != nil {
			t.Fatal(err)
		}
	}
	promwiretest.WantSeries(t, r.All(), `
		g{i="0"} 7 1700000000000
		g{i="0"} 7 1700000000000
		g{i="1"} 7
		g{i="1"} 7`)
	promwiretest.WantSeries(t, promwiretest.Select(t, memory, `g{i=~"0|1"}`), `
		g{i="0"} 7 1700000000000
		g{i="1"} 7 1700000000000`)
	promwiretest.WantSeries(t, promwiretest.Select(t, memory, `g{i="2"}`), "")
	failing := &recorder{}
	promwiretest.Select(failing, memory, `g{`)
	if len(failing.failures) != 1 {
		t.Errorf("a bad selector: %q", failing.failures)
	}
}
