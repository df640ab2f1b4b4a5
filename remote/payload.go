package remote

import (
	"errors"
	"io"
	"sync"
	"sync/atomic"

	"github.com/promwire/promwire/internal/xcompress"
)

// payload is an encoded request in pooled memory. net/http may read a request's body even after it has returned an
// answer or an error, so the memory goes back to the pool when the last of its readers is closed, not when the
// request is over. A transport that never closes a body costs the pool that one payload.
type payload struct {
	message    []byte // scratch for the message before compression
	compressed []byte
	refs       atomic.Int32 // the owner's, and one per open reader
}

var payloads = sync.Pool{New: func() any { return new(payload) }}

// newPayload returns an empty payload; the caller releases it.
func newPayload() *payload {
	p := payloads.Get().(*payload)
	p.message, p.compressed = p.message[:0], p.compressed[:0]
	p.refs.Store(1)
	return p
}

// compress makes the body from the message.
func (p *payload) compress() { p.compressed = xcompress.AppendSnappy(p.compressed[:0], p.message) }

// release gives up one reference.
func (p *payload) release() {
	if p.refs.Add(-1) == 0 {
		payloads.Put(p)
	}
}

// reader returns a new reader of the compressed body. The caller holds a reference while it asks.
func (p *payload) reader() io.ReadCloser {
	p.refs.Add(1)
	return &payloadReader{payload: p}
}

var errBodyClosed = errors.New("remote: request body read after close")

// payloadReader is a request body. It is never reused: transports close bodies more than once, and a late Close must
// not hit the next user of the memory. Close waits for a concurrent Read.
type payloadReader struct {
	mu      sync.Mutex
	payload *payload // nil once closed
	offset  int
}

// Read implements io.Reader.
func (r *payloadReader) Read(dst []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.payload == nil {
		return 0, errBodyClosed
	}
	if r.offset == len(r.payload.compressed) {
		return 0, io.EOF
	}
	n := copy(dst, r.payload.compressed[r.offset:])
	r.offset += n
	return n, nil
}

// Close implements io.Closer.
func (r *payloadReader) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.payload != nil {
		r.payload.release()
		r.payload = nil
	}
	return nil
}
