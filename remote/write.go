package remote

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/promwire/promwire"
)

// DefaultWriteTimeout bounds one write request, see [WithTimeout].
const DefaultWriteTimeout = 30 * time.Second

// WriteClient sends remote-write requests to one endpoint; it is a [promwire.Writer] and a [promwire.BodyWriter]. It is
// safe for concurrent use.
//
// Unless [WithMessageType] pins the message, it sends Remote Write 2.0 and falls back to 1.0: the same data go out once
// more as 1.0 if the receiver answers 415, or 2xx without Written headers or with zeros in all of them (a receiver that
// understood nothing), or, as long as it has never shown a Written header, 400 without them. Likewise it falls back from
// the encoding of [WithCompression] to snappy: on 415, and on 400 as long as the receiver has never taken that encoding.
// If that shows what the receiver wants, the client stays with it for an hour before it tries again what it prefers;
// [WriteClient.State] tells.
//
// Failures that may pass are retried for a short while, see [WithRetry].
//
// Over 1.0, start timestamps are lost, and metadata of series go out as family metadata. A request with family metadata
// of its own goes out as 1.0 in any case, unless 2.0 is pinned: only 1.0 has a place for them.
type WriteClient struct {
	endpoint
	pinned      promwire.MessageType // "" if the message is negotiated
	compression promwire.Compression
	retry       RetryOptions
	choice      choice
	counts      writeCounts
	now         func() time.Time
	// The headers for 1.0 and for 2.0, in snappy and in the preferred encoding.
	snappy, compressed [2]http.Header
}

var (
	_ promwire.Writer     = (*WriteClient)(nil)
	_ promwire.BodyWriter = (*WriteClient)(nil)
)

// NewWriteClient makes a client for a remote-write URL, such as http://host:9090/api/v1/write. It fails if the URL is
// not absolute or an option is invalid; it does not connect.
func NewWriteClient(url string, opts ...WriteOption) (*WriteClient, error) {
	e, err := newEndpoint(url, DefaultWriteTimeout)
	if err != nil {
		return nil, err
	}
	c := &WriteClient{
		endpoint: e, compression: promwire.Snappy, retry: RetryOptions{}.withDefaults(), now: time.Now,
	}
	for _, o := range opts {
		if err := o.applyWrite(c); err != nil {
			return nil, err
		}
	}
	if err := c.finish(); err != nil {
		return nil, err
	}
	for i, t := range []promwire.MessageType{promwire.WriteV1, promwire.WriteV2} {
		c.snappy[i] = c.formatHeaders(format{t, promwire.Snappy})
		c.compressed[i] = c.formatHeaders(format{t, c.compression})
	}
	return c, nil
}

// MessageType returns the message that the next Write tries first.
func (c *WriteClient) MessageType() promwire.MessageType {
	if c.pinned != "" {
		return c.pinned
	}
	return c.choice.message(c.now(), promwire.WriteV2)
}

// Write sends req as one POST, more if the format has to be negotiated or a failure is retried, and returns what the
// receiver says it has written: its counts in 2.0; everything in 1.0, where 2xx is all it says. A request without series
// and metadata is not sent. 202, with which some receivers answer for a replica whose samples they do not need, is
// success.
//
// Errors:
//   - any other status than 2xx is a [*promwire.HTTPError], reachable with errors.As. Redirects are followed if they
//     keep method and body (307, 308), and are an error otherwise;
//   - if the receiver has written a part, it is inside a [*promwire.PartialWriteError], which names no series: the
//     receiver gives counts only;
//   - native histograms with custom buckets have no form in 1.0. They are refused ([promwire.ErrInvalidHistogram] in a
//     PartialWriteError that names them), and the rest is sent;
//   - a receiver that answers 2xx to a pinned 2.0 message and has written nothing: [ErrNothingWritten], which is a
//     [promwire.ErrUnsupported];
//   - when ctx ends, the error wraps ctx.Err(). The receiver may have written the data.
//
// [promwire.Retryable] tells whether the same request may succeed later.
func (c *WriteClient) Write(ctx context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	if len(req.Timeseries) == 0 && len(req.Metadata) == 0 {
		return promwire.WriteStats{}, ctx.Err()
	}
	f, free := c.format(promwire.WriteV2, c.compression)
	if c.pinned == "" && len(req.Metadata) > 0 {
		f.message, free.message = promwire.WriteV1, false
	}
	return c.deliver(ctx, requestSource{req}, f, free)
}

// WriteBody is Write for a request that is encoded already. It goes out as it is if the endpoint takes its message and,
// unless [WithCompression] asks for another one, its encoding is snappy; it is decoded only to be counted, which
// [promwire.Body.SetStats] spares. Otherwise it is compressed anew or, for an endpoint that takes the other message only,
// decoded, judged by its rules and encoded as that message. 2.0 has no place for metadata of families without series:
// they are lost.
//
// Errors are as for Write; one that wraps a [*promwire.DecodeError] says that the body is malformed.
func (c *WriteClient) WriteBody(ctx context.Context, b *promwire.Body) (promwire.WriteStats, error) {
	if len(b.Encoded) == 0 {
		return promwire.WriteStats{}, ctx.Err()
	}
	f, free := c.format(b.Type, c.compression)
	return c.deliver(ctx, &bodySource{body: b}, f, free)
}

// format returns what to try first, and what of it may be changed.
func (c *WriteClient) format(want promwire.MessageType, compression promwire.Compression) (format, freedom) {
	now := c.now()
	f := format{message: c.pinned, compression: c.choice.compression(now, compression)}
	if f.message == "" {
		f.message = c.choice.message(now, want)
	}
	return f, freedom{message: c.pinned == "", encoding: f.compressed()}
}

// maxFormats is how many formats one request can go out in: the preferred one, another encoding, another message.
const maxFormats = 3

// deliver sends s until it is delivered, or refused in every format that it may have.
func (c *WriteClient) deliver(ctx context.Context, s source, f format, free freedom) (promwire.WriteStats, error) {
	var attempts [maxFormats]tried
	all, again := attempts[:0], c.retry.begin()
	for {
		out := c.attempt(ctx, s, f, free, &again)
		all = append(all, tried{f, out})
		switch out.action {
		case otherMessage:
			f.message, free.message = other(f.message), false
		case otherEncoding:
			f.compression, free.encoding = promwire.Snappy, false
		default:
			c.choice.learn(c.now(), all)
			return c.outcome(all)
		}
		c.counts.fellBack()
		c.log(ctx, slog.LevelInfo, "remote write: endpoint refused the format, sending the same data in another one",
			"status", out.status, "now", f.String())
	}
}

// outcome is what Write returns after these attempts.
func (c *WriteClient) outcome(all []tried) (promwire.WriteStats, error) {
	last := all[len(all)-1]
	if last.err != nil && last.stats == (promwire.WriteStats{}) && len(all) > 1 {
		return last.stats, fmt.Errorf("%w (%s)", last.err, formatsOf(all))
	}
	return last.stats, last.err
}

func other(t promwire.MessageType) promwire.MessageType {
	if t == promwire.WriteV1 {
		return promwire.WriteV2
	}
	return promwire.WriteV1
}

// outcome is what one attempt came to.
type outcome struct {
	verdict
	status int // 0 if there was no answer
	stats  promwire.WriteStats
	err    error
}

// attempt sends s in format f.
func (c *WriteClient) attempt(ctx context.Context, s source, f format, free freedom, again *retrier) outcome {
	p := newPayload()
	defer p.release()
	sent, unfit, err := s.fill(p, f)
	if err != nil {
		return outcome{verdict: verdict{action: refused}, err: fmt.Errorf("remote write: %w", err)}
	}
	out := outcome{}
	if len(p.compressed) > 0 {
		out = c.persist(ctx, p, f, answer{
			message: f.message, sent: sent, free: free.message, compressed: free.encoding,
		}, again)
	}
	if out.err == nil && len(unfit) > 0 {
		out.err = &promwire.PartialWriteError{Written: out.stats, Refused: unfit}
	}
	return out
}

// persist posts p until there is an answer that lasts, or patience is over.
func (c *WriteClient) persist(ctx context.Context, p *payload, f format, a answer, again *retrier) outcome {
	renewed := false
	for {
		out := c.send(ctx, p, f, a, again.attempt)
		if out.err == nil || out.action == otherMessage || out.action == otherEncoding {
			return out
		}
		if out.status == http.StatusUnauthorized && !renewed && c.renew() {
			renewed = true // another request: its credentials are new
			continue
		}
		retry, ok := again.next(ctx, out.err)
		if !ok {
			if again.attempt > 0 {
				out.err = fmt.Errorf("%w (attempt %d)", out.err, again.attempt+1)
			}
			return out
		}
		c.counts.retried()
		c.log(ctx, slog.LevelWarn, "remote write failed, trying again", "reason", retry.Reason, "attempt", retry.Attempt,
			"wait", retry.Wait, "err", retry.Err)
		if c.retry.OnRetry != nil {
			c.retry.OnRetry(retry)
		}
		if err := pause(ctx, retry.Wait); err != nil {
			out.err = fmt.Errorf("%w, while waiting to try again after %w", err, out.err)
			return out
		}
	}
}

// drainPatience bounds the time that the rest of an answer may take: what it says is known already.
const drainPatience = time.Second

// send posts p and judges the answer; a says what was sent.
func (c *WriteClient) send(ctx context.Context, p *payload, f format, a answer, attempt int) outcome {
	limited, cancel := c.within(ctx)
	defer cancel()
	resp, err := c.post(limited, c.headers(f, attempt), p) //nolint:bodyclose // discard closes it
	if err != nil {
		c.counts.answered(0)
		return outcome{verdict: verdict{action: refused}, err: c.failed(ctx, "write", err)}
	}
	c.counts.answered(resp.StatusCode)
	a.status = resp.StatusCode
	a.written = parseWritten(resp.Header, a.sent, a.status/100 == 2)
	c.choice.known(&a)
	out := outcome{verdict: judge(a), status: a.status}
	out.stats, err = c.result(out.action, a, resp)
	if err != nil {
		out.err = c.named("write", err)
	}
	if resp.Body != http.NoBody {
		late := time.AfterFunc(drainPatience, cancel)
		defer late.Stop()
	}
	discard(resp.Body)
	return out
}

// within bounds the time of one request.
func (c *WriteClient) within(ctx context.Context) (context.Context, context.CancelFunc) {
	if c.timeout > 0 {
		return context.WithTimeoutCause(ctx, c.timeout, c.late)
	}
	return context.WithCancel(ctx)
}

// formatHeaders returns the headers of requests in this format, which do not change.
func (c *WriteClient) formatHeaders(f format) http.Header {
	h := c.header.Clone()
	h.Set("Content-Type", f.message.ContentType())
	h.Set("Content-Encoding", f.compression.ContentEncoding())
	h.Set(promwire.HeaderWriteVersion, f.message.Version())
	return h
}

// headers returns those of one request, which owns them.
func (c *WriteClient) headers(f format, attempt int) http.Header {
	h := c.snappy
	if f.compressed() {
		h = c.compressed
	}
	i := 0
	if f.message == promwire.WriteV2 {
		i = 1
	}
	own := h[i].Clone()
	if attempt > 0 {
		own.Set("Retry-Attempt", strconv.Itoa(attempt))
	}
	return own
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
			"so pin promwire.WriteV1, or pin nothing", ErrNothingWritten, a.status, a.message)
	}
	return promwire.WriteStats{}, err
}

// ErrNothingWritten says that a receiver answered 2xx to a pinned 2.0 message, and has written nothing of it: it speaks
// 1.0 only, or something answers in its place. It wraps [promwire.ErrUnsupported]; whoever keeps data until another
// configuration, or the receiver itself, answers may try again.
var ErrNothingWritten = fmt.Errorf("%w: nothing is written", promwire.ErrUnsupported)
