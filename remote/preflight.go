package remote

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/promwire/promwire"
)

// PreflightMode says what a [Preflight] does with what its target would not take.
type PreflightMode uint8

// The modes.
const (
	// PreflightRepair mends what can be mended without a guess, and refuses the rest item by item. It is the default.
	PreflightRepair PreflightMode = iota
	// PreflightStrict sends a request only if nothing in it is to be refused.
	PreflightStrict
	// PreflightDrop mends nothing: it refuses item by item, and sends the others as they are.
	PreflightDrop
)

// PreflightNames is the policy for metric and label names outside [promwire.LegacyNames].
type PreflightNames uint8

// The policies for names.
const (
	// NamesOfProfile takes what [PreflightProfile.Names] says. It is the default.
	NamesOfProfile PreflightNames = iota
	// NamesAllow takes all names in valid UTF-8.
	NamesAllow
	// NamesRefuse refuses series with such names.
	NamesRefuse
	// NamesEscape writes each character that is not allowed as an underscore when it repairs; in the other modes it is
	// NamesRefuse. A series in which two names become one is refused. Two series can become one: see [Preflight].
	NamesEscape
)

// PreflightOptions are the settings of a [Preflight]. The zero value repairs for [LimitsStrict].
type PreflightOptions struct {
	// Profile is what the target takes. The zero value (without a name) is LimitsStrict.
	Profile PreflightProfile
	Mode    PreflightMode
	Names   PreflightNames
	// OnFinding is told each finding, before the request is sent, by the goroutine that calls Write. It may keep the
	// finding. nil tells nobody.
	OnFinding func(context.Context, Finding)
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// Preflight judges requests before the writer behind it sends them, by what its target is known to take, so that each
// bad series is named and costs nothing but itself. It is a [promwire.Writer], safe for concurrent use if that writer is.
//
// A request without findings is passed on as it is, without allocation. One that is mended is passed on as a copy that
// shares what did not change; the caller's request is never modified. Each entry of a request is judged on its own: if a
// series has several entries, or two series become one by [NamesEscape], what contradicts itself between them stays.
//
// When it repairs, labels are sorted, those with empty values and equal copies dropped, names escaped as
// [PreflightOptions.Names] says; samples and histograms are sorted by time, and of several at one millisecond the last
// one of the request stays. Timestamps in another unit than milliseconds are refused, not converted.
type Preflight struct {
	next    promwire.Writer
	options PreflightOptions
	profile PreflightProfile
	scheme  promwire.NameScheme
	escape  bool
	takes   uint32 // bits of rules
}

var _ promwire.Writer = (*Preflight)(nil)

// NewPreflight makes a Preflight in front of next.
func NewPreflight(next promwire.Writer, options PreflightOptions) *Preflight {
	if options.Profile.Name == "" {
		options.Profile = LimitsStrict
	}
	if options.Now == nil {
		options.Now = time.Now
	}
	p := &Preflight{next: next, options: options, profile: options.Profile, scheme: options.Profile.Names}
	switch options.Names {
	case NamesAllow:
		p.scheme = promwire.UTF8Names
	case NamesRefuse:
		p.scheme = promwire.LegacyNames
	case NamesEscape:
		p.scheme, p.escape = promwire.LegacyNames, options.Mode == PreflightRepair
	}
	for _, rule := range options.Profile.Takes {
		p.takes |= 1 << rule & mayBeTaken
	}
	return p
}

// Check returns what Write would find in req, and what it would do, at most 2,000 findings. Nothing is sent and
// nobody is told.
func (p *Preflight) Check(req *promwire.WriteRequest) []Finding {
	r := newPreflightRun(p)
	defer r.release()
	var found []Finding
	r.tell = func(f Finding) {
		if len(found) < maxFindings {
			found = append(found, f)
		}
	}
	if first := r.firstUnclean(req); first >= 0 {
		r.judgeAll(req, first)
	}
	return found
}

const maxFindings = 2_000

// Write implements [promwire.Writer]. What is refused is in a [*promwire.PartialWriteError] together with what next
// refused of the rest, with the indices of req; details and labels are left out after 2,000 refusals. An error of next
// that may pass ([promwire.Retryable]) is returned alone, since the same request is to be written again.
//
// In [PreflightStrict], nothing is written if anything is refused: the error names first the findings, then each entry
// that was held back because of them, with [ErrHeldBack].
func (p *Preflight) Write(ctx context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	r := newPreflightRun(p)
	defer r.release()
	first := r.firstUnclean(req)
	if first < 0 {
		return p.next.Write(ctx, req)
	}
	if hook := p.options.OnFinding; hook != nil {
		r.tell = func(f Finding) { hook(ctx, f) }
	}
	r.judgeAll(req, first)
	if p.options.Mode == PreflightStrict && len(r.refused) > 0 {
		return promwire.WriteStats{}, r.holdBack(req)
	}
	if !r.changed {
		return p.next.Write(ctx, req)
	}
	if len(r.series)+len(req.Metadata) == 0 {
		return promwire.WriteStats{}, r.join(promwire.WriteStats{}, nil)
	}
	rest := route{w: p.next, ctx: ctx, index: r.index}
	rest.req = promwire.WriteRequest{Timeseries: r.series, Metadata: req.Metadata}
	rest.write()
	return rest.stats, r.join(rest.stats, rest.err)
}

// join returns what the refusals of r and the error of the rest come to.
func (r *preflightRun) join(written promwire.WriteStats, err error) error {
	if len(r.refused) == 0 || promwire.Retryable(err) {
		return err
	}
	all := &promwire.PartialWriteError{Written: written, Refused: slices.Clone(r.refused), Err: err}
	var partial *promwire.PartialWriteError
	if errors.As(err, &partial) {
		all.Refused, all.Err = append(all.Refused, partial.Refused...), partial.Err
		slices.SortStableFunc(all.Refused, func(a, b promwire.Refusal) int { return cmp.Compare(a.Series, b.Series) })
	}
	return all
}

// ErrHeldBack is the reason for entries of a request that are fine, but not sent because of others
// ([PreflightStrict]).
var ErrHeldBack = errors.New("not sent, since other items of the request are refused")

// holdBack names the findings and everything else.
func (r *preflightRun) holdBack(req *promwire.WriteRequest) error {
	refused, gone := slices.Clone(r.refused), r.gone
	for i := range req.Timeseries {
		if len(gone) > 0 && gone[0] == i {
			gone = gone[1:]
			continue
		}
		refused = promwire.Rules{}.Refuse(refused, i, req.Timeseries[i].Labels, ErrHeldBack)
	}
	return &promwire.PartialWriteError{Refused: refused}
}

// Finding is something in a request that its target does not take, or not as it is.
type Finding struct {
	Series    int             // index in the request as it came
	Labels    promwire.Labels // a copy, cut if it is longer than 4 KiB
	Timestamp int64           // of the sample, histogram or exemplar; 0 if it is about the whole series
	Rule      PreflightRule
	Err       error // wraps one of the reasons of package promwire ([promwire.Reason])
	Action    PreflightAction
}

// Error implements error.
func (f Finding) Error() string {
	refusal := promwire.Refusal{Series: f.Series, Labels: f.Labels, Timestamp: f.Timestamp, Reason: f.Err}
	return fmt.Sprintf("%s (%s, %s)", refusal.Error(), f.Rule, f.Action)
}

// Unwrap returns the reason.
func (f Finding) Unwrap() error { return f.Err }
