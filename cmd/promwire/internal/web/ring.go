package web

import "sync"

const (
	// maxShown is how many requests are kept, and maxText how many bytes of each one's text: 800 KiB together.
	maxShown = 50
	maxText  = 16 << 10
	// maxError bounds the text of an error, maxAgent that of a User-Agent.
	maxError = 2 << 10
	maxAgent = 120
)

// shown is a request as the page shows it.
type shown struct {
	Seq     uint64 `json:"seq"`
	Time    int64  `json:"time"`
	Op      string `json:"op"`
	Version string `json:"version,omitempty"` // 1.0 or 2.0 of a write whose content type was accepted
	IP      string `json:"ip"`
	Agent   string `json:"agent,omitempty"`
	Status  int    `json:"status"`
	Cause   string `json:"cause,omitempty"`
	Error   string `json:"error,omitempty"`
	Micros  int64  `json:"micros"`

	Bytes      int `json:"bytes"`
	Series     int `json:"series"`
	Samples    int `json:"samples"`
	Histograms int `json:"histograms"`
	Exemplars  int `json:"exemplars"`
	Refused    int `json:"refused,omitempty"`
	Queries    int `json:"queries,omitempty"`

	Text string `json:"text,omitempty"`
	More int    `json:"more,omitempty"` // series that Text leaves out
}

// ring keeps the last requests.
type ring struct {
	mu   sync.Mutex
	last uint64 // number of the newest request
	all  [maxShown]shown
}

func (r *ring) add(s shown) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last++
	s.Seq = r.last
	r.all[r.last%maxShown] = s
}

// since returns the kept requests behind number seq, oldest first; all of them if seq is not one of ours.
func (r *ring) since(seq uint64) []shown {
	r.mu.Lock()
	defer r.mu.Unlock()
	first := uint64(1)
	if r.last > maxShown {
		first = r.last - maxShown + 1
	}
	if seq <= r.last && seq >= first {
		first = seq + 1
	}
	out := make([]shown, 0, maxShown)
	for n := first; n <= r.last; n++ {
		out = append(out, r.all[n%maxShown])
	}
	return out
}

// cut returns the first bytes of s, at most n of them.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return s[:n] + "…"
}
