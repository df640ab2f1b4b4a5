package spool

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/promwire/promwire"
)

// DeliverOptions say how records are delivered. The zero value has the defaults.
type DeliverOptions struct {
	// JoinBytes and JoinSamples bound the requests that adjacent 1.0 bodies of one tenant are joined to, without
	// decompressing them: 1 MiB compressed and 10,000 samples by default. A negative one turns that off.
	JoinBytes, JoinSamples int
	// MergeSamples is for small requests, whose headers and symbols would take more than their samples: adjacent bodies of
	// one tenant and message with fewer samples, histograms and exemplars than that are decoded and encoded as one
	// request of at most so many samples. 0, the default, merges nothing.
	MergeSamples int
	// Gather is how long what arrives waits for more, so that it goes out together: a reader that has sent everything goes
	// on that much later than something arrives, or after 200 ms already if there is enough for a request by then
	// (MergeSamples, or JoinSamples without it), and so on. While it is behind, nothing waits. 0, the default: nothing
	// waits at all.
	Gather time.Duration
	// Hurry ends all waiting of Gather when it is closed; nil never is.
	Hurry <-chan struct{}
	// MinBackoff is the pause before the first retry, 30 ms by default; it doubles up to MaxBackoff, 5 s by default.
	// Pauses vary by up to a tenth.
	MinBackoff, MaxBackoff time.Duration
	// MaxRetryAfter bounds the pause that a target may ask for; 5 minutes by default.
	MaxRetryAfter time.Duration
	// OnRefused is called for what the target refused for good. Delivery goes on when it returns.
	OnRefused func(Refused)
	// DeadLetters gets what was refused for good, with the tenant: the refused series if the target named them, the
	// whole request otherwise. What it does not take is logged, counted and gone.
	DeadLetters promwire.Writer
}

// Refused is a request that a target refused for good, in part or as a whole.
type Refused struct {
	Tenant  string
	Arrival time.Time
	Items   promwire.WriteStats // that the request holds
	Err     error
	// Request holds what was refused, as far as the target named it, or all. It is valid until the callback returns, and
	// nil if the body can't be decoded here.
	Request *promwire.WriteRequest
}

func (o DeliverOptions) withDefaults() DeliverOptions {
	setDefault(&o.JoinBytes, 1<<20)
	setDefault(&o.JoinSamples, 10_000)
	setDefault(&o.MinBackoff, 30*time.Millisecond)
	setDefault(&o.MaxBackoff, 5*time.Second)
	setDefault(&o.MaxRetryAfter, 5*time.Minute)
	o.MaxBackoff = max(o.MaxBackoff, o.MinBackoff)
	return o
}

func setDefault[T ~int | ~int64](v *T, d T) {
	if *v == 0 {
		*v = d
	}
}

// Deliver sends what the spool holds, and what comes, to w until ctx ends or the spool is closed; then it returns nil or
// [ErrClosed]. Another error says that the spool can't be read.
//
// Records go in order, one request at a time; the position moves when the fate of a request is known. If w is a
// [promwire.BodyWriter] it gets bodies as they came, adjacent 1.0 bodies joined, small ones merged; otherwise it gets
// decoded requests, judged by [promwire.Rules]. Tenants are in the context.
//
// Errors that are [promwire.Retryable] are tried again until ctx ends, with growing pauses, or those that the answer
// asks for. Other errors are final. A joined request that is refused as a whole goes out again in its parts, so that
// one does not spoil the others.
func (r *Reader) Deliver(ctx context.Context, w promwire.Writer, o DeliverOptions) error {
	_, err := r.run(ctx, w, o, false)
	return err
}

// Drain sends what the spool holds to w, as Deliver does, and returns when there is no more. If ctx ends before, the
// error wraps that of ctx and the last one of w. It returns what this call has delivered, in either case.
func (r *Reader) Drain(ctx context.Context, w promwire.Writer, o DeliverOptions) (Counts, error) {
	return r.run(ctx, w, o, true)
}

// Drain opens the spool in a folder, drains its reader "default" to w, and closes it: for programs that spool while
// they have no network. The options are those of [Open].
func Drain(ctx context.Context, dir string, w promwire.Writer, opts ...Option) (delivered Counts, err error) {
	s, err := Open(dir, opts...)
	if err != nil {
		return Counts{}, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	r, err := s.Reader("default")
	if err != nil {
		return Counts{}, err
	}
	return r.Drain(ctx, w, DeliverOptions{})
}

func (r *Reader) run(ctx context.Context, w promwire.Writer, o DeliverOptions, drain bool) (Counts, error) {
	if err := r.begin(); err != nil {
		return Counts{}, fmt.Errorf("spool: reader %s: %w", r.name, err)
	}
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(r.spool.ctx, cancel)
	defer func() { stop(); cancel() }()
	before := r.Stats().Delivered
	x := &sender{reader: r, w: w, o: o.withDefaults()}
	x.bodies, _ = w.(promwire.BodyWriter)
	err := x.loop(ctx, drain)
	unknown := x.unknown
	r.end(unknown)
	delivered := r.Stats().Delivered.sub(before)
	switch {
	case err == nil:
		return delivered, nil
	case r.spool.ctx.Err() != nil:
		return delivered, fmt.Errorf("spool: reader %s: %w", r.name, ErrClosed)
	case ctx.Err() != nil && !drain:
		return delivered, nil
	}
	return delivered, fmt.Errorf("spool: reader %s: %w", r.name, err)
}

// begin marks on disk that records may be delivered from now on.
func (r *Reader) begin() error {
	s := r.spool
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return ErrClosed
	case r.removed:
		return ErrRemoved
	case r.busy:
		return ErrBusy
	}
	r.busy, r.maybe = true, math.MaxUint64
	r.save(true)
	s.runs.Add(1)
	return nil
}

// end marks on disk that no record was delivered that is not known to be, up to the number unknown.
func (r *Reader) end(unknown uint64) {
	s := r.spool
	s.mu.Lock()
	defer s.mu.Unlock()
	r.replayUntil = max(r.replayUntil, unknown)
	r.maybe, r.inFlight, r.busy = 0, 0, false
	if r.replayUntil > r.next {
		r.maybe = r.replayUntil
	}
	r.save(true)
	s.runs.Done()
}

// sender delivers records of a reader.
type sender struct {
	reader  *Reader
	w       promwire.Writer
	bodies  promwire.BodyWriter // nil if w is none
	o       DeliverOptions
	d       delivery
	body    promwire.Body
	decoded decodedRequest
	unknown uint64 // number behind records that may have been delivered, when it was interrupted
	last    error
}

func (x *sender) loop(ctx context.Context, drain bool) error {
	for {
		if ctx.Err() != nil {
			return errors.Join(ctx.Err(), x.last)
		}
		arrived := x.reader.spool.arrivals()
		ok, err := x.reader.fetch(&x.d, &x.o)
		switch {
		case err != nil:
			return err
		case ok:
			if err := x.deliver(ctx); err != nil {
				return err
			}
		case drain:
			return nil
		default:
			select {
			case <-arrived:
				x.gather(ctx)
			case <-ctx.Done():
			}
		}
	}
}

// gatherStep is from one look at how much has arrived to the next. With each arrival it would cost more than it is worth.
const gatherStep = 200 * time.Millisecond

// gather waits for more of what arrives.
func (x *sender) gather(ctx context.Context) {
	for left := x.o.Gather; left > 0; left -= gatherStep {
		timer := time.NewTimer(min(left, gatherStep))
		select {
		case <-timer.C:
			if !x.enough() {
				continue
			}
		case <-x.o.Hurry:
		case <-ctx.Done():
		}
		timer.Stop()
		return
	}
}

// enough reports whether what waits is a request that is full.
func (x *sender) enough() bool {
	limit := x.o.JoinSamples
	if x.o.MergeSamples > 0 {
		limit = x.o.MergeSamples
	}
	waiting := x.reader.Stats().Pending
	return waiting.Samples+waiting.Histograms >= uint64(max(limit, 0))
}

// arrivals returns a channel that is closed when a record is appended.
func (s *Spool) arrivals() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.arrived == nil {
		s.arrived = make(chan struct{})
	}
	return s.arrived
}

// deliver finds out the fate of x.d and moves the position. The error is that of ctx.
func (x *sender) deliver(ctx context.Context) error {
	d := &x.d
	err := x.send(ctx, d.pieces, d.body())
	if err != nil && len(d.pieces) > 1 && !isPartial(err) && !interrupted(err) {
		// Somewhere in it is what the target does not like.
		for i := range d.pieces {
			p := d.pieces[i : i+1]
			err = x.send(ctx, p, d.buf[p[0].start:p[0].end])
			if interrupted(err) {
				break
			}
			x.settle(ctx, p, d.buf[p[0].start:p[0].end], err)
		}
	} else if !interrupted(err) {
		x.settle(ctx, d.pieces, d.body(), err)
	}
	if interrupted(err) {
		x.unknown = d.next()
		return err
	}
	x.reader.advance(d)
	return nil
}

func isPartial(err error) bool {
	var partial *promwire.PartialWriteError
	return errors.As(err, &partial)
}

// interruption says that ctx ended before the fate of a request was known.
type interruption struct{ ctx, last error }

func (e *interruption) Error() string   { return fmt.Sprintf("%v; the last attempt: %v", e.ctx, e.last) }
func (e *interruption) Unwrap() []error { return []error{e.ctx, e.last} }

func interrupted(err error) bool {
	var i *interruption
	return errors.As(err, &i)
}

// send sends a request until its fate is known. It returns nil, a final error, or an interruption.
func (x *sender) send(ctx context.Context, pieces []piece, body []byte) error {
	first := &pieces[0]
	if first.tenant != "" {
		ctx = promwire.ContextWithTenant(ctx, first.tenant)
	}
	x.reader.spool.mu.Lock()
	replay := first.number < x.reader.replayUntil
	x.reader.spool.mu.Unlock()
	for pause := x.o.MinBackoff; ; pause = min(2*pause, x.o.MaxBackoff) {
		attempt := ctx
		if replay {
			attempt = promwire.ContextWithReplay(ctx)
		}
		err := x.try(attempt, pieces, body)
		x.reader.tried(err)
		x.last = err
		if err == nil || !promwire.Retryable(err) {
			return err
		}
		replay = true // it may have arrived, and the answer not
		x.reader.spool.config.logger.Warn("spool: delivery failed, will be tried again", "reader", x.reader.name, "err", err)
		if !sleep(ctx, x.pause(pause, err)) {
			return &interruption{ctx.Err(), err}
		}
		x.reader.retried()
	}
}

// pause returns how long to wait after err.
func (x *sender) pause(backoff time.Duration, err error) time.Duration {
	var answer *promwire.HTTPError
	if errors.As(err, &answer) && answer.RetryAfter > 0 {
		return max(min(answer.RetryAfter, x.o.MaxRetryAfter), backoff)
	}
	return backoff - time.Duration(rand.Int64N(int64(backoff)/10+1))
}

// sleep returns false if ctx ended before.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

func (x *sender) try(ctx context.Context, pieces []piece, body []byte) error {
	x.fillBody(pieces, body)
	if x.bodies != nil {
		_, err := x.bodies.WriteBody(ctx, &x.body)
		return err
	}
	return x.decoded.write(ctx, x.w, &x.body)
}

func (x *sender) fillBody(pieces []piece, body []byte) {
	first, size, items := &pieces[0], pieces[0].decoded, promwire.WriteStats{}
	if len(pieces) > 1 {
		size = x.d.size
	}
	for i := range pieces {
		items = items.Add(pieces[i].items)
	}
	x.body.Reset(body, first.encoding, first.message, size)
	x.body.SetStats(items) // so that nobody needs to decompress it to count
	x.body.Compressions = x.reader.spool.config.compressions
	x.body.Rules.AnyFirstSymbol = true // what was taken is sent
}

// settle counts pieces as delivered or refused, and reports the latter.
func (x *sender) settle(ctx context.Context, pieces []piece, body []byte, err error) {
	var counts Counts
	items := promwire.WriteStats{}
	for i := range pieces {
		counts.add(&pieces[i].record)
		items = items.Add(pieces[i].items)
	}
	x.reader.settled(counts, err)
	if err == nil {
		return
	}
	x.reader.spool.config.logger.Warn("spool: refused for good", "reader", x.reader.name, "records", len(pieces), "err", err)
	if x.o.OnRefused == nil && x.o.DeadLetters == nil {
		return
	}
	refused := Refused{Tenant: pieces[0].tenant, Arrival: pieces[0].arrival(), Items: items, Err: err}
	x.fillBody(pieces, body)
	refused.Request = x.decoded.refused(&x.body, err)
	if x.o.OnRefused != nil {
		x.o.OnRefused(refused)
	}
	if x.o.DeadLetters != nil {
		x.bury(ctx, &refused, counts.Records)
	}
}

var errNotDecoded = errors.New("the body can't be decoded here")

func (x *sender) bury(ctx context.Context, refused *Refused, records uint64) {
	err := errNotDecoded
	if refused.Request != nil {
		if refused.Tenant != "" {
			ctx = promwire.ContextWithTenant(ctx, refused.Tenant)
		}
		_, err = x.o.DeadLetters.Write(ctx, refused.Request)
	}
	if err != nil {
		x.reader.spool.config.logger.Error("spool: dead letters not taken", "reader", x.reader.name, "err", err)
		x.reader.notBuried(records)
	}
}

// advance moves the reader behind d.
func (r *Reader) advance(d *delivery) {
	s := r.spool
	s.mu.Lock()
	defer s.mu.Unlock()
	r.inFlight = 0
	if next := d.next(); r.next < next { // otherwise the segment was dropped meanwhile
		r.next, r.offset = next, d.offset
		r.passed = r.passed.Add(d.counts)
	}
	r.save(false)
	s.collect()
	s.expire(time.Now())
}

func (r *Reader) tried(err error) {
	r.spool.mu.Lock()
	defer r.spool.mu.Unlock()
	r.stats.Requests++
	r.stats.LastError = ""
	if err != nil {
		r.stats.LastError = err.Error()
	}
}

func (r *Reader) retried() {
	r.spool.mu.Lock()
	defer r.spool.mu.Unlock()
	r.stats.Retries++
	r.spool.expire(time.Now())
}

func (r *Reader) settled(c Counts, err error) {
	r.spool.mu.Lock()
	defer r.spool.mu.Unlock()
	if err == nil {
		r.stats.Delivered = r.stats.Delivered.Add(c)
	} else {
		r.stats.Refused = r.stats.Refused.Add(c)
	}
}

func (r *Reader) notBuried(records uint64) {
	r.spool.mu.Lock()
	defer r.spool.mu.Unlock()
	r.stats.DeadLettersFailed += records
}
