package remote

import (
	"context"
	"errors"
	"io"
	"time"
)

// patientBody is the body of an answer whose request is cancelled if the server makes no progress for a while. The
// clock runs only while somebody waits for the server.
type patientBody struct {
	ctx    context.Context // of the request
	cancel context.CancelCauseFunc
	body   io.ReadCloser // nil before the answer
	limit  time.Duration
	late   error
	timer  *time.Timer // nil without a limit
}

func newPatientBody(ctx context.Context, limit time.Duration, late error) *patientBody {
	b := &patientBody{limit: limit, late: late}
	b.ctx, b.cancel = context.WithCancelCause(ctx)
	return b
}

// wait starts the clock.
func (b *patientBody) wait() {
	switch {
	case b.limit == 0:
	case b.timer == nil:
		b.timer = time.AfterFunc(b.limit, func() { b.cancel(b.late) })
	default:
		b.timer.Reset(b.limit)
	}
}

// rest stops the clock.
func (b *patientBody) rest() {
	if b.timer != nil {
		b.timer.Stop()
	}
}

// Read implements io.Reader.
func (b *patientBody) Read(dst []byte) (int, error) {
	b.wait()
	defer b.rest()
	return b.body.Read(dst)
}

// reason returns why the request really failed: net/http says so in most places, but not in all.
func (b *patientBody) reason(err error) error {
	if errors.Is(context.Cause(b.ctx), b.late) {
		return b.late
	}
	return err
}

// Close ends the request. What is left of the answer is not read.
func (b *patientBody) Close() {
	b.rest()
	if b.body != nil {
		_ = b.body.Close()
	}
	b.cancel(nil)
}
