package web

import (
	"encoding/json"
	"slices"
	"testing"
)

// testModules calls functions of the page's modules.
func testModules(v *visitor, t *testing.T) {
	v.Zone("Asia/Kolkata")
	defer v.Zone("UTC")
	v.open("?v=status", `document.querySelector("dl")`)
	for _, c := range []struct {
		text string // the cursor is at |
		want []string
	}{
		{"ra|", []string{"expr", "ra", "", ""}},
		{"sum(ra|te", []string{"expr", "ra", "", ""}},
		{"up{jo|", []string{"label", "jo", "up", ""}},
		{`up{job="|`, []string{"value", "", "up", "job"}},
		{`up{job="a", inst|ance`, []string{"label", "inst", "up", ""}},
		{`up{job="a", instance=~"b|`, []string{"value", "b", "up", "instance"}},
		{`up{job="a"} + down{x='\'|`, []string{"value", `\'`, "down", "x"}},
		{`{"a.b", "c.d"="|`, []string{"value", "", "a.b", "c.d"}},
		{`rate(up{a="}["}[5|`, []string{"duration", "5", "", ""}},
		{"sum by (a, b|", []string{"group", "b", "", ""}},
		{"a * on (x) group_left (|", []string{"group", "", "", ""}},
		{"sum(a) by (x) / 1.5|", []string{"none", "1.5", "", ""}},
		{`"text|`, []string{"none", "text", "", ""}},
		{"up # not {here\n+ ra|", []string{"expr", "ra", "", ""}},
	} {
		var got []string
		v.Eval(`import("/ui/context.js").then(({contextAt}) => {
			const [before, after] = `+js(c.text)+`.split("|");
			const c = contextAt(before + after, before.length);
			return [c.kind, c.word, c.metric, c.label];
		})`, &got)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.text, got, c.want)
		}
	}
	for call, want := range map[string]string{
		`format.js").then((m) => m.short(1234567))`:                                                                                "1.23M",
		`format.js").then((m) => m.short(0.00001234))`:                                                                             "1.2e-5",
		`format.js").then((m) => m.short(-40))`:                                                                                    "-40",
		`format.js").then((m) => m.exact(1234567.5))`:                                                                              "1,234,567.5",
		`format.js").then((m) => m.exact(m.number("+Inf")))`:                                                                       "+Inf",
		`format.js").then((m) => m.duration(90061))`:                                                                               "1d1h1m1s",
		`format.js").then((m) => String(m.parseDuration("1h30m")))`:                                                                "5400",
		`format.js").then((m) => String(m.parseDuration("soon")))`:                                                                 "NaN",
		`format.js").then((m) => m.bytes(1536))`:                                                                                   "1.5 KiB",
		`format.js").then((m) => m.seriesText({__name__: "a.b", "c d": "\"x\""}))`:                                                 `{"a.b","c d"="\"x\""}`,
		`format.js").then((m) => m.short(1.5e300))`:                                                                                "1.5e300",
		`format.js").then((m) => m.quote("\u202ea\u0000\t\\\n"))`:                                                                  `"\u202ea\u0000\t\\\n"`,
		`format.js").then((m) => m.visible("\u202e\"a\n"))`:                                                                        "\\u202e\"a\n",
		`scale.js").then((m) => [0, 500, 1000].map((v) => m.tickText(v, 500, " MB")).join())`:                                      "0,500 MB,1000 MB",
		`unit.js").then((m) => m.amount(593285123, "B"))`:                                                                          "593 MB",
		`unit.js").then((m) => m.amount(0.0123, "s"))`:                                                                             "12.3 ms",
		`unit.js").then((m) => m.amount(150, "s", 6))`:                                                                             "2.5 min",
		`unit.js").then((m) => m.amount(0, "s"))`:                                                                                  "0 s",
		`unit.js").then((m) => m.amount(5, ""))`:                                                                                   "5",
		`zone.js").then((m) => m.zoneName(0))`:                                                                                     "UTC+5:30",
		`zone.js").then((m) => m.instant("1970-01-01T05:30:00"))`:                                                                  "0",
		`zone.js").then((m) => [m.chooseUTC(true), m.zoneName(0), m.instant("1970-01-01T00:00:01"), m.chooseUTC(false)].join(""))`: "UTC1000",
		`format.js").then((m) => m.seriesText({__name__: "a", b: "c"}))`:                                                           `a{b="c"}`,
		`scale.js").then((m) => m.valueTicks(0, 37, 4).map((v) => m.tickText(v, 10)).join())`:                                      "0,10,20,30,40",
		`scale.js").then((m) => m.valueTicks(0, 0.4, 4).map((v) => m.tickText(v, 0.1)).join())`:                                    "0,0.1,0.2,0.3,0.4",
		`scale.js").then((m) => m.valueTicks(100001, 100004, 3).map((v) => m.tickText(v, 1)).join())`:                              "100001,100002,100003,100004",
		`scale.js").then((m) => m.valueTicks(5, 5, 4).every((v, i, a) => !i || v > a[i - 1]) + "")`:                                "true",
		`scale.js").then((m) => m.valueTicks(-1e300, 1e300, 4).length < 50 && "bounded")`:                                          "bounded",
		`data.js").then((m) => JSON.stringify(m.histogram({count: "3", sum: "1", buckets: [[3, "-1", "1", "3"]]})))`:               `{"count":3,"sum":1,"buckets":[{"lo":-1,"hi":1,"n":3}]}`,
	} {
		var got string
		v.Eval(`import("/ui/`+call+`.then(String)`, &got)
		if got != want {
			t.Errorf("%s is %q, want %q", call, got, want)
		}
	}
}

// testUnits asks for the units of results, which have the name of the metric unless something is calculated.
func testUnits(v *visitor, t *testing.T) {
	for _, c := range []struct{ expr, name, values, bounds string }{
		{"a_bytes", "a_bytes", "B", "B"},
		{"a_seconds_total > 3", "a_seconds_total", "s", "s"},
		{"a_seconds_count", "a_seconds_count", "", "s"},
		{"process_start_time_seconds", "process_start_time_seconds", "", ""},
		{`sum by (a_seconds) (rate(b_bytes_total{x="}("}[5m]))`, "", "B/s", "B"},
		{"rate(cpu_seconds_total[5m])", "", "", "s"},
		{"histogram_quantile(0.9, sum by (le) (rate(a_seconds_bucket[5m])))", "", "s", "s"},
		{"rate(a_seconds[5m])", "", "", "s"},
		{"max_over_time(a_celsius[1d] offset 1w)", "", "°C", "°C"},
		{"a_bytes * 8", "", "", "B"},
		{"a_bytes / b_bytes", "", "", ""},
		{"count(a_bytes)", "", "", "B"},
		{"time()", "", "", ""},
		{"up", "up", "", ""},
	} {
		metric := "{}"
		if c.name != "" {
			metric = `{__name__: ` + js(c.name) + `}`
		}
		var got struct{ Values, Bounds string }
		v.Eval(`import("/ui/unit.js").then((m) => m.unitOf(`+js(c.expr)+`, [{metric: `+metric+`}]))`, &got)
		if got.Values != c.values || got.Bounds != c.bounds {
			t.Errorf("%s: %+v, want %q and %q", c.expr, got, c.values, c.bounds)
		}
	}
}

// js writes a string of JavaScript.
func js(s string) string {
	out, _ := json.Marshal(s) // a string does not fail
	return string(out)
}
