package remote

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/promwire/promwire"
)

// DefaultWriteTimeout bounds one write request, see [WithTimeout].
const DefaultWriteTimeout = 30 * time.Second

// WriteClient sends remote-write requests to one endpoint; it is a [promwire.Writer]. It is safe for concurrent use.
//
// Unless [WithMessageType] pins the message, it sends Remote Write 2.0 and falls back to 1.0: the same data go out once
// more as 1.0 if the receiver answers 415, or 2xx without Written headers or with zeros in all of them (a receiver that
// understood nothing), or, as long as it has never shown a Written header, 400 without them. If that shows that the
// receiver wants 1.0, the client stays with it for an hour before it tries 2.0 again.
//
// Over 1.0, start timestamps are lost, and metadata of series go out as family metadata. A request with family metadata
// of its own goes out as 1.0 in any case, unless 2.0 is pinned: only 1.0 has a place for them.
type WriteClient struct {
	endpoint
	pinned  promwire.MessageType // "" if the message is negotiated
	choice  choice
	headers [2]http.Header // for 1.0, for 2.0
	now     func() time.Time
}

var _ promwire.Writer = (*WriteClient)(nil)

// NewWriteClient makes a client for a remote-write URL, such as http://host:9090/api/v1/write. It fails if the URL is
// not absolute or an option is invalid; it does not connect.
func NewWriteClient(url string, opts ...WriteOption) (*WriteClient, error) {
	e, err := newEndpoint(url, DefaultWriteTimeout)
	if err != nil {
		return nil, err
	}
	c := &WriteClient{endpoint: e, now: time.Now}
	for _, o := range opts {
		if err := o.applyWrite(c); err != nil {
			return nil, err
		}
	}
	c.finish()
	for i, t := range []promwire.MessageType{promwire.WriteV1, promwire.WriteV2} {
		h := c.header.Clone()
		h.Set("Content-Type", t.ContentType())
		h.Set("Content-Encoding", promwire.EncodingSnappy)
		h.Set(promwire.HeaderWriteVersion, t.Version())
		c.headers[i] = h
	}
	return c, nil
}

// MessageType returns the message that the next Write tries first.
func (c *WriteClient) MessageType() promwire.MessageType {
	if c.pinned != "" {
		return c.pinned
	}
	return c.choice.message(c.now())
}

// Write sends req as one POST, or two if the message has to be negotiated, and returns what the receiver says it has
// written: its counts in 2.0; everything in 1.0, where 2xx is all it says. A request without series and metadata is
// not sent. 202, with which some receivers answer for a replica whose samples they do not need, is success.
//
// Errors:
//   - any other status than 2xx is a [*promwire.HTTPError], reachable with errors.As. Redirects are followed if they
//     keep method and body (307, 308), and are an error otherwise;
//   - if the receiver has written a part, it is inside a [*promwire.PartialWriteError], which names no series: the
//     receiver gives counts only;
//   - native histograms with custom buckets have no form in 1.0. They are refused ([promwire.ErrInvalidHistogram] in a
//     PartialWriteError that names them), and the rest is sent;
//   - a receiver that answers 2xx to a pinned 2.0 message and has written nothing: [promwire.ErrUnsupported];
//   - when ctx ends, the error wraps ctx.Err(). The receiver may have written the data.
func (c *WriteClient) Write(ctx context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	if len(req.Timeseries) == 0 && len(req.Metadata) == 0 {
		return promwire.WriteStats{}, ctx.Err()
	}
	t, free := c.messageFor(req)
	first := c.attempt(ctx, req, t, free)
	if first.action != otherFormat {
		return first.stats, first.err
	}
	other := promwire.WriteV1
	if t == promwire.WriteV1 {
		other = promwire.WriteV2
	}
	second := c.attempt(ctx, req, other, false)
	c.remember(other, first, second)
	if second.err != nil && second.stats == (promwire.WriteStats{}) {
		second.err = fmt.Errorf("%w (as %s; as %s before: %s)", second.err, other, t, first.err.Error())
	}
	return second.stats, second.err
}

// messageFor returns the message to send req with, and whether the other one may be tried.
func (c *WriteClient) messageFor(req *promwire.WriteRequest) (t promwire.MessageType, free bool) {
	if c.pinned == "" && len(req.Metadata) > 0 {
		return promwire.WriteV1, false
	}
	return c.MessageType(), c.pinned == ""
}

// remember keeps the message that the second attempt has shown to be the right one.
func (c *WriteClient) remember(second promwire.MessageType, was, is outcome) {
	took := is.status/100 == 2 && is.action != notStored
	switch {
	case second == promwire.WriteV2 && took:
		c.choice.keepV2()
	case second == promwire.WriteV1 && (took || was.noV2 && is.status != 0 && is.status != http.StatusUnsupportedMediaType):
		c.choice.keepV1(c.now())
	}
}

// outcome is what one attempt came to.
type outcome struct {
	verdict
	status int // 0 if there was no answer
	stats  promwire.WriteStats
	err    error
}

// attempt sends req once, as message t.
func (c *WriteClient) attempt(ctx context.Context, req *promwire.WriteRequest, t promwire.MessageType, free bool) outcome {
	p := newPayload()
	defer p.release()
	sent, unfit, err := p.encode(req, t)
	if err != nil {
		return outcome{verdict: verdict{action: refused}, err: fmt.Errorf("remote write: %w", err)}
	}
	out := outcome{}
	if len(p.message) > 0 {
		out = c.send(ctx, p, answer{message: t, sent: sent, free: free})
	}
	if out.err == nil && len(unfit) > 0 {
		out.err = &promwire.PartialWriteError{Written: out.stats, Refused: unfit}
	}
	return out
}

// send posts p and judges the answer; a says what was sent.
func (c *WriteClient) send(ctx context.Context, p *payload, a answer) outcome {
	limited, cancel := ctx, func() {}
	if c.timeout > 0 {
		limited, cancel = context.WithTimeoutCause(ctx, c.timeout, c.late)
	}
	defer cancel()
	header := c.headers[0]
	if a.message == promwire.WriteV2 {
		header = c.headers[1]
	}
	resp, err := c.post(limited, header, p) //nolint:bodyclose // discard closes it
	if err != nil {
		return outcome{verdict: verdict{action: refused}, err: c.failed(ctx, "write", err)}
	}
	defer discard(resp.Body)
	a.status = resp.StatusCode
	a.written = parseWritten(resp.Header, a.sent, a.status/100 == 2)
	if a.message == promwire.WriteV2 && a.written.present {
		c.choice.knowsV2.Store(true)
	}
	a.knowsV2 = c.choice.knowsV2.Load()
	out := outcome{verdict: judge(a), status: a.status}
	out.stats, err = c.result(out.action, a, resp)
	if err != nil {
		out.err = c.named("write", err)
	}
	return out
}

// result turns what was decided into what Write returns.
func (c *WriteClient) result(act action, a answer, resp *http.Response) (promwire.WriteStats, error) {
	var err error
	if a.status/100 != 2 {
		err = httpError(resp, c.now())
	}
	switch act {
	case accepted:
		return a.sent, nil
	case partly:
		if err == nil {
			err = fmt.Errorf("receiver answered %d, but has not written all of %d samples, %d histograms, %d exemplars",
				a.status, a.sent.Samples, a.sent.Histograms, a.sent.Exemplars)
		}
		return a.written.WriteStats, &promwire.PartialWriteError{Written: a.written.WriteStats, Err: err}
	}
	if err == nil {
		err = fmt.Errorf("%w: receiver answered %d and has written nothing of the %s message: it probably speaks 1.0 only, "+
			"so pin promwire.WriteV1, or pin nothing", promwire.ErrUnsupported, a.status, a.message)
	}
	return promwire.WriteStats{}, err
}
