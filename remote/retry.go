package remote

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/promwire/promwire"
)

// Defaults of [RetryOptions].
const (
	DefaultMinBackoff    = 30 * time.Millisecond
	DefaultMaxBackoff    = 5 * time.Second
	DefaultMaxAttempts   = 4
	DefaultMaxElapsed    = 30 * time.Second
	DefaultMaxRetryAfter = 5 * time.Minute
)

// RetryOptions say when, and how often, a [WriteClient] sends the same request again after a failure that may pass.
// Which failures may, [promwire.Retryable] decides: no answer, 408, 429, and 5xx without 501 and 505. Any other answer
// is final: the same request is never sent again. A certificate of the receiver that does not hold may be replaced one day, but
// not while Write waits: it ends Write at once, with an error that is retryable nevertheless.
//
// Write never waits longer than its context allows: if the next pause would not end in time, it returns the failure at
// once. A field that is 0 has its default.
type RetryOptions struct {
	// MinBackoff is the first pause; each further one is twice as long, up to MaxBackoff, give or take up to 5 %.
	// Defaults 30 ms and 5 s.
	MinBackoff, MaxBackoff time.Duration
	// MaxAttempts bounds how often a request is sent in all. Default 4, negative for no bound.
	MaxAttempts int
	// MaxElapsed bounds the time from the beginning of Write to the end of the last pause. Default 30 s, negative for no
	// bound but the context's.
	MaxElapsed time.Duration
	// MaxRetryAfter is the longest pause that a receiver can ask for, by a Retry-After header with 429 or 5xx, in
	// seconds or as a date: it replaces the backoff if it is within bounds, and is cut to this otherwise. Default 5 min.
	MaxRetryAfter time.Duration
	// ReturnRateLimit makes 429 a failure that is returned at once. By default it is retried as others are.
	ReturnRateLimit bool
	// OnRetry, if set, is called before each pause, by the goroutine that called Write.
	OnRetry func(Retry)
}

// Retry is one decision to send a request again.
type Retry struct {
	// Attempt is the number of the attempt to come, 1 for the first one that repeats something; it is sent in the
	// Retry-Attempt header.
	Attempt int
	// Wait is the pause before it.
	Wait time.Duration
	// Reason is why: "no answer", "answer 503" and so on.
	Reason string
	// Err is the failure.
	Err error
}

// WithRetry sets how failures that may pass are retried. The default is that of RetryOptions{}: up to four attempts
// within 30 seconds, enough for a connection that was reset or a receiver that restarts quickly. Pass more for a program
// whose only delivery this is; pass [WithoutRetry] below a queue or a spool, which repeat on their own.
func WithRetry(o RetryOptions) WriteOption {
	return writeOption(func(c *WriteClient) error {
		if o.MinBackoff < 0 || o.MaxBackoff < 0 || o.MaxRetryAfter < 0 {
			return errors.New("remote: WithRetry: MinBackoff, MaxBackoff and MaxRetryAfter must not be negative")
		}
		o = o.withDefaults()
		if o.MinBackoff > o.MaxBackoff {
			return fmt.Errorf("remote: WithRetry: MinBackoff %v is longer than MaxBackoff %v", o.MinBackoff, o.MaxBackoff)
		}
		c.retry = o
		return nil
	})
}

// WithoutRetry makes every failure one that is returned at once.
func WithoutRetry() WriteOption { return WithRetry(RetryOptions{MaxAttempts: 1}) }

func (o RetryOptions) withDefaults() RetryOptions {
	o.MinBackoff = orDefault(o.MinBackoff, min(DefaultMinBackoff, orDefault(o.MaxBackoff, DefaultMinBackoff)))
	o.MaxBackoff = orDefault(o.MaxBackoff, max(DefaultMaxBackoff, o.MinBackoff))
	o.MaxAttempts = orDefault(o.MaxAttempts, DefaultMaxAttempts)
	o.MaxElapsed = orDefault(o.MaxElapsed, DefaultMaxElapsed)
	o.MaxRetryAfter = orDefault(o.MaxRetryAfter, DefaultMaxRetryAfter)
	return o
}

func orDefault[T int | time.Duration](v, byDefault T) T {
	if v == 0 {
		return byDefault
	}
	return v
}

// retrier is the one place that tells when a request of one Write is sent again, and whether at all.
type retrier struct {
	RetryOptions
	begun   time.Time
	attempt int // number of the attempt at hand, from 0
	backoff time.Duration
}

func (o RetryOptions) begin() retrier {
	return retrier{RetryOptions: o, begun: time.Now(), backoff: o.MinBackoff}
}

// next decides after the failure err of an attempt. ok says that there is another one, after r.Wait.
func (r *retrier) next(ctx context.Context, err error) (retry Retry, ok bool) {
	var answer *promwire.HTTPError
	var untrusted *tls.CertificateVerificationError
	answered := errors.As(err, &answer)
	switch {
	case !promwire.Retryable(err):
		return retry, false // the same request would fail again
	case errors.As(err, &untrusted):
		return retry, false // pauses like these make no certificate good; queues and spools, which wait longer, send it again
	case ctx.Err() != nil:
		return retry, false // nobody waits any more
	case answered && answer.StatusCode == http.StatusTooManyRequests && r.ReturnRateLimit:
		return retry, false // somebody above keeps the rate
	case r.MaxAttempts > 0 && r.attempt+1 >= r.MaxAttempts:
		return retry, false
	}
	retry = Retry{Attempt: r.attempt + 1, Wait: jitter(r.backoff, -1), Reason: reasonOf(answer), Err: err}
	if answered && answer.RetryAfter > 0 && answer.StatusCode != http.StatusRequestTimeout {
		// Never earlier than asked for, and not all senders at once.
		retry.Wait = jitter(min(answer.RetryAfter, r.MaxRetryAfter), +1)
	}
	if r.MaxElapsed > 0 && time.Since(r.begun)+retry.Wait > r.MaxElapsed {
		return retry, false
	}
	if deadline, bound := ctx.Deadline(); bound && time.Until(deadline) <= retry.Wait {
		return retry, false // the caller gets the failure while there is time to act on it
	}
	r.attempt++
	r.backoff = min(2*r.backoff, r.MaxBackoff)
	return retry, true
}

// maxJitter is the part of a pause by which it varies.
const maxJitter = 0.05

// jitter makes d longer by up to 5 %, or with sign -1 longer or shorter.
func jitter(d time.Duration, sign float64) time.Duration {
	span := maxJitter * float64(d) * rand.Float64() //nolint:gosec // spreads load, keeps no secret
	if sign < 0 && rand.IntN(2) == 0 {              //nolint:gosec // as above
		span = -span
	}
	return d + time.Duration(span)
}

func reasonOf(answer *promwire.HTTPError) string {
	if answer == nil {
		return "no answer"
	}
	return fmt.Sprintf("answer %d", answer.StatusCode)
}

// pause waits, and returns the error of ctx if that ends first.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
