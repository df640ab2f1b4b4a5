package server

import (
	"cmp"
	"net/http"
	"strings"
	"time"

	"github.com/promwire/promwire"
)

// patience is how long a client may take nothing of an answer before it is given up; its place among the concurrent
// reads would be lost to others for as long as it holds the connection.
const patience = time.Minute

// responder is a [http.ResponseWriter] that remembers whether the answer has begun, and gives up clients that have
// stopped reading.
type responder struct {
	w        http.ResponseWriter
	control  *http.ResponseController
	budget   *budget // stands still during writes
	begun    bool
	stream   bool // the answer is one
	sent     int  // bytes
	complete bool
	failure  string // of an answer that is not complete; "" if the storage panicked
}

// end takes the deadline back, which would outlive the request on a connection that is kept. After an answer that is not
// complete, no more is written to the connection, or to the stream of HTTP/2. The panic alone is not enough: some
// frameworks, gin among them, recover from [http.ErrAbortHandler] too, and net/http would end the answer as a whole one.
func (r *responder) end() {
	if !r.begun {
		return
	}
	var deadline time.Time
	if !r.complete {
		r.breakOff()
		deadline = time.Unix(1, 0)
	}
	_ = r.control.SetWriteDeadline(deadline) // not every server has deadlines
}

func (r *responder) Header() http.Header { return r.w.Header() }

// Write implements io.Writer.
func (r *responder) Write(p []byte) (int, error) {
	r.budget.stop()
	defer r.budget.start()
	return r.write(p)
}

func (r *responder) write(p []byte) (int, error) {
	r.begun = true
	_ = r.control.SetWriteDeadline(time.Now().Add(patience)) // not every server has deadlines
	n, err := r.w.Write(p)
	r.sent += n
	return n, err
}

// writeFrames sends whole frames of a stream.
func (r *responder) writeFrames(p []byte) error {
	if !r.stream {
		// The value has a blank, and readers compare it byte for byte.
		r.Header().Set("Content-Type", promwire.ContentTypeStream)
		r.stream = true
	}
	r.budget.stop()
	defer r.budget.start()
	if _, err := r.write(p); err != nil {
		return err
	}
	// Where nothing can be flushed, the answer is as right, only later.
	_ = r.control.Flush()
	return nil
}

// maxBrokenFrame is less than the frame that begins with "e", a length of 101: length, checksum and message.
const maxBrokenFrame = 105

// breakOff ends a stream that is not complete by a frame that is cut off, and that reads as the reason: whoever gets to
// see the end of the stream, but not that of the connection, must not take what came before for the whole. That
// happens with HTTP/1.0, and behind proxies.
func (r *responder) breakOff() {
	if !r.stream {
		return
	}
	frame := "error: " + cut(cmp.Or(r.failure, "panic of the storage"), maxBrokenFrame)
	frame = strings.ToValidUTF8(frame[:min(len(frame), maxBrokenFrame)], "")
	_, _ = r.write([]byte(frame)) // the client may have gone, which is as good
	_ = r.control.Flush()
}
