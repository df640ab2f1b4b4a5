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

// failure is what became of a request that failed: refused for one cause, or some of its items by their reasons.
type failure struct {
	cause, example string
	items          int
	reasons        map[string]*refusalCounts // of items
}

func failureOf(s *server.RequestStats) failure {
	var partial *promwire.PartialWriteError
	if !errors.As(s.Err, &partial) || len(partial.Refused) == 0 {
		f := failure{cause: cmp.Or(s.Cause, "unknown")}
		if s.Err != nil {
			f.example = cut(s.Err.Error(), maxError)
		}
		return f
	}
	f := failure{items: len(partial.Refused), reasons: map[string]*refusalCounts{}}
	for i := range partial.Refused {
		r := &partial.Refused[i]
		reason := reasonOf(r.Reason)
		c := f.reasons[reason]
		if c == nil { // the first one is the example: text costs more than counting
			c = &refusalCounts{Example: cut(r.Error(), maxError)}
			f.reasons[reason] = c
		}
		c.Items++
	}
	return f
}

func (t *refusals) add(f failure, now time.Time) {
	if f.items == 0 {
		c := t.of(f.cause, now)
		c.Requests++
		c.Example = f.example
		return
	}
	for reason, n := range f.reasons {
		c := t.of(reason, now)
		c.Items += n.Items
		c.Example = n.Example
	}
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
