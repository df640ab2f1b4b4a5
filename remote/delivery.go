package remote

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"

	"github.com/promwire/promwire"
)

// DeliveryOptions are the settings of a [Delivery]. The zero value works: it splits what is too large, leaves out
// exemplars and metadata that a receiver does not take, and bisects nothing.
type DeliveryOptions struct {
	// Endpoint names the receiver in dead letters. A URL with a password has no place here.
	Endpoint string
	// Profile says how the receiver words its answers. It matters for data that may have been sent before, see
	// [promwire.ContextWithReplay]. Default [ProfileGeneric].
	Profile Profile
	// MaxBisectRequests bounds the requests of one Write that look for what is bad in a request that was refused without
	// names. To find one bad series among n takes between log2(n) and 2 log2(n) of them. Default 0: none.
	MaxBisectRequests int
	// DeadLetters gets what is refused for good, once for each Write that ends so. What it fails to take is lost, which
	// the error of Write and the counters say. Default: none.
	DeadLetters DeadLetters
	// OnRefused, if set, is called with the same, by the goroutine that called Write. The letters share memory with the
	// request and are valid until it returns.
	OnRefused func([]DeadLetter)
}

// DeliveryStats are the counters of a [Delivery] since it was made.
type DeliveryStats struct {
	// Delivered is what Write returned as written, replays included. What is sent again counts again.
	Delivered promwire.WriteStats
	// Replays is what of it the receiver called stored already.
	Replays promwire.WriteStats
	// Refused counts the refused items by reason: the text of one of promwire's reasons, or "answer 400" and so on.
	Refused map[string]int
	// Splits counts the requests that were halved because they were too large, Fallbacks those sent again without
	// exemplars or metadata, or without series that the rules of a body refuse, BisectRequests those that looked for
	// what is bad, and Exhausted the writes for which the bound on them was too low.
	Splits, Fallbacks, BisectRequests, Exhausted int
	// DeadLetters counts the letters that the sink took, LostLetters those that it did not take.
	DeadLetters, LostLetters int
}

// Delivery finds out what becomes of each item of a request; it is a [promwire.Writer] and a [promwire.BodyWriter]. It is
// safe for concurrent use if the writer behind it is.
//
// Write returns when each item is delivered or refused for good, or when the answer is "not now":
//
//   - no error: everything is delivered;
//   - a [*promwire.PartialWriteError]: what it names, by the index in the request as it came, is refused for good and went
//     to the dead letters; the rest is delivered. It names whole series by time 0. If the receiver gives counts only and
//     nothing is bisected, it names nothing, and the whole request goes to the dead letters: nobody knows which part is
//     missing, and stores absorb the others when they are replayed;
//   - an error that may pass ([promwire.Retryable]): the caller keeps the request and writes it again, in a context of
//     [promwire.ContextWithReplay]. That repeats what was settled before the error, which receivers absorb. Nothing of it
//     went to the dead letters yet.
//
// What is too large (413, [promwire.ErrTooLarge]) goes out in halves. What is refused without names (400, 409, 422) goes
// out without exemplars, then without metadata, as receivers refuse whole requests for them; left out metadata are lost,
// exemplars are refused. If that does not help, it is bisected as far as [DeliveryOptions.MaxBisectRequests] allows, by
// series, then by items. No request is sent twice with the same content. Where the bound is reached, what is undecided is
// refused, with the last reason. Any other final answer, such as 401, refuses the whole request.
//
// A receiver that stores the good part of a request and then gets older samples of one series once more may call them
// out of order. Those count as delivered if the first answer was about something else and shows, by Written counts or by
// the profile, that the rest was stored; otherwise they are refused: nothing is ever lost by a guess.
//
// In a context of [promwire.ContextWithReplay], answers that say duplicate, out of order or too old count as delivered,
// as [DeliveryOptions.Profile] reads them. Without bisecting, that holds for the whole request, and a fresh sample that
// the receiver rejected with it is lost; with it, for single items only, and a request of which most is stored takes
// two requests for each of them, or ends in the dead letters when the bound is reached.
type Delivery struct {
	next    promwire.Writer
	options DeliveryOptions
	mu      sync.Mutex
	stats   DeliveryStats
}

var (
	_ promwire.Writer     = (*Delivery)(nil)
	_ promwire.BodyWriter = (*Delivery)(nil)
)

// NewDelivery makes a Delivery in front of next, such as a [WriteClient].
func NewDelivery(next promwire.Writer, o DeliveryOptions) *Delivery {
	return &Delivery{next: next, options: o, stats: DeliveryStats{Refused: map[string]int{}}}
}

// Stats returns the counters.
func (d *Delivery) Stats() DeliveryStats {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := d.stats
	out.Refused = maps.Clone(d.stats.Refused)
	return out
}

// Write implements [promwire.Writer], see [Delivery].
func (d *Delivery) Write(ctx context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	stats, err := d.next.Write(ctx, req)
	if err == nil || promwire.Retryable(err) {
		return d.pass(stats, err)
	}
	f := d.begin(ctx, req, nil)
	return f.end(f.answered(f.whole, stats, err))
}

// WriteBody implements [promwire.BodyWriter]. If the writer behind d is one too, the body passes undecoded; it is decoded
// only when the answer is final and not success. What its rules refuse then has letters without data.
func (d *Delivery) WriteBody(ctx context.Context, b *promwire.Body) (promwire.WriteStats, error) {
	s := &bodySource{body: b}
	bodies, ok := d.next.(promwire.BodyWriter)
	if !ok {
		if err := s.decode(); err != nil {
			return promwire.WriteStats{}, fmt.Errorf("delivery: %w", err)
		}
		f := d.begin(ctx, s.request, s)
		return f.end(f.send(f.whole))
	}
	stats, err := bodies.WriteBody(ctx, b)
	var malformed *promwire.DecodeError
	if err == nil || promwire.Retryable(err) || errors.As(err, &malformed) {
		return d.pass(stats, err)
	}
	if bad := s.decode(); bad != nil {
		return stats, fmt.Errorf("%w; and the body cannot be taken apart: %w", err, bad)
	}
	f := d.begin(ctx, s.request, s)
	var partial *promwire.PartialWriteError
	switch {
	case errors.As(err, &partial) && len(partial.Refused) > 0:
		f.refused, f.letters = nil, nil // the receiver has judged the body as it came
		f.named(partial, err, nil, f.whole.mode)
		return f.end(nil)
	case len(s.refused)+len(s.removed) > 0:
		d.count(func(c *DeliveryStats) { c.Fallbacks++ })
		return f.end(f.send(f.whole))
	}
	return f.end(f.answered(f.whole, stats, err))
}

// pass counts what needs no further thought.
func (d *Delivery) pass(stats promwire.WriteStats, err error) (promwire.WriteStats, error) {
	d.count(func(c *DeliveryStats) { c.Delivered = c.Delivered.Add(stats) })
	return stats, err
}

func (d *Delivery) count(change func(*DeliveryStats)) {
	d.mu.Lock()
	change(&d.stats)
	d.mu.Unlock()
}
