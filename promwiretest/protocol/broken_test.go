package protocol_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/promwiretest"
	"github.com/promwire/promwire/promwiretest/protocol"
	"github.com/promwire/promwire/server"
)

// answer is one of a good handler, to be spoiled.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a *answer) stream() bool {
	return strings.HasPrefix(a.header.Get("Content-Type"), "application/x-streamed")
}

func (a *answer) read() bool { return a.stream() || a.header.Get("Content-Encoding") == "snappy" }

// answering spoils the answers of a good handler.
func answering(spoil func(r *http.Request, a *answer)) http.Handler {
	next := server.NewHandler(promwiretest.NewMemory(promwiretest.RefuseOlder))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		recorded := httptest.NewRecorder()
		next.ServeHTTP(recorded, r)
		a := &answer{recorded.Code, recorded.Header(), recorded.Body.Bytes()}
		spoil(r, a)
		for name, values := range a.header {
			w.Header()[name] = values
		}
		w.Header().Del("Content-Length")
		w.WriteHeader(a.status)
		_, _ = w.Write(a.body)
	})
}

// asking spoils the requests to a good handler.
func asking(spoil func(r *http.Request)) http.Handler {
	next := server.NewHandler(promwiretest.NewMemory(promwiretest.RefuseOlder))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		spoil(r)
		next.ServeHTTP(w, r)
	})
}

// storing puts a handler in front of a storage that is spoiled.
func storing(spoil func(*store)) http.Handler {
	s := &store{Memory: promwiretest.NewMemory(promwiretest.RefuseOlder)}
	spoil(s)
	return server.NewHandler(s, server.WithAnyOrder())
}

type store struct {
	*promwiretest.Memory
	write func(*promwire.WriteRequest)
	read  func(*promwire.Query) func(*promwire.TimeSeries)
}

func (s *store) Write(ctx context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	if s.write == nil {
		return s.Memory.Write(ctx, req)
	}
	changed := req.Clone()
	s.write(changed)
	_, err := s.Memory.Write(ctx, changed)
	return req.Stats(), err
}

func (s *store) Read(ctx context.Context, q promwire.Query) iter.Seq2[promwire.TimeSeries, error] {
	if s.read == nil {
		return s.Memory.Read(ctx, q)
	}
	change := s.read(&q)
	return func(yield func(promwire.TimeSeries, error) bool) {
		for ts, err := range s.Memory.Read(ctx, q) {
			change(&ts)
			if !yield(ts, err) {
				return
			}
		}
	}
}

func keep(*promwire.TimeSeries) {}

// brokenHandlers have one fault each; the check has to end with the verdict.
var brokenHandlers = []struct {
	name    string
	check   string
	verdict protocol.Verdict
	handler http.Handler
	silent  bool // whether it does not answer at all
}{
	{"204 whatever comes", "write/v1/body/garbage", protocol.Fail, answering(func(_ *http.Request, a *answer) { a.status = 204 }), false},
	{"500 for bad bodies", "write/v2/body/truncated", protocol.Fail, answering(func(_ *http.Request, a *answer) {
		if a.status == 400 {
			a.status = 500
		}
	}), false},
	{"429 for bad series", "write/v2/labels/duplicate", protocol.Fail, answering(func(_ *http.Request, a *answer) {
		if a.status == 400 {
			a.status = 429
		}
	}), false},
	{"422 for bad series", "write/v2/labels/duplicate", protocol.Warn, answering(func(_ *http.Request, a *answer) {
		if a.status == 400 {
			a.status = 422
		}
	}), false},
	{"refuses without a text", "write/v2/text", protocol.Warn, answering(func(_ *http.Request, a *answer) { a.body = nil }), false},
	{"200 with a body", "write/v1/sample", protocol.Warn, answering(func(_ *http.Request, a *answer) {
		if a.status == 204 {
			a.status, a.body = 200, []byte("ok")
		}
	}), false},
	{"415 is 400", "write/content-type/json", protocol.Warn, answering(func(_ *http.Request, a *answer) {
		if a.status == 415 {
			a.status = 400
		}
	}), false},
	{"swallows 2.0", "write/v2/sample", protocol.Fail, answering(func(r *http.Request, a *answer) {
		if strings.Contains(r.Header.Get("Content-Type"), "v2") {
			for name := range a.header {
				if strings.Contains(name, "Written") {
					a.header.Del(name)
				}
			}
		}
	}), false},
	{"no counts beside a refusal", "write/v2/labels/no-name", protocol.Fail, answering(func(_ *http.Request, a *answer) {
		if a.status == 400 {
			a.header.Del(promwire.HeaderSamplesWritten)
		}
	}), false},
	{"counts what it refuses", "write/v2/labels/no-name", protocol.Fail, answering(func(_ *http.Request, a *answer) {
		if a.header.Get(promwire.HeaderSamplesWritten) == "2" {
			a.header.Set(promwire.HeaderSamplesWritten, "3")
		}
	}), false},
	{"does not look at types", "write/content-type/json", protocol.Fail, asking(func(r *http.Request) { r.Header.Del("Content-Type") }), false},
	{"does not look at encodings", "write/encoding/br", protocol.Fail, asking(func(r *http.Request) { r.Header.Del("Content-Encoding") }), false},
	{"takes any method", "write/method", protocol.Fail, asking(func(r *http.Request) {
		if r.Method != http.MethodPost {
			r.Method, r.Body = http.MethodPost, io.NopCloser(bytes.NewReader([]byte{0}))
		}
	}), false},
	{"an empty body is an empty message", "write/v1/body/empty", protocol.Fail, asking(func(r *http.Request) {
		if r.ContentLength == 0 {
			r.Body, r.ContentLength = io.NopCloser(bytes.NewReader([]byte{0})), 1
		}
	}), false},
	{"no answer to what announces much", "write/v1/body/announced", protocol.Fail, slow(), true},
	{"2.0 with a blank is 1.0", "write/content-type/v2-blank", protocol.Fail, answering(func(r *http.Request, a *answer) {
		if strings.Contains(r.Header.Get("Content-Type"), "; proto") {
			a.status, a.header, a.body = 204, http.Header{}, nil
		}
	}), false},
	{"refuses metadata alone", "write/v1/metadata-only", protocol.Fail, answering(func(r *http.Request, a *answer) {
		if r.ContentLength > 10 && r.ContentLength < 40 {
			a.status = 400
		}
	}), false},
	{"loses the stale mark", "write/v2/stale", protocol.Fail, storing(func(s *store) {
		s.write = changeValues(func(v float64) float64 { return v + 0*v })
	}), false},
	{"loses the sign of zero", "write/v2/minus-zero", protocol.Warn, storing(func(s *store) {
		s.write = changeValues(func(v float64) float64 { return v + 0 })
	}), false},
	{"loses a series of many", "write/v1/many", protocol.Fail, storing(func(s *store) {
		s.write = func(req *promwire.WriteRequest) {
			if len(req.Timeseries) == 500 {
				req.Timeseries = req.Timeseries[:499]
			}
		}
	}), false},
	{"drops histograms", "write/histogram", protocol.Fail, storing(func(s *store) {
		s.write = func(req *promwire.WriteRequest) {
			for i := range req.Timeseries {
				req.Timeseries[i].Histograms = nil
			}
		}
	}), false},
	{"a late sample is lost", "write/v1/late", protocol.Fail, server.NewHandler(forgiving{promwiretest.NewMemory(promwiretest.RefuseOlder)}), false},
	{"another value is lost", "write/v2/other-value", protocol.Warn, server.NewHandler(forgiving{promwiretest.NewMemory(promwiretest.RefuseOlder)}), false},
	{"the same again is refused", "write/v1/same-again", protocol.Fail, onlyNewer(), false},
	{"ends before the end", "read/range", protocol.Fail, storing(func(s *store) {
		s.read = func(q *promwire.Query) func(*promwire.TimeSeries) {
			q.End = q.End.Add(-time.Millisecond)
			return keep
		}
	}), false},
	{"does not know patterns", "read/matchers", protocol.Fail, storing(func(s *store) {
		s.read = func(q *promwire.Query) func(*promwire.TimeSeries) {
			for i := range q.Matchers {
				if m := &q.Matchers[i]; m.Type == promwire.MatchRegexp {
					m.Value = ".*(?:" + m.Value + ").*"
				}
			}
			return keep
		}
	}), false},
	{"thins out by hints", "read/hints", protocol.Fail, storing(func(s *store) {
		s.read = func(q *promwire.Query) func(*promwire.TimeSeries) {
			return func(ts *promwire.TimeSeries) {
				if q.Hints.Step > 0 {
					ts.Samples = ts.Samples[:1]
				}
			}
		}
	}), false},
	{"only the first result", "read/queries", protocol.Fail, asking(func(r *http.Request) {
		changeRead(r, func(req *promwire.ReadRequest) { req.Queries = req.Queries[:min(1, len(req.Queries))] })
	}), false},
	{"streams whatever is accepted", "read/negotiation", protocol.Fail, asking(func(r *http.Request) {
		changeRead(r, func(req *promwire.ReadRequest) {
			if len(req.AcceptedResponseTypes) > 1 {
				req.AcceptedResponseTypes = []promwire.ResponseType{1}
			}
		})
	}), false},
	{"answers types that it does not know", "read/negotiation/unknown", protocol.Fail, asking(func(r *http.Request) {
		changeRead(r, func(req *promwire.ReadRequest) {
			if len(req.AcceptedResponseTypes) == 2 && req.AcceptedResponseTypes[0] > 1 {
				req.AcceptedResponseTypes = nil
			}
		})
	}), false},
	{"leaves out queries that it can't answer", "read/bad-pattern", protocol.Fail, asking(func(r *http.Request) {
		changeRead(r, func(req *promwire.ReadRequest) {
			if len(req.Queries) == 2 {
				req.Queries[1].Matchers = nil
			}
		})
	}), false},
	{"a stream of another type", "read/stream", protocol.Fail, answering(func(_ *http.Request, a *answer) {
		if a.stream() {
			a.header.Set("Content-Type", "application/x-streamed-protobuf;proto=prometheus.ChunkedReadResponse")
		}
	}), false},
	{"wrong checksums", "read/stream", protocol.Fail, answering(func(_ *http.Request, a *answer) {
		if a.stream() && len(a.body) > 3 {
			a.body[3] ^= 1
		}
	}), false},
	{"cuts the stream", "read/stream/long", protocol.Fail, answering(func(_ *http.Request, a *answer) {
		if a.stream() && len(a.body) > 10_000 {
			a.body = a.body[:10_000]
		}
	}), false},
	{"an empty stream", "read/stream/queries", protocol.Fail, answering(func(_ *http.Request, a *answer) {
		if a.stream() && len(a.body) > 0 {
			a.body = nil
		}
	}), false},
	{"a samples answer of another type", "read/samples", protocol.Fail, answering(func(_ *http.Request, a *answer) {
		if a.read() && !a.stream() {
			a.header.Set("Content-Type", "application/octet-stream")
		}
	}), false},
}

// slow does not answer what announces gigabytes, until the client goes away.
func slow() http.Handler {
	next := server.NewHandler(promwiretest.NewMemory(promwiretest.RefuseOlder))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if bytes.HasPrefix(body, []byte{0xff, 0xff, 0xff, 0xff}) && len(body) < 20 {
			<-r.Context().Done()
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		next.ServeHTTP(w, r)
	})
}

func changeValues(f func(float64) float64) func(*promwire.WriteRequest) {
	return func(req *promwire.WriteRequest) {
		for i := range req.Timeseries {
			for j := range req.Timeseries[i].Samples {
				req.Timeseries[i].Samples[j].Value = f(req.Timeseries[i].Samples[j].Value)
			}
		}
	}
}

// forgiving counts as written what Memory refuses.
type forgiving struct{ *promwiretest.Memory }

func (f forgiving) Write(ctx context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	_, _ = f.Memory.Write(ctx, req)
	return req.Stats(), nil
}

// onlyNewer refuses a body that was there before.
func onlyNewer() http.Handler {
	next := server.NewHandler(promwiretest.NewMemory(promwiretest.RefuseOlder))
	var seen sync.Map
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if _, again := seen.LoadOrStore(string(body), true); again && strings.HasSuffix(r.URL.Path, "write") {
			http.Error(w, "again", http.StatusConflict)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		next.ServeHTTP(w, r)
	})
}

// changeRead changes a read request.
func changeRead(r *http.Request, change func(*promwire.ReadRequest)) {
	body, err := io.ReadAll(r.Body)
	if err == nil && strings.HasSuffix(r.URL.Path, "read") {
		var req promwire.ReadRequest
		msg, err := promwire.Snappy.AppendDecoded(nil, body, 1<<20)
		if err = errors.Join(err, req.UnmarshalProto(msg)); err == nil {
			change(&req)
			body, _ = promwire.Snappy.AppendEncoded(nil, req.AppendProto(nil))
		}
	}
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
}

// TestBrokenHandlers: each fault is seen by the check that is about it.
func TestBrokenHandlers(t *testing.T) {
	for _, b := range brokenHandlers {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			srv := httptest.NewServer(b.handler)
			defer srv.Close()
			timeout := time.Minute
			if b.silent {
				timeout = 2 * time.Second
			}
			report := protocol.Check(t.Context(), srv.URL, protocol.WithChecks(b.check), protocol.WithSettle(50*time.Millisecond), protocol.WithTimeout(timeout))
			result, found := report.Result(b.check)
			if !found || result.Verdict != b.verdict || result.Why == "" || result.Got == "" {
				t.Errorf("want the verdict %s: %s", b.verdict, result)
			}
		})
	}
}
