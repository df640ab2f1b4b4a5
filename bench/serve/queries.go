//go:build linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/promwire/promwire/bench/process"
)

// queries are asked for five metrics each: METRIC is one, OTHER another.
var queries = []struct {
	text  string
	graph bool
}{
	{`METRIC{instance="broker-001:9404"}`, false},
	{`sum(rate(METRIC[5m]))`, false},
	{`topk(5, sum by (instance) (rate(METRIC[5m])))`, false},
	{`count({__name__=~"broker_queue_DIGIT._messages_total", instance=~"broker-0[0-4].:9404"})`, false},
	{`METRIC{instance=~"broker-00.:9404"}[20m]`, false},
	{`sum by (instance) (rate(METRIC[5m]))`, true},
	{`METRIC{instance=~"broker-0.*"}`, true},
	{`quantile(0.9, METRIC)`, true},
	{`max_over_time(METRIC{instance=~"broker-00.:9404"}[10m])`, true},
	{`sum(METRIC / on(instance, copy) OTHER)`, true},
}

// paths returns the requests for all queries: 50, over the whole time of the load, in 60 steps each if they are graphs.
func (l *load) paths() (all []string) {
	start, end := time.UnixMilli(l.start).Unix(), l.end().Unix()-l.step/1000
	for i := range 5 {
		metric := func(n int) string { return fmt.Sprintf("broker_queue_%02d_messages_total", n) }
		names := strings.NewReplacer("METRIC", metric(17*i), "OTHER", metric(17*i+3), "DIGIT", fmt.Sprint(i))
		for _, q := range queries {
			v := url.Values{"query": {names.Replace(q.text)}}
			path := "/api/v1/query?"
			if q.graph {
				path = "/api/v1/query_range?"
				v.Set("start", fmt.Sprint(start))
				v.Set("end", fmt.Sprint(end))
				v.Set("step", fmt.Sprint((end-start)/60))
			} else {
				v.Set("time", fmt.Sprint(end))
			}
			all = append(all, path+v.Encode())
		}
	}
	return all
}

// ask asks all servers in turn, and keeps how long each query took.
func ask(ctx context.Context, l *load, repeat int, runs []*trial) error {
	latencies := make([][]float64, len(runs))
	for _, path := range l.paths() {
		took := make([][]float64, len(runs))
		for k := range repeat + 1 {
			answers := make([][]byte, len(runs))
			for n := range runs {
				i := (n + k) % len(runs) // each begins as often as the others
				begin := time.Now()
				body, err := runs[i].get(ctx, path)
				if err != nil {
					return fmt.Errorf("%s: %w", runs[i].sys.name, err)
				}
				if answers[i] = body; k > 0 { // the first one warms up
					took[i] = append(took[i], float64(time.Since(begin).Nanoseconds())/1e6)
				}
			}
			if err := equal(runs, answers); err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
		}
		for i := range runs {
			latencies[i] = append(latencies[i], process.Median(took[i]))
		}
	}
	for i, t := range runs {
		t.outcome.median = process.Median(latencies[i])
		slices.Sort(latencies[i])
		t.outcome.p95 = latencies[i][len(latencies[i])*95/100]
	}
	return nil
}

// equal compares the answers of promwire and Prometheus.
func equal(runs []*trial, answers [][]byte) error {
	for i, t := range runs {
		if t.sys.name == peer && !bytes.Equal(answers[i], answers[0]) {
			return fmt.Errorf("%s answers %.500s, %s %.500s", runs[0].sys.name, answers[0], peer, answers[i])
		}
	}
	return nil
}
