//go:build linux

package main

import (
	"fmt"
	"io"
	"math"

	"github.com/promwire/promwire/bench/process"
)

// results are the outcomes of all rounds, by scenario and system.
type results map[string]map[string][]*outcome

func (r results) add(sc scenario, system string, o *outcome) {
	if r[sc.name()] == nil {
		r[sc.name()] = map[string][]*outcome{}
	}
	r[sc.name()][system] = append(r[sc.name()][system], o)
}

// medians of the rounds.
type figures struct{ cpu, memory, bytes, rate float64 }

func mediansOf(all []*outcome) (f figures, ok bool) {
	of := func(value func(*outcome) float64) float64 {
		var v []float64
		for _, o := range all {
			v = append(v, value(o))
		}
		return process.Median(v)
	}
	if len(all) == 0 {
		return f, false
	}
	return figures{
		of(func(o *outcome) float64 { return o.cpu }), of(func(o *outcome) float64 { return float64(o.memory) }),
		of(func(o *outcome) float64 { return o.bytes }), of(func(o *outcome) float64 { return o.rate }),
	}, true
}

// report prints a table and returns how many bars were missed.
func (r results) report(w io.Writer, systems []system) (missed int) {
	fmt.Fprintf(w, "%-20s %-11s %10s %8s %6s %11s %13s %10s  %s\n", "scenario", "system", "µs/sample", "of peer", "bar", "memory MiB", "bytes/sample", "samples/s", "")
	for _, sc := range scenarios {
		by, measured := r[sc.name()]
		if !measured {
			continue
		}
		reference, known := mediansOf(by[peer])
		for i := range systems {
			f, ok := mediansOf(by[systems[i].name])
			if !ok {
				continue
			}
			ratio, bar, verdict := "", "", ""
			if known {
				ratio = fmt.Sprintf("%.3f", f.cpu/reference.cpu)
			}
			if systems[i].name == ours {
				if sc.bar > 0 {
					bar = fmt.Sprintf("%.2f", sc.bar)
				}
				verdict = sc.judge(f, reference, known)
				if verdict != "ok" {
					missed++
				}
			}
			fmt.Fprintf(w, "%-20s %-11s %10.3f %8s %6s %11.0f %13.2f %10.0f  %s\n",
				sc.name(), systems[i].name, f.cpu, ratio, bar, f.memory/(1<<20), f.bytes, f.rate, verdict)
		}
	}
	return missed
}

// judge says whether promwire's figures keep the bars.
func (s *scenario) judge(f, reference figures, known bool) string {
	switch {
	case !known:
		return "no peer"
	case s.bar > 0 && f.cpu > s.bar*reference.cpu:
		return "CPU MISSED"
	case f.memory > memoryBar:
		return "MEMORY MISSED"
	case math.Round(100*f.bytes) > math.Round(100*reference.bytes): // the name in User-Agent does not count
		return "BYTES MISSED"
	}
	return "ok"
}
