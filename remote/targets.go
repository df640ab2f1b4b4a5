package remote

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/promwire/promwire"
)

// maxAtOnce bounds the requests that one Write sends at the same time to different places.
const maxAtOnce = 16

// TargetResult is what became of a request, or of its part, at one target.
type TargetResult struct {
	// Target is the name of the target: its number from 0 in a [FanOut], its name in a [Sharded], the tenant in a
	// [TenantSplit].
	Target string
	Stats  promwire.WriteStats
	// Err is nil if all was written. Refusals in it have the indices of the request as it came.
	Err error
}

// TargetsError says that a [FanOut], [Sharded] or [TenantSplit] failed for a part of its targets, or all.
//
// It wraps what decides about the whole: if a retry can help at one target ([promwire.Retryable]), the errors of such
// targets only, as the same request is to be sent again; else a [*promwire.PartialWriteError] with the refusals of all
// targets, if there are any or a part was written, and the other errors.
type TargetsError struct {
	// Results are those of all targets that got something, those that took it included.
	Results []TargetResult
	causes  []error
}

// Error implements error. It spells out the first ten failures.
func (e *TargetsError) Error() string {
	var failed []string
	n := 0
	for _, r := range e.Results {
		if r.Err == nil {
			continue
		}
		if n++; n <= 10 {
			failed = append(failed, fmt.Sprintf("%s: %v", r.Target, r.Err))
		}
	}
	text := fmt.Sprintf("%d of %d targets failed: %s", n, len(e.Results), strings.Join(failed, "; "))
	if n > len(failed) {
		text += fmt.Sprintf("; and %d more", n-len(failed))
	}
	return text
}

// Unwrap returns what decides about the whole.
func (e *TargetsError) Unwrap() []error { return e.causes }

// route is a request, or a part of one, on its way to one target.
type route struct {
	target string
	w      promwire.Writer
	ctx    context.Context
	req    promwire.WriteRequest
	index  []int // of the series in the request as it came; nil if they are the same
	stats  promwire.WriteStats
	err    error
}

// send writes all routes, side by side, and waits for all of them.
func send(routes []route) {
	var group sync.WaitGroup
	places := make(chan struct{}, maxAtOnce)
	for i := 1; i < len(routes); i++ {
		places <- struct{}{}
		group.Go(func() {
			routes[i].write()
			<-places
		})
	}
	routes[0].write()
	group.Wait()
}

func (r *route) write() {
	r.stats, r.err = r.w.Write(r.ctx, &r.req)
	var partial *promwire.PartialWriteError
	if !errors.As(r.err, &partial) {
		return
	}
	if r.stats == (promwire.WriteStats{}) {
		r.stats = partial.Written
	}
	if r.index == nil || len(partial.Refused) == 0 {
		return
	}
	mapped := &promwire.PartialWriteError{Written: partial.Written, Err: partial.Err}
	for _, refusal := range partial.Refused {
		if refusal.Series >= 0 && refusal.Series < len(r.index) {
			refusal.Series = r.index[refusal.Series]
		}
		mapped.Refused = append(mapped.Refused, refusal)
	}
	r.err = mapped
}

// joinRoutes returns what the routes come to, of which stats were written; refused is what got no route.
func joinRoutes(routes []route, stats promwire.WriteStats, refused []promwire.Refusal) error {
	e := &TargetsError{}
	var retryable, final []error
	var answers []error // of partial writes
	for i := range routes {
		r := &routes[i]
		e.Results = append(e.Results, TargetResult{Target: r.target, Stats: r.stats, Err: r.err})
		var partial *promwire.PartialWriteError
		switch {
		case r.err == nil:
		case promwire.Retryable(r.err):
			retryable = append(retryable, r.err)
		case errors.As(r.err, &partial):
			refused = append(refused, partial.Refused...)
			answers = append(answers, partial.Err)
		default:
			final = append(final, r.err)
		}
	}
	switch {
	case len(retryable) > 0:
		e.causes = retryable
	case len(refused)+len(answers) > 0 || len(final) > 0 && stats != (promwire.WriteStats{}):
		slices.SortStableFunc(refused, func(a, b promwire.Refusal) int { return cmp.Compare(a.Series, b.Series) })
		whole := &promwire.PartialWriteError{Written: stats, Refused: refused, Err: errors.Join(append(answers, final...)...)}
		if len(answers)+len(final) == 0 {
			return whole // no target failed
		}
		e.causes = []error{whole}
	case len(final) > 0:
		e.causes = final
	default:
		return nil
	}
	return e
}
