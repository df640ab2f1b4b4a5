package remote

import (
	"net/http"

	"github.com/promwire/promwire"
)

// action is what follows from an answer.
type action int

const (
	accepted      action = iota // all of the request is written
	partly                      // the counts say what is written; the rest is lost
	refused                     // nothing of it is known to be written
	notStored                   // 2xx, and yet nothing is written
	otherMessage                // send the same data once more as the other message
	otherEncoding               // send the same data once more with snappy
)

// answer is what judge goes by.
type answer struct {
	message promwire.MessageType
	status  int
	sent    promwire.WriteStats
	written written
	// free says that the message is ours to choose and the other one has not been tried for this request.
	free bool
	// compressed says that the encoding is another one than snappy, and ours to choose.
	compressed bool
	// knowsV2 says that the endpoint has shown Written headers before.
	knowsV2 bool
	// tookEncoding says that the endpoint has taken a body in that encoding before.
	tookEncoding bool
}

// verdict is what judge makes of an answer.
type verdict struct {
	action action
	// certain says that the receiver does not know the message, or the encoding, whatever it thinks of the same data in
	// another one.
	certain bool
}

// judge is the one place that tells what an answer means (Remote Write 2.0, "Response" and "Content negotiation").
// Error texts never matter, nor do other headers than the three Written ones.
func judge(a answer) verdict {
	success, nothing := a.status/100 == 2, a.written.WriteStats == promwire.WriteStats{} && !a.written.unreadable
	empty := a.sent == promwire.WriteStats{}
	switch {
	case a.compressed && a.status == http.StatusUnsupportedMediaType:
		// It may be the message that it does not know: that shows when snappy is refused, too.
		return verdict{action: otherEncoding, certain: true}
	case a.compressed && a.status == http.StatusBadRequest && nothing && !a.tookEncoding:
		// Receivers that do not look at the encoding find no snappy block.
		return verdict{action: otherEncoding}
	case a.message == promwire.WriteV1 && success:
		// 1.0 has no counts: 2xx is all of it. 202 included, with which Mimir answers the replica that is not elected.
		return verdict{action: accepted}
	case a.message == promwire.WriteV1 && a.status == http.StatusUnsupportedMediaType && a.free:
		// The endpoint took 1.0 once and does not any more.
		return verdict{action: otherMessage}
	case a.message == promwire.WriteV1:
		return verdict{action: refused}

	case a.status == http.StatusUnsupportedMediaType && a.free:
		return verdict{action: otherMessage, certain: true}
	case success && !a.written.present && !empty:
		// A 1.0 receiver: 2.0 data are an empty message to it.
		return verdict{action: a.elseOther(notStored), certain: true}
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
		return otherMessage
	}
	return act
}
