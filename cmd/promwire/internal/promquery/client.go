package promquery

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/api"
	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"

	"github.com/promwire/promwire/internal/readable"
)

// maxAnswer bounds an answer, in bytes.
const maxAnswer = 256 << 20

// ErrTooLong is an answer that is longer than 256 MiB.
var ErrTooLong = errors.New("the answer is too long")

// Request is what is asked for: an instant if Step is 0, a range otherwise.
type Request struct {
	Expr       string
	Time       time.Time // of an instant
	Start, End time.Time
	Step       time.Duration
}

// Points returns how many points each series of a range may have.
func (r *Request) Points() int { return int(r.End.Sub(r.Start)/r.Step) + 1 }

// Answer is what came back. The value is a model.Vector, a model.Matrix, a *model.Scalar or a *model.String.
type Answer struct {
	Value    model.Value
	Warnings []string
}

// Client asks one server.
type Client struct {
	URL     string // without /api/v1
	Header  http.Header
	Timeout time.Duration // of the whole; 0: none
}

// Query evaluates an expression. An error of the server is a [*v1.Error]. Errors and warnings are fit to print, of 1 KiB each.
func (c *Client) Query(ctx context.Context, r Request) (Answer, error) {
	client, err := api.NewClient(api.Config{Address: c.URL, RoundTripper: transport{http.DefaultTransport.(*http.Transport).Clone(), c.Header}})
	if err != nil {
		return Answer{}, err
	}
	if c.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.Timeout)
		defer cancel()
	}
	var a Answer
	if r.Step == 0 {
		kept := &keeping{Client: client}
		a.Value, a.Warnings, err = v1.NewAPI(kept).Query(ctx, r.Expr, r.Time)
		if s := stringOf(kept.body); err != nil && s != nil {
			a.Value, err = s, nil
		}
	} else {
		a.Value, a.Warnings, err = v1.NewAPI(client).QueryRange(ctx, r.Expr, v1.Range{Start: r.Start, End: r.End, Step: r.Step})
	}
	if err == nil && a.Value == nil {
		err = fmt.Errorf("the server answered without a result: is %s the base of a Prometheus HTTP API?", c.URL)
	}
	for i, w := range a.Warnings {
		a.Warnings[i] = readable.Short(w)
	}
	return a, readable.Error(withDetail(err))
}

// keeping keeps the answer: the library does not decode strings.
type keeping struct {
	api.Client
	body []byte
}

// Do implements [api.Client].
func (k *keeping) Do(ctx context.Context, r *http.Request) (*http.Response, []byte, error) {
	resp, body, err := k.Client.Do(ctx, r)
	k.body = body
	return resp, body, err
}

// stringOf returns the result of an answer if it is a string, otherwise nil.
func stringOf(body []byte) *model.String {
	var answer struct {
		Data struct {
			ResultType string
			Result     json.RawMessage
		}
	}
	s := &model.String{}
	if json.Unmarshal(body, &answer) != nil || answer.Data.ResultType != "string" || json.Unmarshal(answer.Data.Result, s) != nil {
		return nil
	}
	return s
}

// withDetail makes the error of an answer's text, which the library reads with some statuses only; of an answer in another form, from
// what is in front of the API, it adds the first line.
func withDetail(err error) error {
	var e *v1.Error
	if !errors.As(err, &e) || e.Detail == "" {
		return err
	}
	var answer struct {
		Status, ErrorType, Error string
	}
	if json.Unmarshal([]byte(e.Detail), &answer) == nil && answer.Status == "error" && answer.Error != "" {
		return &v1.Error{Type: v1.ErrorType(answer.ErrorType), Msg: answer.Error}
	}
	line, _, _ := strings.Cut(strings.TrimSpace(e.Detail), "\n")
	return fmt.Errorf("%w: %.300s", err, line)
}

// transport adds headers to requests, and bounds answers.
type transport struct {
	next   http.RoundTripper
	header http.Header
}

// RoundTrip implements [http.RoundTripper].
func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	for name, values := range t.header {
		r.Header[name] = values
		if name == "Host" {
			r.Host = values[0]
		}
	}
	resp, err := t.next.RoundTrip(r)
	if err == nil {
		resp.Body = &bounded{ReadCloser: resp.Body, left: maxAnswer}
	}
	return resp, err
}

// bounded is a body that fails when it is too long.
type bounded struct {
	io.ReadCloser
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, fmt.Errorf("%w: more than %d bytes", ErrTooLong, int64(maxAnswer))
	}
	return n, err
}
