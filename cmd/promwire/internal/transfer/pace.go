package transfer

import (
	"context"
	"strconv"
	"time"
)

// Pace bounds a rate. It is not safe for concurrent use.
type Pace struct {
	perSecond float64
	next      time.Time // when the next may come
	now       func() time.Time
	sleep     func(context.Context, time.Duration) error
}

// NewPace returns one for so many samples in a second; nil, which does not wait, for 0.
func NewPace(perSecond float64) *Pace {
	if perSecond <= 0 {
		return nil
	}
	return &Pace{perSecond: perSecond, now: time.Now, sleep: sleep}
}

// Wait waits until n samples may be sent.
func (p *Pace) Wait(ctx context.Context, n int) error {
	if p == nil {
		return ctx.Err()
	}
	now := p.now()
	if p.next.Before(now) {
		p.next = now
	}
	wait := p.next.Sub(now)
	p.next = p.next.Add(time.Duration(float64(n) / p.perSecond * float64(time.Second)))
	if wait <= 0 {
		return ctx.Err()
	}
	return p.sleep(ctx, wait)
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// FormatTime returns milliseconds as a time.
func FormatTime(ms int64) string {
	t := time.UnixMilli(ms).UTC()
	if y := t.Year(); y < 0 || y > 9999 {
		return strconv.FormatInt(ms, 10) + " ms"
	}
	return t.Format("2006-01-02T15:04:05.000Z")
}
