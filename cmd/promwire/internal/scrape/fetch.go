package scrape

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"sync"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/readable"
)

// bodies are buffers for bodies, gzips readers of compressed ones.
var (
	bodies = sync.Pool{New: func() any { return new(bytes.Buffer) }}
	gzips  = sync.Pool{New: func() any { return new(gzip.Reader) }}
)

// maxPooled bounds the buffers that are kept for reuse, in bytes.
const maxPooled = 4 << 20

// release gives a buffer back.
func release(b *bytes.Buffer) {
	if b.Cap() <= maxPooled {
		b.Reset()
		bodies.Put(b)
	}
}

// fetcher asks one target.
type fetcher struct {
	client  *http.Client
	request *http.Request
	limit   int64
	gzipped bool // compressed bodies were asked for
}

func newFetcher(job *Job, target *Target) (*fetcher, error) {
	req, err := http.NewRequest(http.MethodGet, target.URL, nil) //nolint:noctx // each scrape has its own
	if err != nil {
		var parse *url.Error
		if errors.As(err, &parse) {
			err = parse.Err // parse itself repeats the URL, password and all
		}
		return nil, err
	}
	req.Header.Set("Accept", job.Accept)
	if job.Accept == "" {
		req.Header.Set("Accept", DefaultAccept)
	}
	req.Header.Set("Accept-Encoding", "gzip")
	if job.NoCompression {
		req.Header.Set("Accept-Encoding", "identity")
	}
	req.Header.Set("User-Agent", "promwire/"+promwire.Version)
	req.Header.Set("X-Prometheus-Scrape-Timeout-Seconds", strconv.FormatFloat(target.Timeout.Seconds(), 'f', -1, 64))
	f := &fetcher{client: job.Client, request: req, limit: job.Limits.Body, gzipped: !job.NoCompression}
	if f.limit <= 0 {
		f.limit = DefaultMaxBody
	}
	return f, nil
}

// fetch reads the body of an answer into buf and returns its content type.
func (f *fetcher) fetch(ctx context.Context, buf *bytes.Buffer) (contentType string, err error) {
	resp, err := f.client.Do(f.request.Clone(ctx))
	if err != nil {
		var request *url.Error
		if errors.As(err, &request) {
			err = request.Err // request itself repeats the URL, password and all
		}
		return "", readable.Error(err)
	}
	defer func() {
		_, _ = io.CopyN(io.Discard, resp.Body, 64<<10) // so that the connection can be used again
		_ = resp.Body.Close()
	}()
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("target answered %s", readable.Short(resp.Status))
	}
	switch encoding := resp.Header.Get("Content-Encoding"); encoding {
	case "", "identity":
		err = f.read(buf, resp.Body)
	case "gzip":
		err = f.readGzip(buf, resp.Body)
	default:
		err = fmt.Errorf("%w: content encoding %.50q", promwire.ErrUnsupported, encoding)
	}
	return resp.Header.Get("Content-Type"), err
}

func (f *fetcher) read(buf *bytes.Buffer, body io.Reader) error {
	n, err := buf.ReadFrom(io.LimitReader(body, f.limit+1))
	if err == nil && n > f.limit {
		err = fmt.Errorf("%w: the body has more than %d bytes", promwire.ErrTooLarge, f.limit)
	}
	return err
}

func (f *fetcher) readGzip(buf *bytes.Buffer, body io.Reader) error {
	z := gzips.Get().(*gzip.Reader)
	defer gzips.Put(z)
	err := z.Reset(body)
	if err == nil {
		err = f.read(buf, z)
	}
	return err
}
