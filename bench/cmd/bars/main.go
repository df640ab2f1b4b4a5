// Command bars judges the output of bench/run by the project's bars: medians of CPU time, as ratios against the peer
// named, all from one run. It exits with 1 if a bar is missed or was not measured.
//
//	go run ./cmd/bars out.txt
package main

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: bars FILE  (the output of bench/run)")
		os.Exit(2)
	}
	f, err := os.Open(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, "bars:", err)
		os.Exit(1)
	}
	defer f.Close()
	times, err := parse(f)
	if err != nil {
		fmt.Fprintln(os.Stderr, "bars:", err)
		os.Exit(1)
	}
	if missed := report(os.Stdout, times); missed > 0 {
		fmt.Printf("%d bars missed or not measured\n", missed)
		os.Exit(1)
	}
}

// procSuffix is what the testing package appends to names when GOMAXPROCS is not 1.
var procSuffix = regexp.MustCompile(`-\d+$`)

// parse returns the CPU times in nanoseconds of each benchmark, by name without "Benchmark".
func parse(r io.Reader) (map[string][]float64, error) {
	times := map[string][]float64{}
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 2 || !strings.HasPrefix(fields[0], "Benchmark") {
			continue
		}
		unit := slices.Index(fields, "cpu-ns/op")
		if unit < 1 {
			continue
		}
		v, err := strconv.ParseFloat(fields[unit-1], 64)
		if err != nil {
			return nil, fmt.Errorf("line %q: %w", lines.Text(), err)
		}
		name := procSuffix.ReplaceAllString(strings.TrimPrefix(fields[0], "Benchmark"), "")
		times[name] = append(times[name], v)
	}
	return times, lines.Err()
}

// report prints a line per bar and returns how many were missed.
func report(w io.Writer, times map[string][]float64) (missed int) {
	fmt.Fprintf(w, "%-30s %-14s %12s %12s %7s %7s  %s\n", "path", "work", "ours (µs)", "peer (µs)", "ratio", "bar", "")
	for _, b := range bars {
		for _, work := range slices.Sorted(maps.Keys(b.Ratio)) {
			ours, peer := times[fmt.Sprintf(b.Ours, work)], times[fmt.Sprintf(b.Peer, work)]
			if len(ours) == 0 || len(peer) == 0 {
				fmt.Fprintf(w, "%-30s %-14s not measured\n", b.Path, work)
				missed++
				continue
			}
			o, p := median(ours), median(peer)
			verdict := "ok"
			if o/p > b.Ratio[work] {
				verdict = "MISSED"
				missed++
			}
			fmt.Fprintf(w, "%-30s %-14s %12.1f %12.1f %7.3f %7.2f  %s\n", b.Path, work, o/1000, p/1000, o/p, b.Ratio[work], verdict)
		}
	}
	return missed
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}
