package server_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The soak sends hostile requests to a handler, in one goroutine and without a network: PROMWIRE_SOAK of them, made by the
// seed PROMWIRE_SOAK_SEED of what is in the fuzz targets' seeds and in PROMWIRE_SOAK_CORPUS, a folder of go's fuzz cache.
// scripts/fuzz-handlers runs it at length.
const soakShort = 3000

// Bounds on memory, for requests within [soakDecoded] bytes. Both are read from the runtime (package runtime/metrics): what
// all handlers together allocate for one request, and the heap in use, spans with room included, as it is then and in any
// case after every 32nd request.
const (
	soakDecoded   = 1 << 20
	soakPerTurn   = 16 << 20
	soakHeap      = 96 << 20
	soakMemoryCap = 64 << 20 // when the collector works harder, so that what is above was in use
)

// soak is a run for one handler.
type soak struct {
	t        *testing.T
	rng      *rand.Rand
	n        int
	statuses map[int]int
	last     hostile
	gauge    []metrics.Sample
	perTurn  uint64 // most bytes
	heap     uint64 // most bytes
}

func newSoak(t *testing.T) *soak {
	return &soak{
		t: t, rng: rand.New(rand.NewPCG(uint64(envNumber(t, "PROMWIRE_SOAK_SEED", 1)), 0)),
		n: envNumber(t, "PROMWIRE_SOAK", soakShort), statuses: map[int]int{},
		gauge: []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}, {Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/heap/unused:bytes"}},
	}
}

func envNumber(t *testing.T, name string, otherwise int) int {
	t.Helper()
	value := os.Getenv(name)
	if value == "" {
		return otherwise
	}
	n, err := strconv.Atoi(value)
	if err != nil {
		t.Fatalf("%s=%s: %v", name, value, err)
	}
	return n
}

// run calls turn n times; it sends one request and returns the status.
func (s *soak) run(turn func() int, wantStatuses ...int) {
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(soakMemoryCap))
	defer func() {
		if p := recover(); p != nil {
			s.t.Fatalf("panic: %v\nafter %s\n%s", p, &s.last, debug.Stack())
		}
	}()
	start := time.Now()
	for i := range s.n {
		before := s.allocated()
		s.statuses[turn()]++
		s.watch(s.allocated()-before, i)
		if s.t.Failed() {
			s.t.Fatalf("turn %d: %s", i, &s.last)
		}
		if n := i + 1; n%1_000_000 == 0 || n == s.n {
			s.t.Logf("%d requests, %.0f/s, answers %v, at most %d KiB allocated for one, at most %d KiB of heap in use",
				n, float64(n)/time.Since(start).Seconds(), s.statuses, s.perTurn>>10, s.heap>>10)
		}
	}
	for _, status := range wantStatuses { // otherwise it shows little
		if s.statuses[status] < s.n/1000 {
			s.t.Errorf("%d answers of status %d among %d", s.statuses[status], status, s.n)
		}
	}
}

func (s *soak) allocated() uint64 {
	metrics.Read(s.gauge[:1])
	return s.gauge[0].Value.Uint64()
}

func (s *soak) watch(allocated uint64, turn int) {
	s.perTurn = max(s.perTurn, allocated)
	if turn%32 == 0 || allocated > soakDecoded {
		metrics.Read(s.gauge)
		s.heap = max(s.heap, s.gauge[1].Value.Uint64()+s.gauge[2].Value.Uint64())
	}
	if raceEnabled { // the race detector empties pools at random
		return
	}
	if s.perTurn > soakPerTurn || s.heap > soakHeap {
		s.t.Errorf("%d KiB allocated for a request, %d KiB of heap in use", s.perTurn>>10, s.heap>>10)
	}
}

// corpus is what a fuzz target has found: the first argument of each entry.
func corpus(t *testing.T, target string) (all [][]byte) {
	t.Helper()
	dir := os.Getenv("PROMWIRE_SOAK_CORPUS")
	if dir == "" {
		return nil
	}
	files, err := filepath.Glob(filepath.Join(dir, target, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		entry, err := firstArgument(string(data))
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		all = append(all, entry)
	}
	t.Logf("%d entries of the corpus of %s", len(all), target)
	return all
}

// firstArgument reads an entry in the form of package testing: a line for each argument.
func firstArgument(entry string) ([]byte, error) {
	lines := strings.Split(entry, "\n")
	if len(lines) < 2 {
		return nil, fmt.Errorf("no entry: %q", entry)
	}
	literal, ok := strings.CutPrefix(lines[1], "[]byte(")
	if !ok {
		return nil, fmt.Errorf("no bytes: %q", lines[1])
	}
	text, err := strconv.Unquote(strings.TrimSuffix(literal, ")"))
	return []byte(text), err
}
