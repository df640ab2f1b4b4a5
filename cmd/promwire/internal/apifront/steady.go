package apifront

import (
	"context"
	"net/http"
	"time"
)

const (
	// ClientPause is how long a client may take nothing of an answer, which is held in memory, or holds a place, until it is
	// sent.
	ClientPause = time.Minute
	// PieceBytes is how much of an answer has that time.
	PieceBytes = 64 << 10
)

// Steady ends an answer whose client takes nothing of it for a while, and a long one when ctx ends.
type Steady struct {
	http.ResponseWriter
	ctx     context.Context
	control *http.ResponseController
	pause   time.Duration
	sent    int
}

// NewSteady gives the client of w this time for each piece.
func NewSteady(ctx context.Context, w http.ResponseWriter, pause time.Duration) *Steady {
	return &Steady{w, ctx, http.NewResponseController(w), pause, 0}
}

// WriteHeader implements [http.ResponseWriter]. What is said before the answer (1xx) is dropped: proxies pass on all headers of it.
func (s *Steady) WriteHeader(status int) {
	if status >= http.StatusOK {
		s.ResponseWriter.WriteHeader(status)
	}
}

// Write implements [http.ResponseWriter]. Each piece has its own time.
func (s *Steady) Write(b []byte) (n int, err error) {
	if s.sent+len(b) > PieceBytes { // no mere error, which is due when ctx has ended
		defer context.AfterFunc(s.ctx, func() { _ = s.control.SetWriteDeadline(time.Unix(1, 0)) })()
	}
	for first := true; first || len(b) > 0; first = false {
		if s.sent > PieceBytes && s.ctx.Err() != nil {
			return n, s.ctx.Err()
		}
		piece := b[:min(len(b), PieceBytes)]
		_ = s.control.SetWriteDeadline(time.Now().Add(s.pause)) // what can't do that bounds clients itself, or not
		m, err := s.ResponseWriter.Write(piece)
		s.sent += m
		if n += m; err != nil {
			return n, err
		}
		b = b[m:]
	}
	return n, nil
}

// End lets the connection serve the next request without a deadline.
func (s *Steady) End() { _ = s.control.SetWriteDeadline(time.Time{}) }

// Unwrap is for [http.ResponseController].
func (s *Steady) Unwrap() http.ResponseWriter { return s.ResponseWriter }
