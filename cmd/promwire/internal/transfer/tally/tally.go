// Package tally counts what was refused or left out, by reason, with the first few examples of each.
package tally

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

const (
	// maxReasons bounds the reasons that are told apart. What comes with others is counted under one heading.
	maxReasons = 50
	// maxExamples bounds the examples of a reason.
	maxExamples = 3
	// maxText bounds reasons and examples, in bytes.
	maxText = 400
)

const otherReasons = "other reasons"

// Tally counts by reason. The zero value is ready. It is not safe for concurrent use.
type Tally struct {
	Reasons []Reason `json:"reasons,omitempty"`
}

// Reason is how often there was one, and where first.
type Reason struct {
	Text     string   `json:"reason"`
	N        int64    `json:"n"`
	Examples []string `json:"examples,omitempty"`
}

// Add counts n items. The example is asked for only if it is kept.
func (t *Tally) Add(reason string, n int, example func() string) {
	reason = cut(reason)
	i := slices.IndexFunc(t.Reasons, func(r Reason) bool { return r.Text == reason })
	if i < 0 && len(t.Reasons) >= maxReasons {
		reason = otherReasons
		i = slices.IndexFunc(t.Reasons, func(r Reason) bool { return r.Text == reason })
	}
	if i < 0 {
		i = len(t.Reasons)
		t.Reasons = append(t.Reasons, Reason{Text: reason})
	}
	r := &t.Reasons[i]
	r.N += int64(n)
	if len(r.Examples) < maxExamples {
		if text := cut(example()); !slices.Contains(r.Examples, text) {
			r.Examples = append(r.Examples, text)
		}
	}
}

// Total is the sum of all counts.
func (t *Tally) Total() int64 {
	n := int64(0)
	for i := range t.Reasons {
		n += t.Reasons[i].N
	}
	return n
}

// Print prints the reasons, the most frequent first, under a heading like "refused"; nothing if there are none.
func (t *Tally) Print(w io.Writer, heading string) {
	sorted := slices.Clone(t.Reasons)
	slices.SortStableFunc(sorted, func(a, b Reason) int { return int(min(max(b.N-a.N, -1), 1)) })
	for _, r := range sorted {
		fmt.Fprintf(w, "%s: %d: %s\n", heading, r.N, r.Text)
		for _, e := range r.Examples {
			fmt.Fprintf(w, "    %s\n", e)
		}
	}
}

func cut(s string) string {
	if len(s) > maxText {
		s = s[:maxText] + "..."
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}
