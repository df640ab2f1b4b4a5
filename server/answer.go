package server

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/promwire/promwire"
)

// The bounds of an answer's text, in bytes.
const (
	maxText     = 4 << 10
	maxTextLine = 300
)

// maxNamed bounds the refusals that an answer spells out.
const maxNamed = 10

// fail answers with the status of err and its text, and logs it.
func fail(w http.ResponseWriter, r *http.Request, log *slog.Logger, err error) (status int) {
	status = statusOf(err)
	text := errorText(err)
	logFailure(r, log, status, text)

	h := w.Header()
	if status == http.StatusMethodNotAllowed {
		h.Set("Allow", http.MethodPost)
	}
	if pause := retryAfter(err); pause > 0 && (status == http.StatusTooManyRequests || status >= 500) {
		h.Set("Retry-After", strconv.FormatInt(int64((pause+time.Second-1)/time.Second), 10))
	}
	if status == http.StatusUnauthorized {
		h["Www-Authenticate"] = challenges(err)
	}
	http.Error(w, text, status)
	return status
}

// retryAfter is how long the sender is asked to wait, 0 if it is not asked.
func retryAfter(err error) time.Duration {
	var answer *promwire.HTTPError
	switch {
	case errors.As(err, &answer):
		return answer.RetryAfter
	case errors.Is(err, errBusy):
		return retryBusyAfter
	default:
		return 0
	}
}

// logFailure warns of failures of the storage. What the sender did wrong it is told, and one that has gone is no news.
func logFailure(r *http.Request, log *slog.Logger, status int, text string) {
	level := slog.LevelDebug
	if status >= 500 && r.Context().Err() == nil {
		level = slog.LevelWarn
	}
	log.Log(r.Context(), level, "remote storage request failed", "path", r.URL.Path, "status", status, "err", text)
}

// errorText is what the sender gets to read, and should log: for a partial write the number of refused items, how
// many for which reason, and the first of them by name.
func errorText(err error) string {
	var partial *promwire.PartialWriteError
	if !errors.As(err, &partial) || len(partial.Refused) == 0 {
		return cut(err.Error(), maxText)
	}
	var b strings.Builder
	items := "items"
	if len(partial.Refused) == 1 {
		items = "item"
	}
	fmt.Fprintf(&b, "refused %d %s (%s); written: %d samples, %d histograms, %d exemplars",
		len(partial.Refused), items, countReasons(partial.Refused),
		partial.Written.Samples, partial.Written.Histograms, partial.Written.Exemplars)
	for i, refusal := range partial.Refused {
		if i == maxNamed {
			fmt.Fprintf(&b, "\nand %d more", len(partial.Refused)-i)
			break
		}
		b.WriteByte('\n')
		b.WriteString(refusalText(&refusal))
	}
	return cut(b.String(), maxText)
}

// refusalText is the text of a refusal in which long labels do not push the reason out.
func refusalText(r *promwire.Refusal) string {
	text := r.Error()
	if len(text) <= maxTextLine {
		return text
	}
	at := ""
	if r.Timestamp != 0 {
		at = fmt.Sprintf(" at %d", r.Timestamp)
	}
	reason := fmt.Sprint(r.Reason)
	return fmt.Sprintf("series %d %s%s: %s", r.Series, cut(r.Labels.String(), max(maxTextLine/3, maxTextLine-len(reason))), at, cut(reason, maxTextLine))
}

// countReasons returns how many items were refused for which reason, such as "2 × metric name is missing", in the
// order in which the reasons first come up.
func countReasons(refused []promwire.Refusal) string {
	var order []error
	counts := map[error]int{}
	for i := range refused {
		reason := promwire.Reason(refused[i].Reason)
		if counts[reason] == 0 && reason != nil {
			order = append(order, reason)
		}
		counts[reason]++
	}
	var parts []string
	for _, reason := range order {
		parts = append(parts, fmt.Sprintf("%d × %v", counts[reason], reason))
	}
	if n := counts[nil]; n > 0 {
		parts = append(parts, fmt.Sprintf("%d × other reasons", n))
	}
	return strings.Join(parts, ", ")
}

// cut bounds a text and makes it valid UTF-8.
func cut(s string, size int) string {
	if len(s) > size {
		s = s[:size] + "..."
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}
