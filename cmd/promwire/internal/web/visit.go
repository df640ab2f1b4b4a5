package web

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/server"
)

// visit is a request on its way through a handler. Its end is bound once, so that a pooled visit costs nothing.
type visit struct {
	ui     *UI
	end    func(server.RequestStats)
	op     server.Operation
	sender sender
	watch  bool // it is to be shown
	series int
	text   string
	more   int
}

// visits begins and ends them.
type visits struct {
	ui   *UI
	pool sync.Pool
}

type visitKey struct{}

// begin implements [server.TraceFunc].
func (vs *visits) begin(ctx context.Context, op server.Operation, r *http.Request) (context.Context, func(server.RequestStats)) {
	v, _ := vs.pool.Get().(*visit)
	if v == nil {
		v = &visit{ui: vs.ui}
		v.end = v.done
	}
	v.op, v.sender = op, senderOf(r)
	if v.watch = vs.ui.watch.take(vs.ui.now()); v.watch {
		ctx = context.WithValue(ctx, visitKey{}, v)
	}
	return ctx, v.end
}

// done counts the request, and shows it to who looks. Failures are always shown: their text is short.
func (v *visit) done(s server.RequestStats) {
	u, now := v.ui, v.ui.now()
	refused := u.traffic.count(v, &s, now)
	if v.watch || s.Status >= 400 {
		u.ring.add(v.shown(&s, now, refused))
	}
	*v = visit{ui: u, end: v.end}
	u.visits.pool.Put(v)
}

func (v *visit) shown(s *server.RequestStats, now time.Time, refused int) shown {
	out := shown{
		Time: now.UnixMilli(), Op: string(v.op), Version: versionOf(s.Message), Micros: s.Duration.Microseconds(),
		IP: strings.Clone(v.sender.ip), Agent: strings.Clone(v.sender.agent), // else they keep the whole header
		Status: s.Status, Cause: s.Cause, Bytes: s.BodyBytes,
		Samples: s.Written.Samples, Histograms: s.Written.Histograms, Exemplars: s.Written.Exemplars,
		Series: max(v.series, s.Series), Refused: refused, Queries: s.Queries, Text: v.text, More: v.more,
	}
	if v.op == server.OperationRead {
		out.Samples, out.Bytes = s.Samples, s.AnswerBytes
	}
	if s.Err != nil {
		out.Error = cut(s.Err.Error(), maxError)
	}
	return out
}

func versionOf(t promwire.MessageType) string {
	switch t {
	case promwire.WriteV1:
		return "1.0"
	case promwire.WriteV2:
		return "2.0"
	default:
		return ""
	}
}
