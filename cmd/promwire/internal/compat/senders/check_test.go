package senders

import (
	"fmt"
	"maps"
	"math"
	"slices"

	dto "github.com/prometheus/client_model/go"

	"github.com/promwire/promwire"
)

// account is how the pages of a source compare with what is stored of a sender.
type account struct {
	pages   int
	arrived int      // pages whose counter is there
	missed  int      // pages that the sender says it has not got in time
	faults  []string // everything else
}

// settle compares. A page that is not there is no fault if the sender itself says that its scrape failed: that it came in
// this moment and up is 0.
func (x *sender) settle(s stored) account {
	pages := x.source.scraped()
	a := account{pages: len(pages)}
	times := map[int]int64{}
	for _, at := range slices.Sorted(maps.Keys(s.floats["scrapes_total"])) {
		k := int(s.floats["scrapes_total"][at])
		if _, twice := times[k]; twice || float64(k) != s.floats["scrapes_total"][at] || k < 1 || k > len(pages) {
			a.fault("the counter has %v at %d, of %d pages", s.floats["scrapes_total"][at], at, len(pages))
		}
		times[k] = at
	}
	for i, p := range pages {
		at, found := times[i+1]
		switch {
		case found:
			a.arrived++
			a.comparePage(x, i+1, p, at, s)
		case x.up && slices.ContainsFunc(s.failed, func(f int64) bool { return f > p.arrived-1000 && f <= p.arrived+20 }):
			a.missed++
		default:
			a.fault("page %d is not there", i+1)
		}
	}
	return a
}

func (a *account) fault(format string, args ...any) {
	a.faults = append(a.faults, fmt.Sprintf(format, args...))
}

// comparePage compares what came with one value of the counter.
func (a *account) comparePage(x *sender, k int, p page, at int64, s stored) {
	a.float(k, s, "random", at, p.gauge)
	if !x.noClassic {
		a.compareClassic(k, p, at, s)
	}
	if h, found := s.native[at]; x.native && (!found || nativeText(&h) != protoText(p.native)) {
		a.fault("page %d: got native histogram %s, want %s", k, nativeText(&h), protoText(p.native))
	}
	if x.exemplars && !s.exemplars[fmt.Sprint(k)] {
		a.fault("page %d: no exemplar", k)
	}
}

func (a *account) compareClassic(k int, p page, at int64, s stored) {
	a.float(k, s, "classic_seconds_count", at, float64(p.classic.GetSampleCount()))
	a.float(k, s, "classic_seconds_sum", at, p.classic.GetSampleSum())
	for _, b := range p.classic.Bucket {
		a.float(k, s, fmt.Sprint("classic_seconds_bucket ", b.GetUpperBound()), at, float64(b.GetCumulativeCount()))
	}
}

// float compares bit for bit.
func (a *account) float(k int, s stored, name string, at int64, want float64) {
	if got, found := s.floats[name][at]; !found || math.Float64bits(got) != math.Float64bits(want) {
		a.fault("page %d: got %s %v (there: %v), want %v", k, name, got, found, want)
	}
}

// nativeText and protoText write what both forms of a histogram have in common.
func nativeText(h *promwire.Histogram) string {
	buckets := map[int32]int64{}
	i, index, count := 0, int32(0), int64(0)
	for _, span := range h.PositiveSpans {
		index += span.Offset
		for range span.Length {
			count += h.PositiveDeltas[i]
			buckets[index] = count
			i, index = i+1, index+1
		}
	}
	return histogramText(h.Count, h.Sum, h.Schema, h.ZeroCount, buckets)
}

func protoText(h *dto.Histogram) string {
	buckets := map[int32]int64{}
	i, index, count := 0, int32(0), int64(0)
	for _, span := range h.PositiveSpan {
		index += span.GetOffset()
		for range span.GetLength() {
			count += h.PositiveDelta[i]
			buckets[index] = count
			i, index = i+1, index+1
		}
	}
	return histogramText(h.GetSampleCount(), h.GetSampleSum(), h.GetSchema(), h.GetZeroCount(), buckets)
}

func histogramText(count uint64, sum float64, schema int32, zero uint64, buckets map[int32]int64) string {
	maps.DeleteFunc(buckets, func(_ int32, n int64) bool { return n == 0 })
	return fmt.Sprintf("count %d, sum %x, schema %d, zero %d, buckets %v", count, math.Float64bits(sum), schema, zero, buckets)
}
