package remote

import (
	"context"
	"strconv"

	"github.com/promwire/promwire"
)

// FanOut writes each request to all of its targets, side by side; it is a [promwire.Writer]. It is safe for concurrent
// use.
//
// A Write succeeds if it succeeds at all targets. A target that fails does not stop the others; the error says what
// each of them did. A request that is sent again goes to all targets again: who does not want that puts a [Queue] or a
// spool in front of each target, which also keeps a slow one from holding up the rest.
type FanOut struct{ targets []promwire.Writer }

var _ promwire.Writer = (*FanOut)(nil)

// NewFanOut makes a FanOut of one target or more. It panics if there is none.
func NewFanOut(targets ...promwire.Writer) *FanOut {
	if len(targets) == 0 {
		panic("remote: NewFanOut needs a target")
	}
	return &FanOut{targets: append([]promwire.Writer(nil), targets...)}
}

// Write implements [promwire.Writer]. It returns when all targets have, with the counts that all of them have reached:
// the smallest ones. The error is a [*TargetsError] or nil.
func (f *FanOut) Write(ctx context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	routes := make([]route, len(f.targets))
	for i, w := range f.targets {
		routes[i] = route{target: strconv.Itoa(i), w: w, ctx: ctx, req: *req}
	}
	send(routes)
	least := routes[0].stats
	for i := range routes {
		s := routes[i].stats
		least = promwire.WriteStats{
			Samples:    min(least.Samples, s.Samples),
			Histograms: min(least.Histograms, s.Histograms),
			Exemplars:  min(least.Exemplars, s.Exemplars),
		}
	}
	return least, joinRoutes(routes, least, nil)
}
