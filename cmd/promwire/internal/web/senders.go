package web

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/promwire/promwire/server"
)

// maxSenders bounds the table of senders; the one that was silent for longest goes first.
const maxSenders = 64

// sender is who sends, as far as that can be told.
type sender struct{ ip, agent string }

// senderOf returns views of the request's own strings.
func senderOf(r *http.Request) sender {
	ip := r.RemoteAddr
	if i := strings.LastIndexByte(ip, ':'); i >= 0 {
		ip = strings.Trim(ip[:i], "[]")
	}
	agent := ""
	if values := r.Header["User-Agent"]; len(values) > 0 {
		agent = values[0][:min(len(values[0]), maxAgent)]
	}
	return sender{ip, agent}
}

// senderCounts is what a sender has sent.
type senderCounts struct {
	IP       string `json:"ip"`
	Agent    string `json:"agent"`
	Requests uint64 `json:"requests"`
	Failed   uint64 `json:"failed"`
	Samples  uint64 `json:"samples"`
	Version  string `json:"version"` // of the last write
	Op       string `json:"op"`      // of the last request
	First    int64  `json:"first"`
	Last     int64  `json:"last"`
}

type senders struct {
	known map[sender]*senderCounts
}

func (t *senders) add(who sender, s *server.RequestStats, samples int, now time.Time) {
	c := t.known[who]
	if c == nil {
		c = t.meet(who, now)
	}
	c.Requests++
	c.Samples += uint64(samples)
	if s.Status >= http.StatusBadRequest {
		c.Failed++
	}
	if v := versionOf(s.Message); v != "" {
		c.Version = v
	}
	c.Op, c.Last = string(s.Operation), now.UnixMilli()
}

// meet makes room for a new sender.
func (t *senders) meet(who sender, now time.Time) *senderCounts {
	if len(t.known) >= maxSenders {
		var oldest sender
		last := now.UnixMilli() + 1
		for other, c := range t.known {
			if c.Last < last {
				oldest, last = other, c.Last
			}
		}
		delete(t.known, oldest)
	}
	who = sender{strings.Clone(who.ip), strings.Clone(who.agent)}
	c := &senderCounts{IP: who.ip, Agent: who.agent, First: now.UnixMilli()}
	t.known[who] = c
	return c
}

// list returns all, in the order in which they came first, so that lines stay where they are.
func (t *senders) list() []senderCounts {
	out := make([]senderCounts, 0, len(t.known))
	for _, c := range t.known {
		out = append(out, *c)
	}
	slices.SortFunc(out, func(a, b senderCounts) int {
		return cmp.Or(cmp.Compare(a.First, b.First), cmp.Compare(a.IP, b.IP), cmp.Compare(a.Agent, b.Agent))
	})
	return out
}
