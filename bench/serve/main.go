//go:build linux

// Command serve measures what it costs to store what is pushed, and to answer queries over it: promwire serve, beside
// Prometheus with its remote-write receiver and VictoriaMetrics, in one run, with the same bodies.
//
//	go run ./serve -promwire FILE -prometheus FILE [-victoriametrics FILE]
//
// Rounds go through all systems one after the other, so that a busy minute hits all alike. Each run is a fresh process
// on a fresh folder. One sender posts requests one after the other. When all is answered and the process has come to
// rest, its CPU time (user and system, all threads) and its largest resident memory are read. What is stored is then
// read back, and compared with what was sent; the folder is measured after the end of the process. Queries go to the
// servers in turn, and what promwire answers must be what Prometheus answers, byte for byte. The program exits with 1
// if a bar is missed.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
)

type settings struct {
	promwire, prometheus, victoriametrics string
	rounds, samples, repeat               int
	active, daySeries                     int
	only                                  string
}

func main() {
	var s settings
	flag.StringVar(&s.promwire, "promwire", "", "the promwire binary")
	flag.StringVar(&s.prometheus, "prometheus", "", "a Prometheus binary; without it, no bar can be judged")
	flag.StringVar(&s.victoriametrics, "victoriametrics", "", "a single-node VictoriaMetrics binary; left out without it")
	flag.IntVar(&s.rounds, "rounds", 3, "how often known and new series are measured; the figures are medians")
	flag.IntVar(&s.samples, "samples", 2_000_000, "samples of a run with known series; new series are a tenth of that")
	flag.IntVar(&s.repeat, "repeat", 9, "how often each query is asked; its latency is the median")
	flag.IntVar(&s.active, "active", 1_000_000, "active series of the scenario active")
	flag.IntVar(&s.daySeries, "day-series", 100_000, "series of the scenario day")
	flag.StringVar(&s.only, "only", "", "measure scenarios whose name holds one of these texts, separated by commas")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, &s); err != nil {
		fmt.Fprintln(os.Stderr, "serve:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, s *settings) error {
	if s.promwire == "" {
		return errors.New("-promwire is missing")
	}
	all, scenarios := results{}, s.scenarios()
	for round := range s.rounds {
		for i := range scenarios {
			sc := &scenarios[i]
			if !s.wants(sc.name) || sc.once && round > 0 {
				continue
			}
			if err := all.round(ctx, s, sc); err != nil {
				return fmt.Errorf("round %d, %s: %w", round+1, sc.name, err)
			}
		}
	}
	if missed := all.report(os.Stdout, scenarios); missed > 0 {
		return fmt.Errorf("%d bars missed or not measured", missed)
	}
	return nil
}

func (s *settings) wants(name string) bool {
	for text := range strings.SplitSeq(s.only, ",") {
		if strings.Contains(name, text) {
			return true
		}
	}
	return false
}

// round measures all systems in one scenario. The ones that will be asked stay until all of them have their data.
func (r results) round(ctx context.Context, s *settings, sc *scenario) (err error) {
	var runs []*trial
	defer func() {
		for _, t := range runs {
			err = errors.Join(err, t.end())
		}
	}()
	l := newLoad(sc)
	for _, sys := range s.systems() {
		if sys.v1Only && sc.v2() {
			continue
		}
		t, err := begin(ctx, sys)
		if err != nil {
			return err
		}
		runs = append(runs, t)
		if err := t.feed(ctx, l); err != nil {
			return fmt.Errorf("%s: %w", sys.name, err)
		}
		if !sc.queries {
			if err := t.end(); err != nil {
				return err
			}
		}
	}
	if sc.queries {
		if err := ask(ctx, l, s.repeat, runs); err != nil {
			return err
		}
	}
	for _, t := range runs {
		if err := t.end(); err != nil {
			return err
		}
		fmt.Fprintf(os.Stderr, "%-14s %-16s %s\n", sc.name, t.sys.name, &t.outcome)
		r.add(sc.name, t.sys.name, &t.outcome)
	}
	return nil
}
