package remote

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/promwire/promwire"
)

// Profile says how a receiver words its answers; see [DeliveryOptions.Profile].
type Profile int

// The profiles.
const (
	// ProfileGeneric knows the words of all the others, with status 400 or 409.
	ProfileGeneric Profile = iota
	// ProfilePrometheus answers 400 with the errors of its storage.
	ProfilePrometheus
	// ProfileMimir is Mimir and Cortex: 400 with an error identifier, and the rest is stored.
	ProfileMimir
	// ProfileThanos is Thanos Receive: 409 with the errors of Prometheus' storage, and the rest is stored.
	ProfileThanos
	// ProfileVictoriaMetrics stores or drops such samples with 204: no answer of it means "stored already".
	ProfileVictoriaMetrics
)

// storedTexts are what Prometheus' storage says of a sample that it may have: Thanos and Cortex pass it on. Its "out of
// bounds" is not among them: samples from the future get it too, and labels out of order are another matter.
var storedTexts = []string{
	"out of order sample", "duplicate sample for timestamp", "too old sample", "out of order exemplar", "duplicate exemplar",
}

var mimirTexts = []string{
	"err-mimir-sample-out-of-order", "err-mimir-sample-duplicate-timestamp", "err-mimir-sample-timestamp-too-old",
	"err-mimir-exemplar-out-of-order",
}

// storedReasons are the same as reasons.
var storedReasons = []error{promwire.ErrOutOfOrder, promwire.ErrDuplicateTimestamp, promwire.ErrTooOld}

// stored reports whether err says of something in a request that it may be stored already.
func (p Profile) stored(err error) bool {
	var answer *promwire.HTTPError
	if !errors.As(err, &answer) {
		return slices.Contains(storedReasons, promwire.Reason(err))
	}
	text := strings.ToLower(answer.Body)
	says := func(texts []string) bool {
		return slices.ContainsFunc(texts, func(t string) bool { return strings.Contains(text, t) })
	}
	bad, conflict := answer.StatusCode == http.StatusBadRequest, answer.StatusCode == http.StatusConflict
	switch p {
	case ProfilePrometheus:
		return bad && says(storedTexts)
	case ProfileMimir:
		return bad && (says(mimirTexts) || says(storedTexts))
	case ProfileThanos:
		return conflict && says(storedTexts)
	case ProfileVictoriaMetrics:
		return false
	default:
		return (bad || conflict) && (says(mimirTexts) || says(storedTexts))
	}
}

// keepsRest reports whether the receiver stores what it does not complain of.
func (p Profile) keepsRest() bool { return p == ProfileMimir || p == ProfileThanos }
