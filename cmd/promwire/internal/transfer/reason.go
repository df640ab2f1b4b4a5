package transfer

import (
	"errors"
	"fmt"
	"strings"

	"github.com/promwire/promwire"
)

// phrases are how receivers word their reasons, in lower case: those of this project, of Prometheus' storage, and of what
// is built on it.
var phrases = []struct {
	text   string
	reason error
}{
	{"out-of-order window", promwire.ErrTooOld},
	{"too old", promwire.ErrTooOld},
	{"too-old", promwire.ErrTooOld},
	{"out of order", promwire.ErrOutOfOrder},
	{"out-of-order", promwire.ErrOutOfOrder},
	{"older than the newest", promwire.ErrOutOfOrder},
	{"duplicate sample", promwire.ErrDuplicateTimestamp},
	{"another value is stored", promwire.ErrDuplicateTimestamp},
	{"new-value-for-timestamp", promwire.ErrDuplicateTimestamp},
	{"too far in", promwire.ErrTooFarInFuture},
	{"too-far-in-future", promwire.ErrTooFarInFuture},
	{"out of bounds", promwire.ErrOutOfBounds},
}

// reasonOf is what refusals are counted by: one of promwire's reasons, or the status of the answer.
func reasonOf(err error) string {
	var answer *promwire.HTTPError
	switch reason := knownReason(err); {
	case reason != nil:
		return reason.Error()
	case errors.As(err, &answer):
		return fmt.Sprintf("the receiver answers %d", answer.StatusCode)
	case err == nil:
		return "no reason was given"
	default:
		return oneLine(err.Error())
	}
}

// knownReason returns the one of promwire's reasons that err is, or that an answer speaks of; nil if there is none.
func knownReason(err error) error {
	if reason := promwire.Reason(err); reason != nil {
		return reason
	}
	var answer *promwire.HTTPError
	if !errors.As(err, &answer) {
		return nil
	}
	body := strings.ToLower(answer.Body)
	for _, p := range phrases {
		if strings.Contains(body, p.text) {
			return p.reason
		}
	}
	return nil
}

// describe names a refused item.
func describe(r *promwire.Refusal) string {
	detail := detailOf(r.Reason)
	if r.Timestamp == 0 {
		return fmt.Sprintf("%s: %s", r.Labels, detail)
	}
	return fmt.Sprintf("%s at %s: %s", r.Labels, FormatTime(r.Timestamp), detail)
}

// detailOf is what the receiver says, without what the client says around it.
func detailOf(err error) string {
	var answer *promwire.HTTPError
	switch {
	case err == nil:
		return "the receiver names none"
	case errors.As(err, &answer):
		return oneLine(answer.Error())
	default:
		return oneLine(err.Error())
	}
}

// examples are what an answer says of items that it does not name in a form of its own: some have a line for each.
func examples(err error) []string {
	var answer *promwire.HTTPError
	if errors.As(err, &answer) {
		if head, lines, found := strings.Cut(strings.TrimSpace(answer.Body), "\n"); found && head != "" {
			return strings.SplitN(lines, "\n", 4)[:min(3, 1+strings.Count(lines, "\n"))]
		}
	}
	return []string{detailOf(err)}
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
