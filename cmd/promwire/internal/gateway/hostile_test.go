package gateway

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/remote"
	"github.com/promwire/promwire/server"
)

// odd are answers that no engine gives. Each ends by itself, or when nobody reads it any more.
var odd = map[string]http.HandlerFunc{
	"a page": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<html>not yours</html>")
	},
	"a redirect": func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://127.0.0.1:9/elsewhere", http.StatusTemporaryRedirect)
	},
	"an endless error": func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusInternalServerError)
		endless(w, "no luck ")
	},
	"a bomb as an error": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		w.WriteHeader(http.StatusServiceUnavailable)
		bomb(w, "", "boom ")
	},
	"nothing": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
	"a drip": func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		for r.Context().Err() == nil {
			_, _ = io.WriteString(w, " ")
			_ = http.NewResponseController(w).Flush()
			time.Sleep(time.Millisecond)
		}
	},
	"an endless series": func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, begins[r.URL.Path])
		endless(w, `[1000.5,"1"],`)
	},
	"a bomb": func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Encoding", "gzip")
		bomb(w, begins[r.URL.Path], strings.Repeat(`"`, 1<<10))
	},
	"endless series that nobody wants": func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, strings.TrimSuffix(begins[r.URL.Path], `{"metric":{"a":"b"},"values":[`))
		endless(w, map[bool]string{
			true:  exported(promwire.LabelsFromStrings("a", "c"), []promwire.Sample{{Timestamp: 1, Value: 1}}, false),
			false: `{"metric":{"a":"b"},"values":[[1,"1"]]},`,
		}[r.URL.Path == "/api/v1/export"])
	},
}

// begins are how good answers begin.
var begins = map[string]string{
	"/api/v1/query":  `{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"a":"b"},"values":[`,
	"/api/v1/export": `{"metric":{"a":"b"},"values":[`,
}

func endless(w io.Writer, text string) {
	for piece := []byte(strings.Repeat(text, 1000)); ; {
		if _, err := w.Write(piece); err != nil {
			return
		}
	}
}

// bomb writes 400 MB in 400 kB.
func bomb(w io.Writer, begin, text string) {
	z := gzip.NewWriter(w)
	_, _ = io.WriteString(z, begin)
	piece := []byte(strings.Repeat(text, 1<<20/len(text)))
	for range 400 {
		if _, err := z.Write(piece); err != nil {
			return
		}
	}
	_ = z.Close()
}

// hostile runs an engine that answers oddly, and a gateway before it that is patient for so long.
func hostile(t *testing.T, kind Kind, patience time.Duration, h http.HandlerFunc) (url string, finish func()) {
	t.Helper()
	e := engine(t, kind, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // only then does a server notice that its client is gone
		if r.URL.Path == "/api/v1/stores" && kind == Thanos {
			_, _ = io.WriteString(w, `{"status":"success","data":{"receive":[{"minTime":1}]}}`)
			return
		}
		h(w, r)
	})
	e.Timeout = patience
	url, _, finish = front(t, e)
	return url, finish
}

// impatient is for answers that never end.
const impatient = 300 * time.Millisecond

// Whatever an engine answers, a read fails, soon, with a reason, in bounded memory.
func TestReadFromHostile(t *testing.T) {
	for _, kind := range []Kind{Prometheus, Thanos, VictoriaMetrics} {
		for name, h := range odd {
			t.Run(string(kind)+"/"+name, func(t *testing.T) {
				url, finish := hostile(t, kind, impatient, h)
				defer finish()
				c, err := remote.NewReadClient(url + server.ReadPath)
				if err != nil {
					t.Fatal(err)
				}
				m, err := promwire.NewMatcher(promwire.MatchEqual, "a", "b")
				if err != nil {
					t.Fatal(err)
				}
				q := promwire.Query{Start: time.UnixMilli(1_000_000), End: time.UnixMilli(2_000_000), Matchers: []promwire.Matcher{m}}
				var failure error
				took := allocated(func() {
					for _, failure = range c.Read(t.Context(), q) {
						break
					}
				})
				var answer *promwire.HTTPError
				if !errors.As(failure, &answer) || answer.StatusCode < 400 || len(answer.Body) > 3<<10 || answer.Body == "" {
					t.Errorf("%.200v", failure)
				}
				if took > 400<<20 {
					t.Errorf("%d MiB for an answer of no use", took>>20)
				}
				t.Logf("%d MiB, %.200v", took>>20, failure)
			})
		}
	}
}

// allocated returns how many bytes were allocated meanwhile, by all.
func allocated(do func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// A query gets what the engine says if it is JSON, cut off if it takes too long, and otherwise an error in the API's form.
func TestQueryOfHostile(t *testing.T) {
	for name, want := range map[string]string{
		"a page":             `502 the engine answers with "text/html", not with JSON`,
		"a redirect":         "502 the engine answers with 307",
		"an endless error":   "500 the engine answers with 500: no luck no luck",
		"a bomb as an error": "503 the engine answers with 503: boom boom",
		"nothing":            "503 the engine gave no answer within 300ms",
		"a drip":             "cut off",
		"an endless series":  "cut off",
	} {
		t.Run(name, func(t *testing.T) {
			patience := time.Minute
			if want == "cut off" || name == "nothing" {
				patience = impatient
			}
			url, finish := hostile(t, Prometheus, patience, odd[name])
			defer finish()
			var got string
			took := allocated(func() { got = askHostile(t, url) })
			if !strings.Contains(got, want) || len(got) > 3<<10 {
				t.Errorf("%.300s, want %s", got, want)
			}
			if took > 100<<20 {
				t.Errorf("%d MiB for an answer", took>>20)
			}
		})
	}
}

// askHostile returns status and text of the answer to a query, "cut off" for one that is not whole.
func askHostile(t *testing.T, url string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/api/v1/query?query=up", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept-Encoding", "gzip") // as it comes
	resp, err := http.DefaultClient.Do(req)
	if errors.Is(err, io.EOF) {
		return "cut off"
	}
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.Header.Get("X-Content-Type-Options") != "nosniff" && resp.StatusCode == http.StatusOK {
		t.Error("a browser may take it for a page")
	}
	begin := make([]byte, 4<<10)
	n, _ := io.ReadFull(resp.Body, begin)
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return "cut off"
	}
	var answer struct{ Status, ErrorType, Error string }
	if json.Unmarshal(begin[:n], &answer) != nil || answer.Status != "error" || answer.ErrorType == "" {
		return fmt.Sprintf("%d %s", resp.StatusCode, begin[:n])
	}
	return fmt.Sprint(resp.StatusCode, " ", answer.Error)
}

// What is no HTTP at all is told.
func TestNoHTTP(t *testing.T) {
	for name, text := range map[string]string{
		"garbage":         "SSH-2.0-OpenSSH_9.2\r\n",
		"long garbage":    strings.Repeat("\x00\xff", 1<<20) + "\r\n",
		"endless headers": "HTTP/1.1 200 OK\r\n" + strings.Repeat("X-A: "+strings.Repeat("x", 1<<10)+"\r\n", 11<<10),
		"nothing":         "",
		"a cut answer":    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{}",
	} {
		ln, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			for {
				c, err := ln.Accept()
				if err != nil {
					return
				}
				_, _ = c.Read(make([]byte, 64<<10))
				_, _ = io.WriteString(c, text)
				_ = c.Close()
			}
		}()
		e := engine(t, VictoriaMetrics, nil)
		e.Query = "http://" + ln.Addr().String()
		if err := readError(t, e); !errors.Is(err, promwire.ErrUnavailable) || len(err.Error()) > 3<<10 {
			t.Errorf("%s: %.300v", name, err)
		}
		url, _, finish := front(t, e)
		if got := askHostile(t, url); !strings.HasPrefix(got, "502 the engine can't be reached") && got != "cut off" || len(got) > 3<<10 {
			t.Errorf("%s: %.300s", name, got)
		}
		finish()
		_ = ln.Close()
	}
}

// A client that takes nothing of its answer, though the engine has one, does not keep its place.
func TestStalledClient(t *testing.T) {
	e := engine(t, Prometheus, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		endless(w, "[1,2],")
	})
	q := proxy(t, e)
	q.pause = 50 * time.Millisecond
	s := httptest.NewServer(q)
	defer s.Close()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "GET /api/v1/query HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	until(t, func() bool { return q.requests.Load() == 1 && q.places.Running() == 0 })
}

// As many queries as there are places are at the engine; others wait in their time, and are told.
func TestQueryPlaces(t *testing.T) {
	release := make(chan struct{})
	e := engine(t, Prometheus, func(w http.ResponseWriter, _ *http.Request) {
		<-release
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, "{}")
	})
	url, g, finish := front(t, e)
	defer finish()
	answers := make(chan string, 3)
	for range 3 {
		go func() { answers <- askHostile(t, url) }()
	}
	shows := func(lines ...string) func() bool {
		return func() bool {
			text := figures(g)
			for _, line := range lines {
				if !strings.Contains(text, "promwire_gateway_"+line+"\n") {
					return false
				}
			}
			return true
		}
	}
	until(t, shows("queries_in_flight 2", "queries_waiting 1"))
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	w := httptest.NewRecorder()
	g.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/api/v1/labels", nil).WithContext(ctx))
	if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "2 queries run already, as many as --query.max-concurrency lets") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	close(release)
	for range 3 {
		if got := <-answers; got != "200 {}" {
			t.Error(got)
		}
	}
	until(t, shows("queries_in_flight 0", "queries_waiting 0", "refused_queries_total 1", "queries_total 3"))
}

// Many clients whose parameters are long get 503 before they take the memory.
func TestQueryForms(t *testing.T) {
	q := proxy(t, engine(t, Prometheus, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
	}))
	long := strings.Repeat("x", 1<<20)
	var done []func()
	for range 64 {
		r := httptest.NewRequest(http.MethodPost, "/api/v1/query", strings.NewReader(long))
		done = append(done, q.forms.Bound(httptest.NewRecorder(), r))
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			t.Fatal(err)
		}
	}
	if got := send(q, http.MethodPost, "/api/v1/query", long); got.Code != http.StatusServiceUnavailable || !strings.Contains(got.Body.String(), "come again later") {
		t.Errorf("%d %s", got.Code, got.Body)
	}
	for _, d := range done {
		d()
	}
	for range 2 {
		if got := send(q, http.MethodPost, "/api/v1/query", long); got.Code != http.StatusOK {
			t.Errorf("%d %s", got.Code, got.Body)
		}
	}
}

// No redirect leads the gateway's credentials elsewhere.
func TestRedirectElsewhere(t *testing.T) {
	var led atomic.Int64
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { led.Add(1) }))
	defer elsewhere.Close()
	for _, kind := range []Kind{Prometheus, Thanos, VictoriaMetrics} {
		e := engine(t, kind, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL+r.URL.Path, http.StatusTemporaryRedirect)
		})
		e.Link.Replace(Connection{http.DefaultTransport, http.Header{"X-Api-Key": {"secret"}}})
		url, _, finish := front(t, e)
		if err := readError(t, e); err == nil || !strings.Contains(err.Error(), "307") {
			t.Errorf("%s: a read: %v", kind, err)
		}
		if got := askHostile(t, url); !strings.HasPrefix(got, "502 the engine answers with 307") {
			t.Errorf("%s: a query: %s", kind, got)
		}
		finish()
	}
	if n := led.Load(); n > 0 {
		t.Errorf("%d requests are led elsewhere", n)
	}
}
