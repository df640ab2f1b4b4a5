package remote

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/readable"
)

const (
	// maxErrorBody bounds the text of an error answer that is kept.
	maxErrorBody = 1 << 10
	// maxRetryAfter bounds the pause that a server can ask for.
	maxRetryAfter = time.Hour
)

// httpError makes an error of an answer that is not 2xx. It reads the start of the body and does not close it.
func httpError(resp *http.Response, now time.Time) *promwire.HTTPError {
	e := &promwire.HTTPError{
		StatusCode: resp.StatusCode,
		Body:       errorText(resp),
		RetryAfter: retryAfter(resp.Header.Get("Retry-After"), now),
	}
	if to := resp.Header.Get("Location"); resp.StatusCode/100 == 3 && to != "" {
		why := "would turn POST into GET"
		if resp.StatusCode == http.StatusTemporaryRedirect || resp.StatusCode == http.StatusPermanentRedirect {
			why = "would lead credentials, or headers that may hold some, elsewhere"
		}
		e.Body = fmt.Sprintf("redirect to %.200q %s: give that URL if it is the right one", to, why)
	}
	return e
}

// errorText returns the start of the body, as far as people can read it.
func errorText(resp *http.Response) string {
	switch e := resp.Header.Get("Content-Encoding"); e {
	case "gzip", "zstd", "deflate", "br": // nobody has asked for that; Prometheus calls plain text snappy
		return "(a text in " + e + ")"
	}
	text, _ := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody)) // half a text is better than none
	return readable.Text(text)
}

// retryAfter reads a Retry-After header: seconds or a date. Zero, negative, past and unreadable values are 0; long
// ones are cut to maxRetryAfter.
func retryAfter(value string, now time.Time) time.Duration {
	if value == "" {
		return 0
	}
	if seconds, err := strconv.ParseInt(value, 10, 64); err == nil || errors.Is(err, strconv.ErrRange) {
		return time.Duration(max(0, min(seconds, int64(maxRetryAfter/time.Second)))) * time.Second
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	return max(0, min(at.Sub(now), maxRetryAfter))
}

// written is what the Written headers of an answer say.
type written struct {
	promwire.WriteStats
	// present says that there was at least one of the headers, readable or not: the receiver speaks 2.0.
	present bool
	// unreadable says that one of them was not a count.
	unreadable bool
}

// parseWritten reads the Written headers. No count exceeds what was sent. Where a header is not a count, what was sent
// is taken on success and 0 otherwise: the status is all there is to go by.
func parseWritten(h http.Header, sent promwire.WriteStats, success bool) written {
	var w written
	w.Samples = w.count(h, promwire.HeaderSamplesWritten, sent.Samples, success)
	w.Histograms = w.count(h, promwire.HeaderHistogramsWritten, sent.Histograms, success)
	w.Exemplars = w.count(h, promwire.HeaderExemplarsWritten, sent.Exemplars, success)
	return w
}

func (w *written) count(h http.Header, name string, sent int, success bool) int {
	values := h[name]
	if len(values) == 0 {
		return 0
	}
	w.present = true
	n, err := strconv.ParseInt(strings.TrimSpace(values[0]), 10, 64)
	if err == nil && n >= 0 {
		return int(min(n, int64(sent)))
	}
	w.unreadable = true
	if success {
		return sent
	}
	return 0
}
