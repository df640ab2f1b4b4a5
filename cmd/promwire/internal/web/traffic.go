package web

import (
	"net/http"
	"sync"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/server"
)

// historySeconds is how far back the figures for each second go.
const historySeconds = 300

// totals count since the start.
type totals struct {
	Writes     uint64 `json:"writes"`
	Reads      uint64 `json:"reads"`
	Failed     uint64 `json:"failed"` // requests with a status of 400 and above
	Samples    uint64 `json:"samples"`
	Histograms uint64 `json:"histograms"`
	Exemplars  uint64 `json:"exemplars"`
	Refused    uint64 `json:"refused"` // items of requests that were written in part
	Bytes      uint64 `json:"bytes"`
	V1         uint64 `json:"v1"`
	V2         uint64 `json:"v2"`
}

// second is what came in one second.
type second struct {
	unix                      int64
	requests, samples, failed uint32
}

// traffic counts requests. Everything in it is bounded.
type traffic struct {
	mu       sync.Mutex
	totals   totals
	history  [historySeconds]second
	senders  senders
	refusals refusals
}

func (t *traffic) init() {
	t.senders.known = map[sender]*senderCounts{}
	t.refusals.known = map[string]*refusalCounts{}
}

// count adds a request that is done, and returns how many of its items were refused.
func (t *traffic) count(v *visit, s *server.RequestStats, now time.Time) (refused int) {
	var failed failure
	if s.Status >= http.StatusBadRequest {
		failed = failureOf(s) // takes time if many items were refused
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if s.Status >= http.StatusBadRequest {
		t.totals.Failed++
		t.totals.Refused += uint64(failed.items)
		t.refusals.add(failed, now)
	}
	samples := s.Written.Samples + s.Written.Histograms
	if v.op == server.OperationRead {
		t.totals.Reads++
	} else {
		t.countWrite(s)
	}
	t.countSecond(s, samples, now.Unix())
	t.senders.add(v.sender, s, samples, now)
	return failed.items
}

func (t *traffic) countWrite(s *server.RequestStats) {
	t.totals.Writes++
	t.totals.Samples += uint64(s.Written.Samples)
	t.totals.Histograms += uint64(s.Written.Histograms)
	t.totals.Exemplars += uint64(s.Written.Exemplars)
	t.totals.Bytes += uint64(s.BodyBytes)
	switch s.Message {
	case promwire.WriteV1:
		t.totals.V1++
	case promwire.WriteV2:
		t.totals.V2++
	}
}

func (t *traffic) countSecond(s *server.RequestStats, samples int, unix int64) {
	at := &t.history[uint64(unix)%historySeconds]
	if at.unix != unix {
		*at = second{unix: unix}
	}
	at.requests++
	at.samples += uint32(samples)
	if s.Status >= http.StatusBadRequest {
		at.failed++
	}
}

// snapshot is what the page gets. The histories have a figure for each of the last seconds, the running one left out.
type snapshot struct {
	Totals   totals          `json:"totals"`
	Requests []uint32        `json:"requests"`
	Samples  []uint32        `json:"samples"`
	Failed   []uint32        `json:"failed"`
	Senders  []senderCounts  `json:"senders"`
	Refusals []refusalCounts `json:"refusals"`
}

func (t *traffic) snapshot(now time.Time) snapshot {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := snapshot{Totals: t.totals, Senders: t.senders.list(), Refusals: t.refusals.list()}
	for unix := now.Unix() - historySeconds + 1; unix < now.Unix(); unix++ {
		at := t.history[uint64(unix)%historySeconds]
		if at.unix != unix {
			at = second{}
		}
		s.Requests = append(s.Requests, at.requests)
		s.Samples = append(s.Samples, at.samples)
		s.Failed = append(s.Failed, at.failed)
	}
	return s
}
