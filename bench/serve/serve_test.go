//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/golang/snappy"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/bench/process"
)

// Two systems get the same bodies, and what is read back is known by them: all of it, and sums.
func TestReadBackKnowsWhatWasSent(t *testing.T) {
	s := settings{samples: 6000, active: 2000, daySeries: 10_000}
	for _, sc := range s.scenarios() {
		if sc.name == "day" {
			continue // 14 million samples
		}
		sc.passes = min(sc.passes, 3)
		var bodies [2][]byte
		var sent [2]content
		l := newLoad(&sc)
		var got promwire.WriteRequest
		for i := range bodies {
			random := rand.New(rand.NewPCG(1, 2))
			for k := range sc.passes {
				if err := l.pass(k, random, &sent[i], func(body []byte) error {
					bodies[i] = append(bodies[i], body...)
					message, err := snappy.Decode(nil, body)
					if err != nil {
						return err
					}
					var req promwire.WriteRequest
					if err := req.UnmarshalProto(message, sc.message); err == nil && i == 0 {
						got.Timeseries = append(got.Timeseries, req.Timeseries...)
					}
					return err
				}); err != nil {
					t.Fatal(err)
				}
			}
		}
		if !slices.Equal(bodies[0], bodies[1]) || sent[0] != sent[1] {
			t.Errorf("%s: the second system gets other requests", sc.name)
		}
		var back content
		for i := range got.Timeseries {
			back.add(&got.Timeseries[i])
		}
		if back != sent[0] || back.Samples != sc.passes*len(l.series) || back.sum == 0 {
			t.Errorf("%s: read back %+v, sent %+v", sc.name, back, sent[0])
		}
	}
}

// A server that lost a sample, or has another value, is found out.
func TestCompareFindsDifferences(t *testing.T) {
	for _, tt := range []struct {
		values string
		good   bool
	}{{`[1.5,"0.25"],[2,"3"]`, true}, {`[1.5,"0.25"]`, false}, {`[1.5,"0.25"],[2,"3.25"]`, false}, {`[1.501,"0.25"],[2,"3"]`, false}} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintf(w, `{"data":{"result":[{"metric":{"__name__":"m","a":"b"},"values":[%s]}]}}`, tt.values)
		}))
		var sent content
		sent.add(&promwire.TimeSeries{
			Labels:  promwire.LabelsFromStrings("__name__", "m", "a", "b"),
			Samples: []promwire.Sample{{Timestamp: 1500, Value: 0.25}, {Timestamp: 2000, Value: 3}},
		})
		run := &trial{url: server.URL, sys: &system{}}
		err := run.compare(t.Context(), &load{scenario: &scenario{full: true}}, sent)
		if server.Close(); (err == nil) != tt.good {
			t.Errorf("%s: %v", tt.values, err)
		}
	}
	var p point
	if err := json.Unmarshal([]byte(`[1,"x"]`), &p); err == nil {
		t.Error("a value that is no number is taken")
	}
}

// There are 50 queries, all different, and an answer that is not that of the peer fails.
func TestQueries(t *testing.T) {
	l := newLoad(&(&settings{samples: 1, daySeries: 1}).scenarios()[8])
	all := l.paths()
	slices.Sort(all)
	if all = slices.Compact(all); len(all) != 50 {
		t.Errorf("%d queries: %s", len(all), all)
	}
	runs := []*trial{{sys: &system{name: ours}}, {sys: &system{name: peer}}}
	if err := equal(runs, [][]byte{[]byte("1"), []byte("1")}); err != nil {
		t.Error(err)
	}
	if err := equal(runs, [][]byte{[]byte("1"), []byte("2")}); err == nil {
		t.Error("another answer passes")
	}
}

// A figure at a bar keeps it, one beyond it does not, and what was not measured beside the peer keeps none.
func TestReportJudges(t *testing.T) {
	sc := scenario{name: "x", bars: bars{cpu: 0.5, memory: 0.5, disk: 1, latency: 1}}
	whole := outcome{cpu: 2, memory: 2, disk: 2, median: 2, p95: 2, series: 1}
	good := outcome{cpu: 1, memory: 1, disk: 2, median: 2, p95: 2, series: 1}
	for verdict, change := range map[string]func(o *outcome){
		"ok": func(*outcome) {}, "CPU": func(o *outcome) { o.cpu = 1.1 }, "MEMORY": func(o *outcome) { o.memory = 1.1 },
		"DISK": func(o *outcome) { o.disk = 2.1 }, "MEDIAN": func(o *outcome) { o.median = 2.1 }, "P95": func(o *outcome) { o.p95 = 2.1 },
		"no peer": nil,
	} {
		all, out, mine := results{}, &strings.Builder{}, good
		if change != nil {
			all.add(sc.name, peer, &whole)
			change(&mine)
		}
		all.add(sc.name, ours, &mine)
		want := 1
		if verdict == "ok" {
			want = 0
		}
		if missed := all.report(out, []scenario{sc}); missed != want || !strings.Contains(out.String(), verdict) {
			t.Errorf("missed %d, want %d with %q:\n%s", missed, want, verdict, out)
		}
	}
	if missed := (results{}).report(io.Discard, []scenario{sc}); missed != 0 {
		t.Errorf("%d missed of nothing", missed)
	}
	if got := process.Median([]float64{4, 1, 3, 2}); got != 2.5 {
		t.Errorf("median %v", got)
	}
}
