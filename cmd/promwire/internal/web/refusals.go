package web

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/server"
)

// maxReasons bounds the table of reasons. There are fewer of them; a later version may have more.
const maxReasons = 64

// maxExamples is how many refused items of a request are looked at for examples: text costs more than counting.
const maxExamples = 10

// refusalCounts is what was refused for one reason.
type refusalCounts struct {
	Reason   string `json:"reason"`
	Items    uint64 `json:"items"`    // of requests that were written in part
	Requests uint64 `json:"requests"` // refused as a whole
	Last     int64  `json:"last"`
	Example  string `json:"example"` // the last one
}

type refusals struct {
	known map[string]*refusalCounts
}

// add counts a request that failed by the reasons of its items, or as a whole by its cause.
func (t *refusals) add(s *server.RequestStats, now time.Time) (items int) {
	var partial *promwire.PartialWriteError
	if !errors.As(s.Err, &partial) || len(partial.Refused) == 0 {
		c := t.of(cmp.Or(s.Cause, "unknown"), now)
		c.Requests++
		if s.Err != nil {
			c.Example = cut(s.Err.Error(), maxError)
		}
		return 0
	}
	for i := range partial.Refused {
		r := &partial.Refused[i]
		c := t.of(reasonOf(r.Reason), now)
		c.Items++
		if i < maxExamples {
			c.Example = cut(r.Error(), maxError)
		}
	}
	return len(partial.Refused)
}

func (t *refusals) of(reason string, now time.Time) *refusalCounts {
	c := t.known[reason]
	if c == nil && len(t.known) >= maxReasons {
		reason = "other"
		c = t.known[reason]
	}
	if c == nil {
		c = &refusalCounts{Reason: reason}
		t.known[reason] = c
	}
	c.Last = now.UnixMilli()
	return c
}

func reasonOf(err error) string {
	if reason := promwire.Reason(err); reason != nil {
		return reason.Error()
	}
	return "other"
}

// list returns all, the latest first.
func (t *refusals) list() []refusalCounts {
	out := make([]refusalCounts, 0, len(t.known))
	for _, c := range t.known {
		out = append(out, *c)
	}
	slices.SortFunc(out, func(a, b refusalCounts) int {
		return cmp.Or(cmp.Compare(b.Last, a.Last), cmp.Compare(a.Reason, b.Reason))
	})
	return out
}
