package senders

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/compat/proc"
)

// receiver is a promwire serve behind a proxy, which can answer for it and counts what it answers. Each sender writes to
// a path of its own.
type receiver struct {
	proxy   *httptest.Server
	url     string // of promwire serve
	refuses atomic.Bool
	run     func() *proc.Process

	mu      sync.Mutex
	traffic map[string]map[string]int // by sender and kind of answer: "204 snappy prometheus.WriteRequest"
	refused []string                  // answers that say it is the sender's fault
}

const cut = "connection cut"

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir, address := t.TempDir(), proc.FreePorts(t, 1)[0]
	r := &receiver{url: "http://" + address, traffic: map[string]map[string]int{}}
	r.run = func() *proc.Process {
		p := proc.Start(t, proc.Program{Name: "promwire", Path: self}, dir, "serve", "--data", "data", "--listen", address, "--min-free-disk", "0")
		p.Await(t, func() string { return r.url + "/-/ready" })
		return p
	}
	target, err := url.Parse(r.url)
	if err != nil {
		t.Fatal(err)
	}
	forward := &httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(target)
			p.Out.URL.Path = "/" + strings.SplitN(p.In.URL.Path, "/", 3)[2]
		},
		ModifyResponse: func(resp *http.Response) error { return r.answered(resp) },
		ErrorHandler: func(_ http.ResponseWriter, req *http.Request, _ error) {
			r.count(req.Header.Get("X-Sender"), cut)
			panic(http.ErrAbortHandler) // as if nobody were there
		},
		ErrorLog: log.New(io.Discard, "", 0),
	}
	r.proxy = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		sender := strings.SplitN(req.URL.Path, "/", 3)[1]
		if r.refuses.Load() {
			r.count(sender, "503")
			http.Error(w, "not now", http.StatusServiceUnavailable)
			return
		}
		req.Header.Set("X-Sender", sender)
		forward.ServeHTTP(w, req)
	}))
	t.Cleanup(r.proxy.Close)
	return r
}

// writeURL is where a sender writes to.
func (r *receiver) writeURL(sender string) string {
	return r.proxy.URL + "/" + sender + "/api/v1/write"
}

func (r *receiver) count(sender, answer string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.traffic[sender] == nil {
		r.traffic[sender] = map[string]int{}
	}
	r.traffic[sender][answer]++
}

// answered notes what promwire has answered. 415 is what zstd gets, and senders that begin with it expect.
func (r *receiver) answered(resp *http.Response) error {
	h := resp.Request.Header
	message, _ := promwire.ParseContentType(h.Get("Content-Type")) // promwire has judged it
	answer := fmt.Sprintf("%d %s %s", resp.StatusCode, h.Get("Content-Encoding"), message)
	r.count(h.Get("X-Sender"), answer)
	if resp.StatusCode/100 == 4 && resp.StatusCode != http.StatusUnsupportedMediaType {
		text, _ := io.ReadAll(resp.Body)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.refused = append(r.refused, fmt.Sprintf("%s: %s: %s", h.Get("X-Sender"), answer, text))
		resp.Body = io.NopCloser(strings.NewReader(string(text)))
	}
	return nil
}

// answers returns how many requests of a sender were answered with a status that begins like this.
func (r *receiver) answers(sender, status string) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for answer, count := range r.traffic[sender] {
		if strings.HasPrefix(answer, status) {
			n += count
		}
	}
	return n
}
