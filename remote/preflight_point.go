package remote

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"unicode/utf8"

	"github.com/promwire/promwire"
)

// pointKind is what samples, histograms and exemplars differ in.
type pointKind[T any] struct {
	at func(*T) int64
	// fit reports whether the content of an item is fine, apart from its time.
	fit func(*preflightRun, *T) bool
	// judge is fit with findings; it may mend the item, which is a copy.
	judge func(*preflightRun, *T) bool
	// same reports whether two items at one time are the same; nil allows several at one time.
	same func(a, b *T) bool
}

var (
	sampleKind = pointKind[promwire.Sample]{
		at:    func(s *promwire.Sample) int64 { return s.Timestamp },
		fit:   func(*preflightRun, *promwire.Sample) bool { return true },
		judge: func(*preflightRun, *promwire.Sample) bool { return true },
		same: func(a, b *promwire.Sample) bool {
			return a.StartTimestamp == b.StartTimestamp && sameBits(a.Value, b.Value)
		},
	}
	histogramKind = pointKind[promwire.Histogram]{
		at:    func(h *promwire.Histogram) int64 { return h.Timestamp },
		fit:   func(r *preflightRun, h *promwire.Histogram) bool { return r.stores(h) && h.Validate() == nil },
		judge: (*preflightRun).judgeHistogram,
		same:  sameHistogram,
	}
	exemplarKind = pointKind[promwire.Exemplar]{
		at:    func(e *promwire.Exemplar) int64 { return e.Timestamp },
		fit:   func(r *preflightRun, e *promwire.Exemplar) bool { return r.short(e) && e.Validate(r.scheme) == nil },
		judge: (*preflightRun).judgeExemplar,
	}
)

// pointsFine reports whether there is nothing to find in s.
func pointsFine[T any](r *preflightRun, s []T, kind *pointKind[T]) bool {
	for i := range s {
		t := kind.at(&s[i])
		if !r.window.fine(t) || !kind.fit(r, &s[i]) {
			return false
		}
		if i > 0 && (t < kind.at(&s[i-1]) || t == kind.at(&s[i-1]) && kind.same != nil) {
			return false
		}
	}
	return true
}

// judgePoints returns s without what is refused, mended if that is the mode. What differs from s is a copy in arena.
func judgePoints[T any](r *preflightRun, s []T, arena *[]T, kind *pointKind[T]) []T {
	if pointsFine(r, s, kind) {
		return s
	}
	from := len(*arena)
	newest, sorted := int64(math.MinInt64), true
	var item T
	for i := range s {
		item = s[i]
		t := kind.at(&item)
		if rule, err := r.window.judge(t); err != nil && !itemFinding(r, rule, t, false, err) || !kind.judge(r, &item) {
			continue
		}
		if t < newest {
			err := fmt.Errorf("%w: %d after %d in the same entry", promwire.ErrOutOfOrder, t, newest)
			if !itemFinding(r, RuleTimeOrder, t, true, err) {
				continue
			}
			sorted = false
		}
		if part := (*arena)[from:]; r.options.Mode != PreflightRepair && kind.same != nil && len(part) > 0 {
			if last := &part[len(part)-1]; kind.at(last) == t && !judgePair(r, last, &item, kind) {
				continue
			}
		}
		newest = max(newest, t)
		*arena = append(*arena, item)
	}
	out := (*arena)[from:len(*arena):len(*arena)]
	if r.options.Mode != PreflightRepair {
		return out
	}
	if !sorted {
		slices.SortStableFunc(out, func(a, b T) int { return cmp.Compare(kind.at(&a), kind.at(&b)) })
	}
	return mergePoints(r, out, kind)
}

// mergePoints leaves one of several items at one time: the last one of the request, unless the target takes all.
func mergePoints[T any](r *preflightRun, s []T, kind *pointKind[T]) []T {
	if kind.same == nil {
		return s
	}
	n := 0
	for i := range s {
		if n > 0 && kind.at(&s[n-1]) == kind.at(&s[i]) {
			same := kind.same(&s[n-1], &s[i])
			judgePair(r, &s[n-1], &s[i], kind)
			if same || !r.takesRule(RuleConflict) {
				s[n-1] = s[i]
				continue
			}
		}
		s[n] = s[i]
		n++
	}
	return s[:n]
}

// judgePair judges two items at one time and reports whether the second one may go on.
func judgePair[T any](r *preflightRun, a, b *T, kind *pointKind[T]) bool {
	t := kind.at(b)
	if kind.same(a, b) {
		return itemFinding(r, RuleRepeated, t, true, fmt.Errorf("%w: the same one, in the same entry", promwire.ErrDuplicateTimestamp))
	}
	err := fmt.Errorf("%w: in the same entry", promwire.ErrDuplicateTimestamp)
	return itemFinding(r, RuleConflict, t, !r.takesRule(RuleConflict), err)
}

// itemFinding notes a finding about an item, and its refusal if it comes to that.
func itemFinding(r *preflightRun, rule PreflightRule, timestamp int64, fixable bool, err error) bool {
	if r.find(rule, timestamp, fixable, err) {
		return true
	}
	r.refuse(timestamp, err)
	return false
}

// stores reports whether the target stores such a histogram.
func (r *preflightRun) stores(h *promwire.Histogram) bool {
	return !r.profile.NoHistograms && (!r.profile.NoCustomBuckets || h.Schema != promwire.CustomBucketsSchema)
}

func (r *preflightRun) judgeHistogram(h *promwire.Histogram) bool {
	if !r.stores(h) {
		kind := "native histograms"
		if !r.profile.NoHistograms {
			kind = "custom buckets"
		}
		return itemFinding(r, RuleHistogramSupport, h.Timestamp, false,
			fmt.Errorf("%w: %s does not store %s", promwire.ErrInvalidHistogram, r.profile.Name, kind))
	}
	if err := h.Validate(); err != nil {
		return itemFinding(r, RuleHistogram, h.Timestamp, false, err)
	}
	return true
}

// short reports whether the labels of an exemplar are within their limit.
func (r *preflightRun) short(e *promwire.Exemplar) bool {
	return r.profile.MaxExemplarRunes == 0 || exemplarRunes(e.Labels) <= r.profile.MaxExemplarRunes
}

func exemplarRunes(ls promwire.Labels) int {
	n := 0
	for i := range ls {
		n += utf8.RuneCountInString(ls[i].Name) + utf8.RuneCountInString(ls[i].Value)
	}
	return n
}

func (r *preflightRun) judgeExemplar(e *promwire.Exemplar) bool {
	var first error
	tidy := promwire.Exemplar{Labels: r.tidy(e.Labels, func(_ PreflightRule, err error) {
		if first == nil {
			first = fmt.Errorf("%w: %w", promwire.ErrInvalidExemplar, err)
		}
	})}
	if err := tidy.Validate(r.scheme); err != nil {
		return itemFinding(r, RuleExemplar, e.Timestamp, false, err)
	}
	if !r.short(&tidy) {
		return itemFinding(r, RuleExemplar, e.Timestamp, false, fmt.Errorf("%w: labels of %d characters, limit %d",
			promwire.ErrInvalidExemplar, exemplarRunes(tidy.Labels), r.profile.MaxExemplarRunes))
	}
	if first != nil {
		e.Labels = tidy.Labels
		return itemFinding(r, RuleExemplar, e.Timestamp, true, first)
	}
	return true
}

func sameBits(a, b float64) bool { return math.Float64bits(a) == math.Float64bits(b) }

// sameHistogram reports whether two histograms are the same, bit for bit.
func sameHistogram(a, b *promwire.Histogram) bool {
	return a.Timestamp == b.Timestamp && a.StartTimestamp == b.StartTimestamp && a.Schema == b.Schema &&
		a.ResetHint == b.ResetHint && a.IsFloat == b.IsFloat && a.Count == b.Count && a.ZeroCount == b.ZeroCount &&
		sameBits(a.Sum, b.Sum) && sameBits(a.ZeroThreshold, b.ZeroThreshold) &&
		sameBits(a.CountFloat, b.CountFloat) && sameBits(a.ZeroCountFloat, b.ZeroCountFloat) &&
		slices.Equal(a.PositiveDeltas, b.PositiveDeltas) && slices.Equal(a.NegativeDeltas, b.NegativeDeltas) &&
		slices.EqualFunc(a.PositiveCounts, b.PositiveCounts, sameBits) &&
		slices.EqualFunc(a.NegativeCounts, b.NegativeCounts, sameBits) &&
		slices.Equal(a.PositiveSpans, b.PositiveSpans) && slices.Equal(a.NegativeSpans, b.NegativeSpans) &&
		slices.EqualFunc(a.CustomValues, b.CustomValues, sameBits)
}
