package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"mime"
	"net/http"
	"time"

	"github.com/promwire/promwire"
)

// Defaults of a [ReadClient].
const (
	// DefaultReadTimeout bounds the wait for any progress of an answer, see [WithTimeout].
	DefaultReadTimeout = time.Minute
	// DefaultMaxResponse bounds a SAMPLES answer, in bytes, see [WithMaxResponse].
	DefaultMaxResponse = 1 << 30
	// maxPart is the number of samples and histograms in one yielded part of a series.
	maxPart = 10_000
)

// ReadClient answers queries from one remote-read endpoint; it is a [promwire.Reader] and a [promwire.ChunkReader]. It
// is safe for concurrent use.
//
// It asks for streamed chunks first and samples second (Remote Read, "Response types"); the server chooses. A stream
// takes constant memory, whatever its length; a samples answer is held as a whole.
type ReadClient struct {
	endpoint
	types       []promwire.ResponseType
	maxResponse int
	headers     http.Header
}

var (
	_ promwire.Reader      = (*ReadClient)(nil)
	_ promwire.ChunkReader = (*ReadClient)(nil)
)

// NewReadClient makes a client for a remote-read URL, such as http://host:9090/api/v1/read. It fails if the URL is not
// absolute or an option is invalid; it does not connect.
func NewReadClient(url string, opts ...ReadOption) (*ReadClient, error) {
	e, err := newEndpoint(url, DefaultReadTimeout)
	if err != nil {
		return nil, err
	}
	c := &ReadClient{
		endpoint:    e,
		types:       []promwire.ResponseType{promwire.ResponseStreamedXORChunks, promwire.ResponseSamples},
		maxResponse: DefaultMaxResponse,
	}
	for _, o := range opts {
		if err := o.applyRead(c); err != nil {
			return nil, err
		}
	}
	if err := c.finish(); err != nil {
		return nil, err
	}
	c.headers = c.header.Clone()
	c.headers.Set("Content-Type", promwire.ContentTypeProtobuf)
	c.headers.Set("Content-Encoding", promwire.EncodingSnappy)
	c.headers.Set("Accept-Encoding", promwire.EncodingSnappy) // keeps net/http from asking for gzip
	c.headers.Set(promwire.HeaderReadVersion, promwire.ReadVersion)
	return c, nil
}

// Read sends the query and yields the series of the answer as [promwire.Reader] demands: in parts of at most 10,000
// samples and histograms, each cut to the time range of q, without the series that have none there. Every loop over
// the sequence is a request of its own; leaving the loop ends it.
//
// A samples answer is sorted if the server has not done so. A stream is yielded in the server's order, which is label
// order, with one exception known: a server that adds external labels to series (Prometheus) sorts before it adds
// them, so that a series may come late if the labels it has of its own are the beginning of another's. Who merges
// streams has to check.
//
// Overlapping chunks of a series are merged; of two samples at one time the first is kept.
//
// Errors: another status than 2xx is a [*promwire.HTTPError]; an answer of unknown type is [promwire.ErrUnsupported]; a
// message that does not decode, a wrong checksum or a truncated answer is an error after the series that were sound;
// [promwire.ErrTooLarge] is over a limit; when ctx ends, the error wraps ctx.Err(). A query without matchers, or with
// an end before its start, selects nothing and is not sent.
func (c *ReadClient) Read(ctx context.Context, q promwire.Query) iter.Seq2[promwire.TimeSeries, error] {
	return func(yield func(promwire.TimeSeries, error) bool) {
		err := c.read(ctx, q, func(a *response) error {
			if a.kind == promwire.ResponseStreamedXORChunks {
				return a.streamSamples(yield)
			}
			return a.walkSamples(c.maxResponse, yield)
		})
		if err != nil {
			yield(promwire.TimeSeries{}, err)
		}
	}
}

// ReadChunks is Read without decoding: chunks come as the server has encoded them, those outside the time range left
// out, and reach beyond it at most by a part. A samples answer is encoded into XOR and histogram chunks.
func (c *ReadClient) ReadChunks(ctx context.Context, q promwire.Query) iter.Seq2[promwire.ChunkedSeries, error] {
	return func(yield func(promwire.ChunkedSeries, error) bool) {
		err := c.read(ctx, q, func(a *response) error {
			if a.kind == promwire.ResponseStreamedXORChunks {
				return a.streamChunks(yield)
			}
			return a.encodeChunks(c.maxResponse, yield)
		})
		if err != nil {
			yield(promwire.ChunkedSeries{}, err)
		}
	}
}

// errStop says that the loop was left: the end, but not an error.
var errStop = errors.New("remote: loop left")

// response is an answer that has begun.
type response struct {
	body   *patientBody
	header http.Header
	length int64 // -1 if not known
	kind   promwire.ResponseType
	lo, hi int64 // the query's range, in milliseconds
}

// read sends q and lets walk go through the answer.
func (c *ReadClient) read(ctx context.Context, q promwire.Query, walk func(*response) error) error {
	lo, hi := q.Range()
	if lo > hi || len(q.Matchers) == 0 {
		return ctx.Err()
	}
	body := newPatientBody(ctx, c.timeout, c.late)
	defer body.Close()
	resp, err := c.ask(body, q) //nolint:bodyclose // body closes it
	if err != nil {
		return c.failed(ctx, "read", body.reason(err))
	}
	body.body = resp.Body
	if resp.StatusCode/100 != 2 {
		err := httpError(resp, time.Now())
		_, _ = io.CopyN(io.Discard, body, drainLimit)
		return c.named("read", err)
	}
	kind, err := responseType(resp.Header)
	if err != nil {
		return c.named("read", err)
	}
	err = walk(&response{body, resp.Header, resp.ContentLength, kind, lo, hi})
	if err == nil || errors.Is(err, errStop) {
		return nil
	}
	return c.failed(ctx, "read", body.reason(err))
}

// ask sends the request.
func (c *ReadClient) ask(body *patientBody, q promwire.Query) (*http.Response, error) {
	p := newPayload()
	defer p.release()
	req := promwire.ReadRequest{Queries: []promwire.Query{q}, AcceptedResponseTypes: c.types}
	p.message = req.AppendProto(p.message)
	p.compress()
	body.wait()
	defer body.rest()
	return c.post(body.ctx, c.headers.Clone(), p)
}

// responseType tells what kind of answer the headers announce. The status has been looked at before: error answers may
// carry the headers of a good one.
func responseType(h http.Header) (promwire.ResponseType, error) {
	kind, encoding := h.Get("Content-Type"), h.Get("Content-Encoding")
	media, params, err := mime.ParseMediaType(kind)
	proto := params["proto"]
	switch {
	case err != nil:
	case media == "application/x-streamed-protobuf" && (proto == "" || proto == "prometheus.ChunkedReadResponse"):
		if encoding == "" || encoding == "identity" {
			return promwire.ResponseStreamedXORChunks, nil
		}
		return 0, fmt.Errorf("%w: stream with content encoding %.100q, want none", promwire.ErrUnsupported, encoding)
	case media == promwire.ContentTypeProtobuf && (proto == "" || proto == "prometheus.ReadResponse"):
		if encoding == "" || encoding == promwire.EncodingSnappy {
			return promwire.ResponseSamples, nil
		}
		return 0, fmt.Errorf("%w: samples with content encoding %.100q, want %q", promwire.ErrUnsupported, encoding,
			promwire.EncodingSnappy)
	}
	return 0, fmt.Errorf("%w: answer has content type %.100q, want %q or %q: is this a remote-read endpoint?",
		promwire.ErrUnsupported, kind, promwire.ContentTypeProtobuf, promwire.ContentTypeStream)
}
