package remote

import (
	"net/http"
	"sync/atomic"
	"time"

	"github.com/promwire/promwire"
)

// retryV2After is how long a client stays with 1.0 before it tries 2.0 again.
const retryV2After = time.Hour

// action is what follows from an answer.
type action int

const (
	accepted    action = iota // all of the request is written
	partly                    // the counts say what is written; the rest is lost
	refused                   // nothing of it is known to be written
	notStored                 // 2xx, and yet nothing is written
	otherFormat               // send the same data once more as the other message
)

// answer is what judge goes by.
type answer struct {
	message promwire.MessageType
	status  int
	sent    promwire.WriteStats
	written written
	// free says that the message is ours to choose and the other one has not been tried for this request.
	free bool
	// knowsV2 says that the endpoint has shown Written headers before.
	knowsV2 bool
}

// verdict is what judge makes of an answer.
type verdict struct {
	action action
	// noV2 says that the receiver does not speak 2.0, whatever it thinks of the same data as 1.0.
	noV2 bool
}

// judge is the one place that tells what an answer means (Remote Write 2.0, "Response" and "Content negotiation").
// Error texts never matter, nor do other headers than the three Written ones.
func judge(a answer) verdict {
	success, nothing := a.status/100 == 2, a.written.WriteStats == promwire.WriteStats{} && !a.written.unreadable
	empty := a.sent == promwire.WriteStats{}
	switch {
	case a.message == promwire.WriteV1 && success:
		// 1.0 has no counts: 2xx is all of it. 202 included, with which Mimir answers the replica that is not elected.
		return verdict{action: accepted}
	case a.message == promwire.WriteV1 && a.status == http.StatusUnsupportedMediaType && a.free:
		// The endpoint took 1.0 once and does not any more.
		return verdict{action: otherFormat}
	case a.message == promwire.WriteV1:
		return verdict{action: refused}

	case a.status == http.StatusUnsupportedMediaType && a.free:
		return verdict{action: otherFormat, noV2: true}
	case success && !a.written.present && !empty:
		// A 1.0 receiver: 2.0 data are an empty message to it.
		return verdict{action: a.elseOther(notStored), noV2: true}
	case a.status == http.StatusAccepted && nothing:
		// Understood and dropped on purpose: the same samples come from an elected replica.
		return verdict{action: accepted}
	case success && nothing && !empty:
		// 2.0 by its headers, but without effect. 1.0 may have one.
		return verdict{action: a.elseOther(notStored)}
	case success && a.written.WriteStats != a.sent:
		// Against the rules: success means that all is written.
		return verdict{action: partly}
	case success:
		return verdict{action: accepted}
	case !nothing:
		return verdict{action: partly}
	case a.status == http.StatusBadRequest && !a.written.present && !a.knowsV2:
		// Some 1.0 receivers answer so to a message they do not know.
		return verdict{action: a.elseOther(refused)}
	default:
		// Without counts nothing is written.
		return verdict{action: refused}
	}
}

func (a answer) elseOther(act action) action {
	if a.free {
		return otherFormat
	}
	return act
}

// choice remembers which message an endpoint takes. It is safe for concurrent use.
type choice struct {
	v1Until atomic.Int64 // Unix nanoseconds; 2.0 from then on
	knowsV2 atomic.Bool
}

func (c *choice) message(now time.Time) promwire.MessageType {
	if now.UnixNano() < c.v1Until.Load() {
		return promwire.WriteV1
	}
	return promwire.WriteV2
}

// keepV1 makes 1.0 the choice for a while.
func (c *choice) keepV1(now time.Time) { c.v1Until.Store(now.Add(retryV2After).UnixNano()) }

// keepV2 ends the preference for 1.0.
func (c *choice) keepV2() { c.v1Until.Store(0) }
