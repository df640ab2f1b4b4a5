//go:build linux

package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/promwire/promwire/bench/process"
)

// results are the outcomes of all rounds, by scenario and system.
type results map[string]map[string][]*outcome

func (r results) add(scenario, system string, o *outcome) {
	if r[scenario] == nil {
		r[scenario] = map[string][]*outcome{}
	}
	r[scenario][system] = append(r[scenario][system], o)
}

// medianOf returns the medians of the rounds, nil if there were none.
func medianOf(all []*outcome) *outcome {
	if len(all) == 0 {
		return nil
	}
	of := func(value func(*outcome) float64) float64 {
		var v []float64
		for _, o := range all {
			v = append(v, value(o))
		}
		return process.Median(v)
	}
	return &outcome{
		cpu: of(func(o *outcome) float64 { return o.cpu }), memory: of(func(o *outcome) float64 { return o.memory }),
		series: all[0].series, disk: of(func(o *outcome) float64 { return o.disk }), rate: of(func(o *outcome) float64 { return o.rate }),
		median: of(func(o *outcome) float64 { return o.median }), p95: of(func(o *outcome) float64 { return o.p95 }),
	}
}

// report prints a table, in which "of" is the part of what Prometheus takes, and returns how many bars were missed.
func (r results) report(w io.Writer, scenarios []scenario) (missed int) {
	fmt.Fprintf(w, "%-14s %-16s %9s %5s %10s %5s %10s %9s %5s %10s %18s %5s\n", "scenario", "system", "µs/sample", "of",
		"memory MiB", "of", "KiB/series", "disk MiB", "of", "samples/s", "queries, p95, ms", "of")
	for i := range scenarios {
		sc := &scenarios[i]
		reference := medianOf(r[sc.name][peer])
		for _, name := range []string{ours, peer, "victoriametrics"} {
			o := medianOf(r[sc.name][name])
			if o == nil {
				continue
			}
			verdict := ""
			if name == ours {
				if verdict = sc.bars.judge(o, reference); verdict != "ok" {
					missed++
				}
			}
			o.row(w, sc.name, name, reference, verdict)
		}
	}
	return missed
}

func (o *outcome) row(w io.Writer, scenario, system string, reference *outcome, verdict string) {
	of := func(value, whole float64) string {
		if reference == nil || whole == 0 {
			return ""
		}
		return fmt.Sprintf("%.2f", value/whole)
	}
	if reference == nil {
		reference = &outcome{}
	}
	latency := ""
	if o.median > 0 {
		latency = fmt.Sprintf("%.2f, %.2f", o.median, o.p95)
	}
	fmt.Fprintf(w, "%-14s %-16s %9.3f %5s %10.0f %5s %10.2f %9.1f %5s %10.0f %18s %5s  %s\n", scenario, system,
		o.cpu, of(o.cpu, reference.cpu), o.memory/(1<<20), of(o.memory, reference.memory), o.memory/1024/o.series,
		o.disk/(1<<20), of(o.disk, reference.disk), o.rate, latency, of(o.median, reference.median), verdict)
}

// judge says whether promwire's figures keep the bars.
func (b *bars) judge(o, reference *outcome) string {
	if reference == nil {
		return "no peer"
	}
	var missed []string
	for _, f := range []struct {
		name              string
		bar, value, whole float64
	}{
		{"CPU", b.cpu, o.cpu, reference.cpu},
		{"MEMORY", b.memory, o.memory, reference.memory},
		{"DISK", b.disk, o.disk, reference.disk},
		{"MEDIAN", b.latency, o.median, reference.median},
		{"P95", b.latency, o.p95, reference.p95},
	} {
		if f.bar > 0 && f.value > f.bar*f.whole {
			missed = append(missed, fmt.Sprintf("%s > %.2f", f.name, f.bar))
		}
	}
	if missed == nil {
		return "ok"
	}
	return strings.Join(missed, ", ") + " MISSED"
}
