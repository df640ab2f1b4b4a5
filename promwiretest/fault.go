package promwiretest

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/promwire/promwire"
)

// Fault is what goes wrong with one request. The zero value is none.
//
// Faults that need the connection itself (Reset, LostAnswer, Truncated) work over HTTP/1.1, which a [Receiver] speaks.
type Fault struct {
	name   string
	early  func(w http.ResponseWriter, r *http.Request)                        // instead of all else
	body   func(body io.Reader, stop <-chan struct{}) io.Reader                // what is read
	handle func(w http.ResponseWriter, r *http.Request, next http.Handler)     // instead of the handler
	judge  func(*promwire.WriteRequest) (keep *promwire.WriteRequest, _ error) // what the storage takes
}

// String returns the name of the fault, as in [Received.Fault].
func (f Fault) String() string { return f.name }

// Custom is a fault of one's own: handle gets the request, its body read and recorded, in place of the handler, which
// is next. It may call next or not, and change what next writes.
func Custom(name string, handle func(w http.ResponseWriter, r *http.Request, next http.Handler)) Fault {
	return Fault{name: name, handle: handle}
}

// Reset reads this many bytes of the body and resets the connection. Nothing is stored.
func Reset(afterBytes int64) Fault {
	return Fault{name: fmt.Sprintf("reset after %d bytes", afterBytes), early: func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.CopyN(io.Discard, r.Body, afterBytes) // a shorter body is reset at its end
		reset(w)
	}}
}

// Hang takes the request and never answers. It ends when the sender gives up, the receiver stops, or after limit, if
// that is not 0, with a reset. Nothing is stored.
func Hang(limit time.Duration) Fault {
	return Fault{name: "hang", handle: func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		var late <-chan time.Time
		if limit > 0 {
			t := time.NewTimer(limit)
			defer t.Stop()
			late = t.C
		}
		select {
		case <-r.Context().Done():
		case <-callOf(r.Context()).stop:
		case <-late:
		}
		reset(w)
	}}
}

// SlowBody reads the body in pieces of this many bytes, with a pause before each; then all goes its way.
func SlowBody(piece int, pause time.Duration) Fault {
	return Fault{name: "slow body", body: func(body io.Reader, stop <-chan struct{}) io.Reader {
		return &slowReader{body, piece, pause, stop}
	}}
}

// SlowAnswer stores the data, and writes the answer byte by byte with a pause before each.
func SlowAnswer(pause time.Duration) Fault {
	return Fault{name: "slow answer", handle: func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		answer, call := run(r, next), callOf(r.Context())
		call.log.update(func() { call.entry.Status = answer.status })
		sendRaw(w, answer.raw(), pause, call)
	}}
}

// Answer answers with this status, header and body, and stores nothing. The status is one of 200 to 999.
func Answer(status int, header http.Header, body string) Fault {
	return Fault{name: "answer " + strconv.Itoa(status), handle: func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		for name, values := range header {
			w.Header()[name] = values
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body) // a sender that has gone is no failure here
	}}
}

// Status is [Answer] with a status alone.
func Status(status int) Fault { return Answer(status, nil, "") }

// TooManyRequests answers 429 and asks for a pause: seconds or an HTTP date; "" for none.
func TooManyRequests(retryAfter string) Fault {
	h := http.Header{}
	if retryAfter != "" {
		h.Set("Retry-After", retryAfter)
	}
	return Answer(http.StatusTooManyRequests, h, "slow down\n")
}

// Lie answers with this status whether the data is stored or not, and with these Written counts; nil for no Written
// headers, as a receiver that speaks 1.0 only.
func Lie(status int, store bool, written *promwire.WriteStats) Fault {
	name := fmt.Sprintf("lie %d", status)
	return Fault{name: name, handle: func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if store {
			run(r, next)
		}
		setWritten(w.Header(), written)
		w.WriteHeader(status)
	}}
}

// LostAnswer stores the data and closes the connection instead of answering.
func LostAnswer() Fault {
	return Fault{name: "lost answer", handle: func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		run(r, next)
		reset(w)
	}}
}

// Truncated stores the data, sends the first bytes of the answer, status line and headers included, and closes the
// connection.
func Truncated(bytes int) Fault {
	return Fault{name: "truncated answer", handle: func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		raw := run(r, next).raw()
		sendRaw(w, raw[:min(bytes, len(raw))], 0, callOf(r.Context()))
	}}
}

// TooLarge answers 413 to requests of more than this many series, and stores nothing of them.
func TooLarge(maxSeries int) Fault {
	return Fault{name: "too large", judge: func(req *promwire.WriteRequest) (*promwire.WriteRequest, error) {
		if n := len(req.Timeseries); n > maxSeries {
			return nil, fmt.Errorf("%w: %d series, limit %d", promwire.ErrTooLarge, n, maxSeries)
		}
		return req, nil
	}}
}

// RefusalStyle says how a receiver answers to a request with bad series.
type RefusalStyle int

// The styles of refusal. What they answer is 400.
const (
	// RefusePart stores the good series, names the bad ones, and counts in Written headers if asked by 2.0.
	RefusePart RefusalStyle = iota
	// RefusePartSilently stores the good series, and answers without Written headers and names, as 1.0 receivers do.
	RefusePartSilently
	// RefuseAll stores nothing of the request, and answers without Written headers and names.
	RefuseAll
)

// RefuseSeries refuses the series for which bad is true, in this style; requests without any pass. The labels are
// valid until bad returns.
func RefuseSeries(bad func(promwire.Labels) bool, style RefusalStyle) Fault {
	f := Fault{name: "refuse series", judge: func(req *promwire.WriteRequest) (*promwire.WriteRequest, error) {
		return judgeSeries(req, bad, style)
	}}
	if style != RefusePart {
		f.handle = withoutWritten
	}
	return f
}

func judgeSeries(req *promwire.WriteRequest, bad func(promwire.Labels) bool, style RefusalStyle) (*promwire.WriteRequest, error) {
	keep := &promwire.WriteRequest{Metadata: req.Metadata}
	partial := &promwire.PartialWriteError{}
	for i, ts := range req.Timeseries {
		if bad(ts.Labels) {
			partial.Refused = append(partial.Refused, promwire.Refusal{
				Series: i, Labels: ts.Labels.Clone(), Reason: promwire.ErrOutOfBounds,
			})
			continue
		}
		keep.Timeseries = append(keep.Timeseries, ts)
	}
	answer := &promwire.HTTPError{StatusCode: http.StatusBadRequest, Body: "a series is bad"}
	switch {
	case len(partial.Refused) == 0:
		return req, nil
	case style == RefuseAll:
		return nil, answer
	case style == RefusePartSilently:
		return keep, answer
	default:
		partial.Written = keep.Stats()
		return keep, partial
	}
}
