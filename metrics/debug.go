package metrics

import (
	"context"
	"io"
	"strconv"
	"sync"

	"github.com/promwire/promwire"
)

// DebugOption is an option of [NewDebugWriter].
type DebugOption func(*promwire.TextOptions)

// WithTimestamps prints the time of each value, in milliseconds since the Unix epoch.
func WithTimestamps() DebugOption {
	return func(o *promwire.TextOptions) { o.Timestamps = true }
}

// NewDebugWriter returns a Writer that prints each request to out, and then passes it on to next. If next is nil, it
// only prints, and all counts as written. It is safe for concurrent use: a request is one Write to out.
//
// A request is a line with its number, from 1 on, and the text of [promwire.WriteRequest.AppendText]; an empty
// line stands between requests:
//
//	[DEBUG] remote_write_req_seq: 1
//	# TYPE billing_orders_total counter
//	billing_orders_total 85
//
// It returns what next returns; errors of out matter only if there is no next.
func NewDebugWriter(out io.Writer, next promwire.Writer, opts ...DebugOption) promwire.Writer {
	d := &debugWriter{out: out, next: next}
	for _, o := range opts {
		o(&d.text)
	}
	return d
}

type debugWriter struct {
	out  io.Writer
	next promwire.Writer
	text promwire.TextOptions

	mu  sync.Mutex
	seq uint64
	buf []byte
}

// Write implements promwire.Writer.
func (d *debugWriter) Write(ctx context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	err := d.print(req)
	if d.next != nil {
		return d.next.Write(ctx, req)
	}
	if err != nil {
		return promwire.WriteStats{}, err
	}
	return req.Stats(), nil
}

func (d *debugWriter) print(req *promwire.WriteRequest) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.buf = d.buf[:0]
	if d.seq > 0 {
		d.buf = append(d.buf, '\n')
	}
	d.seq++
	d.buf = strconv.AppendUint(append(d.buf, "[DEBUG] remote_write_req_seq: "...), d.seq, 10)
	d.buf = req.AppendText(append(d.buf, '\n'), d.text)
	_, err := d.out.Write(d.buf)
	return err
}
