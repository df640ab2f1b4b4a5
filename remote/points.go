package remote

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/promwire/promwire"
)

func sampleTime(s promwire.Sample) int64       { return s.Timestamp }
func histogramTime(h promwire.Histogram) int64 { return h.Timestamp }

// samplesAscend reports whether every sample is later than the one before.
func samplesAscend(ss []promwire.Sample) bool {
	for i := 1; i < len(ss); i++ {
		if ss[i].Timestamp <= ss[i-1].Timestamp {
			return false
		}
	}
	return true
}

// histogramsAscend reports whether every histogram is later than the one before.
func histogramsAscend(hs []promwire.Histogram) bool {
	for i := 1; i < len(hs); i++ {
		if hs[i].Timestamp <= hs[i-1].Timestamp {
			return false
		}
	}
	return true
}

// straighten sorts s by time; of elements at one time the first is kept.
func straighten[T any](s []T, at func(T) int64) []T {
	slices.SortStableFunc(s, func(a, b T) int { return cmp.Compare(at(a), at(b)) })
	return dropRepeated(s, at)
}

// dropRepeated removes all but the first of the elements at one time. The others end up behind the result, so that no
// two elements share nested memory when the slice is used again.
func dropRepeated[T any](s []T, at func(T) int64) []T {
	n := 0
	for i := range s {
		if n == 0 || at(s[i]) != at(s[n-1]) {
			s[n], s[i] = s[i], s[n]
			n++
		}
	}
	return s[:n]
}

// within returns the part of s, in ascending order, with lo <= time <= hi.
func within[T any](s []T, lo, hi int64, at func(T) int64) []T {
	if len(s) > 0 && at(s[0]) < lo {
		s = s[before(s, lo, at):]
	}
	if len(s) > 0 && at(s[len(s)-1]) > hi {
		s = s[:before(s, hi+1, at)]
	}
	return s
}

// before returns how many elements of s, in ascending order, have a time before t.
func before[T any](s []T, t int64, at func(T) int64) int {
	n, _ := slices.BinarySearchFunc(s, t, func(e T, t int64) int { return cmp.Compare(at(e), t) })
	return n
}

// appendMerged appends more to s, both in ascending order, and merges them.
func appendMerged[T any](s, more []T, at func(T) int64) []T {
	mid := len(s)
	return mergeTail(append(s, more...), mid, at)
}

// mergeTail merges s[:mid] and s[mid:], each in ascending order, in place. Of elements at one time the first is kept.
func mergeTail[T any](s []T, mid int, at func(T) int64) []T {
	if mid == 0 || mid == len(s) || at(s[mid-1]) < at(s[mid]) {
		return s
	}
	tail := slices.Clone(s[mid:])
	i, j := mid-1, len(tail)-1
	for k := len(s) - 1; j >= 0; k-- {
		if i >= 0 && at(s[i]) > at(tail[j]) {
			s[k] = s[i]
			i--
		} else {
			s[k] = tail[j]
			j--
		}
	}
	return dropRepeated(s, at)
}

// yieldParts yields a series in parts of at most maxPart samples and histograms, one after the other in time. It
// returns false when the loop is left.
func yieldParts(labels promwire.Labels, ss []promwire.Sample, hs []promwire.Histogram,
	yield func(promwire.TimeSeries, error) bool,
) bool {
	for len(ss)+len(hs) > 0 {
		n, m := cut(ss, hs)
		if !yield(promwire.TimeSeries{Labels: labels, Samples: ss[:n:n], Histograms: hs[:m:m]}, nil) {
			return false
		}
		ss, hs = ss[n:], hs[m:]
	}
	return true
}

// cut returns how many samples and histograms make the next part.
func cut(ss []promwire.Sample, hs []promwire.Histogram) (n, m int) {
	switch {
	case len(ss)+len(hs) <= maxPart:
		return len(ss), len(hs)
	case len(hs) == 0:
		return maxPart, 0
	case len(ss) == 0:
		return 0, maxPart
	}
	for n+m < maxPart {
		if m == len(hs) || n < len(ss) && ss[n].Timestamp <= hs[m].Timestamp {
			n++
		} else {
			m++
		}
	}
	return n, m
}

// checkHistograms validates histograms, and reduces those of the reserved fine schemas (native histograms, "Schema").
func checkHistograms(hs []promwire.Histogram) error {
	for i := range hs {
		h, err := &hs[i], error(nil)
		if h.Schema > promwire.MaxSchema {
			err = h.ReduceResolution(promwire.MaxSchema)
		} else {
			err = h.Validate()
		}
		if err != nil {
			return fmt.Errorf("histogram at %d: %w", h.Timestamp, err)
		}
	}
	return nil
}

func sortChunks(cs []promwire.Chunk) {
	slices.SortStableFunc(cs, func(a, b promwire.Chunk) int { return cmp.Compare(a.MinTime, b.MinTime) })
}
