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
	// DeadLetters gets what is refused here, once the fate of the rest is known: not if that may pass. What it does not
	// take is lost, which the error of Write says. Endpoint names the target in the letters. Default: none.
	DeadLetters DeadLetters
	Endpoint    string
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// Preflight judges requests before the writer behind it sends them, by what its target is known to take, so that each
// bad series is named and costs nothing but itself. It is a [promwire.Writer] and a [promwire.BodyWriter], safe for
// concurrent use if that writer is.
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

var (
	_ promwire.Writer     = (*Preflight)(nil)
	_ promwire.BodyWriter = (*Preflight)(nil)
)

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
		return promwire.WriteStats{}, r.holdBack(ctx, req)
	}
	if !r.changed {
		return p.next.Write(ctx, req)
	}
	if len(r.series)+len(req.Metadata) == 0 {
		return promwire.WriteStats{}, r.join(ctx, req, promwire.WriteStats{}, nil)
	}
	rest := route{w: p.next, ctx: ctx, index: r.index}
	rest.req = promwire.WriteRequest{Timeseries: r.series, Metadata: req.Metadata}
	rest.write()
	return rest.stats, r.join(ctx, req, rest.stats, rest.err)
}

// WriteBody implements [promwire.BodyWriter]. The body is decoded and judged as Write judges requests; [promwire.Body.Rules]
// count for the message as a whole only. If nothing is found, and the writer behind p is a BodyWriter too, it passes as it
// came.
func (p *Preflight) WriteBody(ctx context.Context, b *promwire.Body) (promwire.WriteStats, error) {
	s := &bodySource{body: b, asIs: true}
	if err := s.decode(); err != nil {
		return promwire.WriteStats{}, fmt.Errorf("preflight: %w", err)
	}
	if bodies, ok := p.next.(promwire.BodyWriter); ok && len(s.refused) == 0 && p.clean(s.request) {
		return bodies.WriteBody(ctx, b)
	}
	stats, err := p.Write(ctx, s.request)
	if len(s.refused) == 0 || promwire.Retryable(err) {
		return stats, err
	}
	all := &promwire.PartialWriteError{Written: stats, Refused: s.refused, Err: err}
	var partial *promwire.PartialWriteError
	if errors.As(err, &partial) {
		all.Refused, all.Err = s.removed.AppendRefusals(all.Refused, partial.Refused), partial.Err
	}
	return stats, all
}

func (p *Preflight) clean(req *promwire.WriteRequest) bool {
	r := newPreflightRun(p)
	defer r.release()
	return r.firstUnclean(req) < 0
}

// join returns what the refusals of r and the error of the rest come to.
func (r *preflightRun) join(ctx context.Context, req *promwire.WriteRequest, written promwire.WriteStats, err error) error {
	if len(r.refused) == 0 || promwire.Retryable(err) {
		return err
	}
	lost := r.bury(ctx, req, r.refused)
	all := &promwire.PartialWriteError{Written: written, Refused: slices.Clone(r.refused), Err: err}
	var partial *promwire.PartialWriteError
	if errors.As(err, &partial) {
		all.Refused, all.Err = append(all.Refused, partial.Refused...), partial.Err
		slices.SortStableFunc(all.Refused, func(a, b promwire.Refusal) int { return cmp.Compare(a.Series, b.Series) })
	}
	if lost != nil {
		all.Err = errors.Join(all.Err, lost)
	}
	return all
}

// bury writes refusals to the dead letters. The error is text only: whether it may pass has no bearing on the request.
func (r *preflightRun) bury(ctx context.Context, req *promwire.WriteRequest, refused []promwire.Refusal) error {
	if r.options.DeadLetters == nil {
		return nil
	}
	var letters []DeadLetter
	for of := range refusalsBySeries(refused) {
		letters = append(letters, DeadLetter{
			Time: time.Now(), Tenant: promwire.TenantFromContext(ctx), Endpoint: r.options.Endpoint,
			Reason: of[0].Reason.Error(), Series: refusedItems(&req.Timeseries[of[0].Series], of),
		})
	}
	if err := r.options.DeadLetters.WriteDeadLetters(ctx, letters); err != nil {
		return fmt.Errorf("dead letters: %v", err) //nolint:errorlint // see above
	}
	return nil
}

// ErrHeldBack is the reason for entries of a request that are fine, but not sent because of others
// ([PreflightStrict]).
var ErrHeldBack = errors.New("not sent, since other items of the request are refused")

// holdBack names the findings and everything else.
func (r *preflightRun) holdBack(ctx context.Context, req *promwire.WriteRequest) error {
	refused, gone := slices.Clone(r.refused), r.gone
	for i := range req.Timeseries {
		if len(gone) > 0 && gone[0] == i {
			gone = gone[1:]
			continue
		}
		refused = promwire.Rules{}.Refuse(refused, i, req.Timeseries[i].Labels, ErrHeldBack)
	}
	return &promwire.PartialWriteError{Refused: refused, Err: r.bury(ctx, req, slices.Clone(refused))}
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
