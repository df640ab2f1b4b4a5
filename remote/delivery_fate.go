package remote

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"slices"
	"time"

	"github.com/promwire/promwire"
)

// portion is a part of a request.
type portion struct {
	promwire.WriteRequest
	index []int // of the series in the request as it came, ascending
	mode
}

// mode is what is known of a portion.
type mode struct {
	// carried says that only exemplars are at stake: the one sample or histogram of each series is stored, and there
	// because receivers do not take exemplars alone.
	carried bool
	replay  bool // "stored already" counts as delivered
	begun   bool // it comes from bisecting
}

// fate is one request on its way to be settled.
type fate struct {
	d       *Delivery
	ctx     context.Context
	whole   portion
	left    int  // requests that may still be sent to bisect
	full    bool // the bound was reached
	written promwire.WriteStats
	replays promwire.WriteStats
	refused []promwire.Refusal
	letters []DeadLetter
	err     error // the last answer that refused something
	unnamed bool  // something is refused, and nobody knows what
}

// begin takes req; s is the body that it came from, or nil.
func (d *Delivery) begin(ctx context.Context, req *promwire.WriteRequest, s *bodySource) *fate {
	f := &fate{d: d, ctx: ctx, left: d.options.MaxBisectRequests}
	f.whole = portion{WriteRequest: *req, index: make([]int, len(req.Timeseries))}
	f.whole.replay = promwire.ReplayFromContext(ctx)
	var removed promwire.Removed
	if s != nil {
		removed = s.removed
		for _, r := range s.refused {
			f.refused = append(f.refused, r)
			f.letter(promwire.TimeSeries{Labels: r.Labels}, r.Reason, 0)
		}
	}
	for i := range f.whole.index {
		f.whole.index[i] = removed.Index(i)
	}
	return f
}

// send writes p and settles it. It fails only if that may pass.
func (f *fate) send(p portion) error {
	if len(p.Timeseries)+len(p.Metadata) == 0 {
		return nil
	}
	stats, err := f.d.next.Write(f.ctx, &p.WriteRequest)
	return f.answered(p, stats, err)
}

// answered settles p after this answer to it.
func (f *fate) answered(p portion, stats promwire.WriteStats, err error) error {
	var partial *promwire.PartialWriteError
	isPartial := errors.As(err, &partial)
	switch {
	case err == nil:
		f.deliver(p, stats)
		return nil
	case promwire.Retryable(err):
		f.deliver(p, stats)
		return err
	case isPartial && len(partial.Refused) > 0:
		f.named(partial, err, p.index, p.mode)
		return nil
	case tooLarge(err):
		return f.split(p, err)
	case !isPartial && !aboutContent(err):
		f.refuse(p, err)
		return nil
	}
	if p.replay && f.d.options.Profile.stored(err) {
		return f.storedAlready(p, err)
	}
	if p.begun {
		return f.bisect(p, err)
	}
	return f.first(p, partial, err)
}

// aboutContent reports whether another content may fare better.
func aboutContent(err error) bool {
	var answer *promwire.HTTPError
	if !errors.As(err, &answer) {
		return promwire.Reason(err) != nil
	}
	switch answer.StatusCode {
	case http.StatusBadRequest, http.StatusConflict, http.StatusUnprocessableEntity:
		return true
	}
	return false
}

// first settles what was refused without names before anything is bisected; partial is the answer if it has counts.
func (f *fate) first(p portion, partial *promwire.PartialWriteError, err error) error {
	rest := partial != nil || f.d.options.Profile.keepsRest()
	again := p.replay || rest && !f.d.options.Profile.stored(err)
	if partial == nil {
		settled, failed := f.fallBack(p, err, again)
		if settled || failed != nil {
			return failed
		}
	}
	if partial != nil && f.left == 0 {
		f.written = f.written.Add(partial.Written)
		f.unnamed, f.err = true, err
		n, all := partial.Written, p.Stats()
		reason := fmt.Errorf("%d of %d items with this one were refused, which is not known: %w", sum(all)-sum(n), sum(all), err)
		for _, ts := range p.Timeseries {
			f.letter(ts, reason, 0)
		}
		lost := sum(all) - sum(n)
		f.d.count(func(c *DeliveryStats) { c.Refused[reasonText(err)] += lost })
		return nil
	}
	p.begun, p.replay = true, again
	if all := p.Stats(); partial != nil && onlyExemplars(partial.Written, all) {
		f.written = f.written.Add(promwire.WriteStats{Samples: all.Samples, Histograms: all.Histograms})
		return f.exemplars(p, err)
	}
	return f.bisect(p, err)
}

// onlyExemplars reports whether exemplars alone are missing. Mimir 3.0 refuses samples and counts all as written: where
// nothing is missing, the counts are not believed.
func onlyExemplars(written, all promwire.WriteStats) bool {
	return written.Samples == all.Samples && written.Histograms == all.Histograms && written.Exemplars < all.Exemplars
}

// fallBack leaves out what whole requests are refused for. It reports whether that settled p.
func (f *fate) fallBack(p portion, err error, again bool) (bool, error) {
	if p.carried {
		return false, nil
	}
	tries := []portion{}
	hasExemplars := p.Stats().Exemplars > 0
	if hasExemplars {
		tries = append(tries, p.without(false))
	}
	if p.hasMetadata() {
		tries = append(tries, p.without(true))
	}
	for i := range tries {
		q := &tries[i]
		if len(q.Timeseries) == 0 || p.begun && !f.spend() {
			continue
		}
		f.d.count(func(c *DeliveryStats) { c.Fallbacks++ })
		stats, refusal := f.d.next.Write(f.ctx, &q.WriteRequest)
		switch {
		case promwire.Retryable(refusal):
			f.deliver(*q, stats)
			return false, refusal
		case refusal != nil && (aboutContent(refusal) && !names(refusal)):
			continue
		}
		if refusal := f.answered(*q, stats, refusal); refusal != nil {
			return false, refusal
		}
		if !hasExemplars {
			return true, nil
		}
		if q.hasMetadata() != p.hasMetadata() {
			p = p.withoutMetadata()
		}
		p.begun, p.replay = true, again
		return true, f.exemplars(p, err)
	}
	return false, nil
}

// names reports whether err says which items it is about.
func names(err error) bool {
	var partial *promwire.PartialWriteError
	return errors.As(err, &partial) && len(partial.Refused) > 0
}

// storedAlready settles p, of which the receiver says that it has something.
func (f *fate) storedAlready(p portion, err error) error {
	if f.d.options.MaxBisectRequests == 0 || p.items() == 1 {
		n := p.stake()
		f.written, f.replays = f.written.Add(n), f.replays.Add(n)
		return nil
	}
	p.begun = true
	return f.bisect(p, err)
}

// split sends what was too large in two parts.
func (f *fate) split(p portion, err error) error {
	a, b, ok := p.halves()
	if !ok {
		f.refuse(p, err)
		return nil
	}
	f.d.count(func(c *DeliveryStats) { c.Splits++ })
	if err := f.send(a); err != nil {
		return err
	}
	return f.send(b)
}

// bisect looks for what is bad in p, which was refused with err.
func (f *fate) bisect(p portion, err error) error {
	if len(p.Timeseries) == 1 && p.items() > 1 && p.Stats().Exemplars > 0 && !p.carried {
		if settled, failed := f.fallBack(p, err, p.replay); settled || failed != nil {
			return failed
		}
	}
	a, b, ok := p.halves()
	if !ok {
		f.refuse(p, err)
		return nil
	}
	if !f.spend() {
		f.refuse(p, err)
		return nil
	}
	stats, bad := f.d.next.Write(f.ctx, &a.WriteRequest)
	if failed := f.answered(a, stats, bad); failed != nil {
		return failed
	}
	if _, _, more := b.halves(); bad == nil && more {
		return f.bisect(b, err) // what is bad must be there
	}
	if !f.spend() {
		f.refuse(b, err)
		return nil
	}
	return f.send(b)
}

// exemplars settles those of p, whose samples and histograms are stored; with them, it was refused with err.
func (f *fate) exemplars(p portion, err error) error {
	q, changed := p.exemplars()
	if f.d.options.MaxBisectRequests == 0 {
		f.refuse(q, err)
		return nil
	}
	if !changed {
		return f.bisect(q, err)
	}
	if !f.spend() {
		f.refuse(q, err)
		return nil
	}
	return f.send(q)
}

// spend takes one of the requests that may bisect.
func (f *fate) spend() bool {
	if f.left == 0 {
		if !f.full && f.d.options.MaxBisectRequests > 0 {
			f.d.count(func(c *DeliveryStats) { c.Exhausted++ })
		}
		f.full = true
		return false
	}
	f.left--
	f.d.count(func(c *DeliveryStats) { c.BisectRequests++ })
	return true
}

// deliver notes what of p was written.
func (f *fate) deliver(p portion, stats promwire.WriteStats) {
	if p.carried {
		stats = promwire.WriteStats{Exemplars: stats.Exemplars}
	}
	f.written = f.written.Add(stats)
}

// named notes what an answer names; index has the series that it is about, nil for the request as it came.
func (f *fate) named(partial *promwire.PartialWriteError, err error, index []int, m mode) {
	f.deliver(portion{mode: m}, partial.Written)
	var left []promwire.Refusal
	for _, r := range partial.Refused {
		if index != nil {
			if r.Series < 0 || r.Series >= len(index) {
				continue
			}
			r.Series = index[r.Series]
		}
		ts := f.series(r.Series)
		n := promwire.WriteStats{}
		if ts != nil {
			n = statsAt(ts, r.Timestamp)
		}
		if m.replay && slices.Contains(storedReasons, promwire.Reason(r.Reason)) {
			f.written, f.replays = f.written.Add(n), f.replays.Add(n)
			continue
		}
		left = append(left, r)
		f.d.count(func(c *DeliveryStats) { c.Refused[reasonText(r.Reason)] += max(1, sum(n)) })
	}
	if len(left) == 0 {
		return
	}
	f.err = err
	f.refused = append(f.refused, left...)
	for of := range refusalsBySeries(left) {
		f.letter(refusedItems(f.series(of[0].Series), of), of[0].Reason, statusOf(err))
	}
}

// refusalsBySeries sorts refusals by series and yields those of each.
func refusalsBySeries(refused []promwire.Refusal) iter.Seq[[]promwire.Refusal] {
	slices.SortStableFunc(refused, func(a, b promwire.Refusal) int { return cmp.Compare(a.Series, b.Series) })
	return func(yield func([]promwire.Refusal) bool) {
		for left := refused; len(left) > 0; {
			n := 1
			for n < len(left) && left[n].Series == left[0].Series {
				n++
			}
			if !yield(left[:n]) {
				return
			}
			left = left[n:]
		}
	}
}

// refusedItems returns what refusals of one series are about; ts is nil if that is not known.
func refusedItems(ts *promwire.TimeSeries, refusals []promwire.Refusal) promwire.TimeSeries {
	if ts == nil {
		return promwire.TimeSeries{Labels: refusals[0].Labels}
	}
	out := promwire.TimeSeries{Labels: ts.Labels, Metadata: ts.Metadata}
	seen := map[int64]bool{}
	for _, r := range refusals {
		if r.Timestamp == 0 {
			return *ts
		}
		if seen[r.Timestamp] {
			continue
		}
		seen[r.Timestamp] = true
		at := itemsAt(ts, r.Timestamp)
		out.Samples = append(out.Samples, at.Samples...)
		out.Histograms = append(out.Histograms, at.Histograms...)
		out.Exemplars = append(out.Exemplars, at.Exemplars...)
	}
	return out
}

// series returns that with this index in the request as it came, or nil.
func (f *fate) series(index int) *promwire.TimeSeries {
	i, ok := slices.BinarySearch(f.whole.index, index)
	if !ok {
		return nil
	}
	return &f.whole.Timeseries[i]
}

// refuse gives up p.
func (f *fate) refuse(p portion, err error) {
	f.err = err
	f.unnamed = f.unnamed || len(p.Timeseries) == 0 // metadata of families have no index
	n := max(sum(p.stake()), len(p.Timeseries))
	f.d.count(func(c *DeliveryStats) { c.Refused[reasonText(err)] += n })
	for i, ts := range p.Timeseries {
		if p.carried {
			ts.Samples, ts.Histograms = nil, nil
		}
		f.letter(ts, err, statusOf(err))
		r := promwire.Refusal{Series: p.index[i], Labels: ts.Labels.Clone(), Reason: err}
		if whole := f.series(r.Series); whole == nil || sum(whole.Stats()) == sum(ts.Stats()) {
			f.refused = append(f.refused, r)
			continue
		}
		for _, t := range times(&ts) {
			r.Timestamp = t
			f.refused = append(f.refused, r)
		}
	}
}

// times returns the timestamps of all items.
func times(ts *promwire.TimeSeries) []int64 {
	var out []int64
	for _, s := range ts.Samples {
		out = append(out, s.Timestamp)
	}
	for i := range ts.Histograms {
		out = append(out, ts.Histograms[i].Timestamp)
	}
	for _, e := range ts.Exemplars {
		out = append(out, e.Timestamp)
	}
	return out
}

func (f *fate) letter(ts promwire.TimeSeries, reason error, status int) {
	if status == 0 {
		status = statusOf(reason)
	}
	f.letters = append(f.letters, DeadLetter{
		Time: time.Now(), Tenant: promwire.TenantFromContext(f.ctx), Endpoint: f.d.options.Endpoint,
		Reason: reason.Error(), Status: status, Series: ts,
	})
}

// end returns what Write returns; err is one that may pass.
func (f *fate) end(err error) (promwire.WriteStats, error) {
	d := f.d
	d.count(func(c *DeliveryStats) {
		c.Delivered, c.Replays = c.Delivered.Add(f.written), c.Replays.Add(f.replays)
	})
	if err != nil || len(f.refused) == 0 && !f.unnamed {
		return f.written, err
	}
	if d.options.OnRefused != nil {
		d.options.OnRefused(f.letters)
	}
	if d.options.DeadLetters != nil && len(f.letters) > 0 {
		if lost := d.options.DeadLetters.WriteDeadLetters(f.ctx, f.letters); lost != nil {
			d.count(func(c *DeliveryStats) { c.LostLetters += len(f.letters) })
			// As text: whether it may pass has no bearing on the request.
			f.err = errors.Join(f.err, fmt.Errorf("dead letters: %v", lost)) //nolint:errorlint // see above
		} else {
			d.count(func(c *DeliveryStats) { c.DeadLetters += len(f.letters) })
		}
	}
	slices.SortStableFunc(f.refused, func(a, b promwire.Refusal) int { return cmp.Compare(a.Series, b.Series) })
	return f.written, &promwire.PartialWriteError{Written: f.written, Refused: f.refused, Err: f.err}
}

func sum(s promwire.WriteStats) int { return s.Samples + s.Histograms + s.Exemplars }

// statusOf returns that of the answer in err, or 0.
func statusOf(err error) int {
	var answer *promwire.HTTPError
	if errors.As(err, &answer) {
		return answer.StatusCode
	}
	return 0
}

// reasonText is how reasons are counted.
func reasonText(err error) string {
	var answer *promwire.HTTPError
	switch reason := promwire.Reason(err); {
	case reason != nil:
		return reason.Error()
	case errors.As(err, &answer):
		return reasonOf(answer)
	case tooLarge(err):
		return promwire.ErrTooLarge.Error()
	default:
		return "other"
	}
}
