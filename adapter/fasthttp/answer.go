package promfasthttp

import (
	"errors"
	"io"
	"iter"
	"net/http"
)

// Errors of answers.
var (
	errGone   = errors.New("the client takes no more of the answer")
	errBroken = errors.New("the answer broke off")
)

// answer is the body of a response: a handler that runs as far as what it writes is asked for. fasthttp reads it after
// its own handler has returned.
type answer struct {
	x     *exchange
	next  func() ([]byte, bool)
	stop  func()
	piece []byte // of the handler's, until next is called
	more  bool
}

// newAnswer lets h run up to the first bytes that have to be sent. If it ends before, the answer is nil, and what it wrote
// is in x.
func newAnswer(x *exchange, h http.Handler) *answer {
	a := &answer{x: x}
	a.next, a.stop = iter.Pull(func(yield func([]byte) bool) {
		x.yield = yield
		x.run(h)
		if x.begun && !x.failed {
			_ = x.FlushError() // if the client has gone, nobody misses it
		}
	})
	if a.piece, a.more = a.next(); !a.more {
		return nil
	}
	return a
}

// WriteTo implements [io.WriterTo]. Each piece is sent from the handler's memory.
func (a *answer) WriteTo(w io.Writer) (int64, error) {
	var sent int64
	for a.more {
		n, err := w.Write(a.piece)
		sent += int64(n)
		if err != nil {
			return sent, err
		}
		a.piece, a.more = a.next()
	}
	return sent, a.err()
}

// SupportsBodyWriteTo lets fasthttp use WriteTo, which sends what the handler writes as it is, instead of Read, which
// cuts it into chunks of 4 KiB.
func (a *answer) SupportsBodyWriteTo() bool { return true }

// Read implements [io.Reader], for middleware.
func (a *answer) Read(p []byte) (int, error) {
	for a.more && len(a.piece) == 0 {
		a.piece, a.more = a.next()
	}
	if !a.more {
		if err := a.err(); err != nil {
			return 0, err
		}
		return 0, io.EOF
	}
	n := copy(p, a.piece)
	a.piece = a.piece[n:]
	return n, nil
}

func (a *answer) err() error {
	if a.x.failed {
		return errBroken
	}
	return nil
}

// Close ends the handler, if it has not ended: to it, the client is gone.
func (a *answer) Close() error {
	a.stop()
	a.more = false
	return nil
}
