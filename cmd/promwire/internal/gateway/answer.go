package gateway

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"

	"github.com/promwire/promwire/cmd/promwire/internal/apifront"
)

// returned are the headers of an engine's answer that go to the client. The page of the gateway has the same origin: it
// must not be told where to go, what to store, or whom to trust.
var returned = []string{"Cache-Control", "Content-Encoding", "Content-Length", "Content-Type", "Date", "Retry-After", "Server-Timing", "Vary"}

// oddAnswer is one that no engine gives.
type oddAnswer struct{ text string }

func (e *oddAnswer) Error() string {
	return "the engine answers with " + e.text + ": is its URL right?"
}

// answer lets JSON of the engine through, errors too, and tells other errors in the form of the API.
func (q *queryProxy) answer(resp *http.Response) error {
	own := http.Header{"X-Content-Type-Options": {"nosniff"}}
	copyHeaders(own, resp.Header, returned)
	resp.Header = own
	kind, _, _ := mime.ParseMediaType(own.Get("Content-Type")) // "" for what is none
	switch {
	case resp.StatusCode/100 == 3 || resp.StatusCode < 200:
		return &oddAnswer{fmt.Sprintf("%d, which is no answer to a query", resp.StatusCode)}
	case resp.StatusCode/100 == 2 && kind != "application/json" && resp.StatusCode != http.StatusNoContent:
		return &oddAnswer{fmt.Sprintf("%.60q, not with JSON", own.Get("Content-Type"))}
	case resp.StatusCode >= 500:
		q.failed.Add(1)
	}
	if kind != "application/json" && resp.StatusCode >= 400 {
		asAPI(resp)
	}
	return nil
}

// asAPI makes an error that is not in the form of the API, such as one of a proxy before the engine, one that is.
func asAPI(resp *http.Response) {
	text := beginning(plainBody(resp))
	_ = resp.Body.Close()
	kind := "execution"
	if resp.StatusCode >= 500 {
		kind = "unavailable"
	}
	body := apifront.ErrorBody(kind, fmt.Sprintf("the engine answers with %d: %s", resp.StatusCode, text))
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	resp.Header.Del("Content-Encoding")
	resp.Header.Set("Content-Type", "application/json")
	resp.Header.Set("Content-Length", strconv.Itoa(len(body)))
}

// plainBody is the body of an answer, decompressed if the client asked for gzip. Of what is compressed otherwise, there is
// no text.
func plainBody(resp *http.Response) io.Reader {
	switch resp.Header.Get("Content-Encoding") {
	case "", "identity":
		return resp.Body
	case "gzip":
		if z, err := gzip.NewReader(resp.Body); err == nil {
			return z
		}
	}
	return bytes.NewReader(nil)
}
