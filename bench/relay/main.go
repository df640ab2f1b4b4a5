//go:build linux

// Command relay measures what it costs to receive remote write, keep it on disk and forward it: promwire relay, beside
// Prometheus in agent mode and vmagent, in one run, under the same load, with the same receiver behind.
//
//	go run ./relay -promwire FILE -prometheus FILE [-vmagent FILE]
//
// Rounds go through all systems one after the other, so that a busy minute hits all alike. Each run is a fresh process
// on a fresh folder. A request is sent when the one before is answered and its time has come; a run ends when the
// receiver has everything. What arrives is compared series by series with what was sent, or, with relabelling, with
// what arrives from the others. The figures are CPU time of the process (user and system, all threads) for each sample that was
// delivered, its largest resident memory, and the bytes that it sent. The program exits with 1 if a bar is missed.
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
	promwire, prometheus, vmagent string
	rounds, samples, rate         int
	only                          string
}

func main() {
	var s settings
	flag.StringVar(&s.promwire, "promwire", "", "the promwire binary")
	flag.StringVar(&s.prometheus, "prometheus", "", "a Prometheus binary; without it, no bar can be judged")
	flag.StringVar(&s.vmagent, "vmagent", "", "a vmagent binary; left out without it")
	flag.IntVar(&s.rounds, "rounds", 5, "how often everything is measured; the figures are medians")
	flag.IntVar(&s.samples, "samples", 400_000, "samples of a run")
	flag.IntVar(&s.rate, "rate", 100_000, "samples a second; 0: as fast as they are taken")
	flag.StringVar(&s.only, "only", "", "measure scenarios whose name holds this text")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, &s); err != nil {
		fmt.Fprintln(os.Stderr, "relay:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, s *settings) error {
	if s.promwire == "" {
		return errors.New("-promwire is missing")
	}
	systems := s.systems()
	all := results{}
	for round := range s.rounds {
		for _, sc := range scenarios {
			if !strings.Contains(sc.name(), s.only) {
				continue
			}
			if err := all.round(ctx, s, sc, systems); err != nil {
				return fmt.Errorf("round %d, %s: %w", round+1, sc.name(), err)
			}
		}
	}
	if missed := all.report(os.Stdout, systems); missed > 0 {
		return fmt.Errorf("%d bars missed or not measured", missed)
	}
	return nil
}

// round measures all systems in one scenario.
func (r results) round(ctx context.Context, s *settings, sc scenario, systems []system) error {
	l, err := newLoad(&sc, s.samples)
	if err != nil {
		return err
	}
	var first *outcome
	for i := range systems {
		if !systems[i].takes(sc) {
			continue
		}
		out, err := measure(ctx, s, sc, l, &systems[i])
		if err != nil {
			return fmt.Errorf("%s: %w", systems[i].name, err)
		}
		if first != nil && out.arrived != first.arrived {
			return fmt.Errorf("%s delivered other series than %s: %+v, %+v", systems[i].name, systems[0].name, out.arrived, first.arrived)
		}
		first = out
		fmt.Fprintf(os.Stderr, "%-24s %-12s %6.3f µs CPU a sample, %4d MiB, %6.2f bytes a sample, %8.0f samples/s\n",
			sc.name(), systems[i].name, out.cpu, out.memory>>20, out.bytes, out.rate)
		r.add(sc, systems[i].name, out)
	}
	return nil
}
