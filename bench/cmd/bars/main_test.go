package main

import (
	"io"
	"strings"
	"testing"
)

func TestParseTakesMediansOfCPUTime(t *testing.T) {
	times, err := parse(strings.NewReader(`goos: linux
BenchmarkDecode/msg=rw1/work=W2-batch/impl=easyproto  100  900 ns/op  600 cpu-ns/op  0 B/op
BenchmarkDecode/msg=rw1/work=W2-batch/impl=easyproto-2  100  100 ns/op  400 cpu-ns/op  0 B/op
BenchmarkDecode/msg=rw1/work=W2-batch/impl=easyproto  100  100 ns/op  9000 cpu-ns/op  0 B/op
`))
	if err != nil {
		t.Fatal(err)
	}
	if got := median(times["Decode/msg=rw1/work=W2-batch/impl=easyproto"]); got != 600 {
		t.Fatalf("median %v, want 600", got)
	}
}

func TestReportCountsMissedAndUnmeasured(t *testing.T) {
	all := 0
	times := map[string][]float64{}
	for _, b := range bars {
		for work, ratio := range b.Ratio {
			all++
			times[strings.ReplaceAll(b.Ours, "%s", work)] = []float64{1000 * ratio}
			times[strings.ReplaceAll(b.Peer, "%s", work)] = []float64{1000}
		}
	}
	if got := report(io.Discard, times); got != 0 {
		t.Errorf("%d missed at exactly the bars, want 0", got)
	}
	times["Decode/msg=rw1/work=W2-batch/impl=promwire-walk"] = []float64{651}
	if got := report(io.Discard, times); got != 1 {
		t.Errorf("%d missed, want 1", got)
	}
	if got := report(io.Discard, nil); got != all {
		t.Errorf("%d missed without measurements, want %d", got, all)
	}
}
