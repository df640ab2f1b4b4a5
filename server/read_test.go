package server_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/chunk"
	"github.com/promwire/promwire/internal/xcompress"
	"github.com/promwire/promwire/server"
)

// query selects everything at second 0 to 100 that the matchers select.
func query(matchers ...promwire.Matcher) promwire.Query {
	return promwire.Query{Start: time.UnixMilli(0), End: time.UnixMilli(100_000), Matchers: matchers}
}

func match(t promwire.MatchType, name, value string) promwire.Matcher {
	return promwire.Matcher{Type: t, Name: name, Value: value}
}

// all selects every series that has a name.
var all = query(match(promwire.MatchNotEqual, "__name__", ""))

func readRequest(types []promwire.ResponseType, queries ...promwire.Query) *http.Request {
	req := promwire.ReadRequest{Queries: queries, AcceptedResponseTypes: types}
	return rawReadRequest(xcompress.AppendSnappy(nil, req.AppendProto(nil)))
}

func rawReadRequest(body []byte) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/api/v1/read", bytes.NewReader(body))
	r.Header.Set("Content-Type", promwire.ContentTypeProtobuf)
	r.Header.Set("Content-Encoding", promwire.EncodingSnappy)
	r.Header.Set("Accept-Encoding", promwire.EncodingSnappy)
	r.Header.Set(promwire.HeaderReadVersion, promwire.ReadVersion)
	return r
}

var (
	wantSamples = []promwire.ResponseType{promwire.ResponseSamples}
	wantStream  = []promwire.ResponseType{promwire.ResponseStreamedXORChunks}
)

// samples decodes an answer of type SAMPLES.
func samples(tb testing.TB, w *httptest.ResponseRecorder) [][]promwire.TimeSeries {
	tb.Helper()
	h := w.Header()
	if w.Code != 200 || h.Get("Content-Type") != "application/x-protobuf" || h.Get("Content-Encoding") != "snappy" ||
		h.Get("Content-Length") != fmt.Sprint(w.Body.Len()) {
		tb.Fatalf("answer %d, headers %v: %.300s", w.Code, h, w.Body)
	}
	msg, err := xcompress.AppendDecoded(nil, w.Body.Bytes(), math.MaxInt32)
	if err != nil {
		tb.Fatal(err)
	}
	var resp promwire.ReadResponse
	if err := resp.UnmarshalProto(msg); err != nil {
		tb.Fatal(err)
	}
	out := [][]promwire.TimeSeries{}
	for _, result := range resp.Results {
		out = append(out, result.Timeseries)
	}
	if again := resp.AppendProto(nil); !bytes.Equal(again, msg) && len(again) != len(msg) {
		tb.Fatalf("message has %d bytes, the shortest form %d", len(msg), len(again))
	}
	return out
}

// stream decodes a streamed answer into whole series per query; frames checks each frame.
func stream(tb testing.TB, w *httptest.ResponseRecorder, queries int, frames ...func(*promwire.ChunkedReadResponse)) [][]promwire.TimeSeries {
	tb.Helper()
	h := w.Header()
	if w.Code != 200 || h.Get("Content-Type") != "application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse" ||
		h.Get("Content-Encoding") != "" {
		tb.Fatalf("answer %d, headers %v: %.300s", w.Code, h, w.Body)
	}
	out := make([][]promwire.TimeSeries, queries)
	reader := promwire.NewFrameReader(w.Body, 0)
	var dec chunk.Decoder
	var c promwire.ChunkedReadResponse
	for last := int64(0); reader.Next(&c) == nil; last = c.QueryIndex {
		for _, check := range frames {
			check(&c)
		}
		if len(c.ChunkedSeries) != 1 || c.QueryIndex < last {
			tb.Fatalf("frame with %d series of query %d after query %d", len(c.ChunkedSeries), c.QueryIndex, last)
		}
		result, got := out[c.QueryIndex], c.ChunkedSeries[0]
		if n := len(result); n == 0 || !result[n-1].Labels.Equal(got.Labels) {
			result = append(result, promwire.TimeSeries{Labels: got.Labels.Clone()})
		}
		for _, ch := range got.Chunks {
			if err := dec.Append(&result[len(result)-1], ch, math.MinInt64, math.MaxInt64); err != nil {
				tb.Fatal(err)
			}
		}
		out[c.QueryIndex] = result
	}
	if err := reader.Next(&c); !errors.Is(err, io.EOF) {
		tb.Fatal(err)
	}
	return out
}

// text is a readable form of results.
func text(results [][]promwire.TimeSeries) string {
	var b strings.Builder
	for i, result := range results {
		fmt.Fprintf(&b, "%d:", i)
		for _, ts := range result {
			fmt.Fprintf(&b, " %s", ts.Labels)
			for _, s := range ts.Samples {
				fmt.Fprintf(&b, " %v@%d", s.Value, s.Timestamp)
			}
			for _, h := range ts.Histograms {
				fmt.Fprintf(&b, " h%d@%d", h.Count, h.Timestamp)
			}
		}
		b.WriteString("\n")
	}
	return b.String()
}

// filled returns a store with a few series.
func filled(tb testing.TB) *memStore {
	tb.Helper()
	store := newStore()
	mixed := series([]float64{1, 2, 3}, "__name__", "mixed")
	for _, at := range []int64{1500, 2000, 2500, 9000} {
		mixed.Histograms = append(mixed.Histograms, promwire.Histogram{Timestamp: at, Count: 2, ZeroCount: 2, Sum: 1})
	}
	req := &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{
		series([]float64{1, 0, 1}, "__name__", "up", "job", "a"),
		series([]float64{1, 1}, "__name__", "up", "job", "aa"),
		series([]float64{5}, "__name__", "up", "job", "b\nc"),
		series([]float64{7}, "__name__", "down"),
		mixed,
	}}
	if _, err := store.Write(tb.Context(), req); err != nil {
		tb.Fatal(err)
	}
	return store
}

// readRoads are the ways from a store to an answer; all give the same data.
func readRoads(store *memStore, opts ...server.ReadOption) map[string]func(testing.TB, ...promwire.Query) [][]promwire.TimeSeries {
	plain, chunks := server.NewReadHandler(readerFunc(store.Read), opts...), server.NewReadHandler(chunkStore{store}, opts...)
	return map[string]func(testing.TB, ...promwire.Query) [][]promwire.TimeSeries{
		"samples": func(tb testing.TB, q ...promwire.Query) [][]promwire.TimeSeries {
			return samples(tb, do(plain, readRequest(wantSamples, q...)))
		},
		"chunks made of samples": func(tb testing.TB, q ...promwire.Query) [][]promwire.TimeSeries {
			return stream(tb, do(plain, readRequest(wantStream, q...)), len(q))
		},
		"chunks of the storage": func(tb testing.TB, q ...promwire.Query) [][]promwire.TimeSeries {
			return stream(tb, do(chunks, readRequest(wantStream, q...)), len(q))
		},
	}
}

func TestReadMatchers(t *testing.T) {
	tests := []struct {
		name     string
		matchers []promwire.Matcher
		want     string
	}{
		{"none", nil, ""},
		{"equal", []promwire.Matcher{match(0, "job", "a")}, `up{job="a"}`},
		{"equal to nothing", []promwire.Matcher{match(0, "job", ""), match(1, "__name__", "mixed")}, "down"},
		{"unequal selects series without the label", []promwire.Matcher{match(1, "job", "a"), match(0, "__name__", "down")}, "down"},
		{"pattern is anchored", []promwire.Matcher{match(2, "job", "a")}, `up{job="a"}`},
		{"alternatives are anchored", []promwire.Matcher{match(2, "job", "a|aa")}, `up{job="a"} up{job="aa"}`},
		{"dot matches a newline", []promwire.Matcher{match(2, "job", "b.c")}, `up{job="b\nc"}`},
		{"any value, also none", []promwire.Matcher{match(2, "job", ".*"), match(3, "__name__", "mixed|up")}, "down"},
		{"some value", []promwire.Matcher{match(2, "job", ".+")}, `up{job="a"} up{job="aa"} up{job="b\nc"}`},
		{"unlike", []promwire.Matcher{match(3, "job", "a+"), match(0, "__name__", "up")}, `up{job="b\nc"}`},
		{"all must hold", []promwire.Matcher{match(0, "__name__", "up"), match(0, "job", "x")}, ""},
	}
	for _, tt := range tests {
		for road, read := range readRoads(filled(t)) {
			if strings.HasPrefix(road, "chunks of") && strings.Contains(tt.want, "mixed") {
				continue
			}
			var got []string
			for _, ts := range read(t, query(tt.matchers...))[0] {
				got = append(got, ts.Labels.String())
			}
			if strings.Join(got, " ") != tt.want {
				t.Errorf("%s, %s: got %v, want %s", tt.name, road, got, tt.want)
			}
		}
	}
}

func TestReadSeveralQueries(t *testing.T) {
	queries := []promwire.Query{
		query(match(0, "job", "a")),
		query(),
		query(match(0, "job", "none")),
		{Start: time.UnixMilli(1001), End: time.UnixMilli(2000), Matchers: []promwire.Matcher{match(2, "job", "a+")}},
		{Start: time.UnixMilli(5000), End: time.UnixMilli(1000), Matchers: all.Matchers},
	}
	want := `0: up{job="a"} 1@1000 0@2000 1@3000
1:
2:
3: up{job="a"} 0@2000 up{job="aa"} 1@2000
4:
`
	for road, read := range readRoads(filled(t)) {
		for range 2 {
			if got := text(read(t, queries...)); got != want {
				t.Errorf("%s: got\n%s", road, got)
			}
		}
		if got := text(read(t)); got != "" {
			t.Errorf("%s: no queries gave %q", road, got)
		}
	}
}

// Floats and histograms of one series take turns in time; chunks must not overlap, and the float wins a tie.
func TestReadMixedSeries(t *testing.T) {
	store := filled(t)
	h := server.NewReadHandler(readerFunc(store.Read))
	mixed := query(match(0, "__name__", "mixed"))
	if got := text(samples(t, do(h, readRequest(nil, mixed)))); got != "0: mixed 1@1000 2@2000 3@3000 h2@1500 h2@2000 h2@2500 h2@9000\n" {
		t.Errorf("samples: %s", got)
	}
	end := int64(math.MinInt64)
	got := text(stream(t, do(h, readRequest(wantStream, mixed)), 1, func(c *promwire.ChunkedReadResponse) {
		for _, ch := range c.ChunkedSeries[0].Chunks {
			if ch.MinTime <= end || ch.MaxTime < ch.MinTime {
				t.Errorf("chunk %d..%d after %d", ch.MinTime, ch.MaxTime, end)
			}
			end = ch.MaxTime
		}
	}))
	if got != "0: mixed 1@1000 2@2000 3@3000 h2@1500 h2@2500 h2@9000\n" {
		t.Errorf("chunks: %s", got)
	}
}

// long returns a store of n series with as many samples each as given.
func long(tb testing.TB, n, samples int) *memStore {
	tb.Helper()
	store := newStore()
	req := many(n)
	for i := range req.Timeseries {
		req.Timeseries[i].Samples = nil
		for k := range samples {
			req.Timeseries[i].Samples = append(req.Timeseries[i].Samples,
				promwire.Sample{Timestamp: int64(k), Value: math.Sin(float64(k * (i + 1)))})
		}
	}
	if _, err := store.Write(tb.Context(), req); err != nil {
		tb.Fatal(err)
	}
	return store
}

// Parts of a series become one TimeSeries of samples, and frames of one series.
func TestReadJoinsParts(t *testing.T) {
	for _, size := range []int{1, 7, 130, 5000} {
		store := long(t, 3, 1000)
		want := text([][]promwire.TimeSeries{store.sorted(compiled(t, all))})
		store.partSize = size
		for road, read := range readRoads(store) {
			if got := text(read(t, all)); got != want {
				t.Errorf("parts of %d, %s: got %.500s", size, road, got)
			}
		}
	}
}

// Results of all sizes, so that the room for their lengths is too large, just right and too small.
func TestReadResultSizes(t *testing.T) {
	store := long(t, 150, 1000)
	h := server.NewReadHandler(store)
	one, ten, none := match(0, "instance", "10.0.0.7:9090"), match(2, "instance", ".*[0-9]1:9090"), match(0, "instance", "x")
	for _, queries := range [][]promwire.Query{
		{all},
		{query(none)},
		{query(one)},
		{query(ten)},
		{query(none), all, query(one), query(none), query(ten), all, query(one)},
		{{Start: time.UnixMilli(5), End: time.UnixMilli(5), Matchers: []promwire.Matcher{one}}, all, query(one)},
	} {
		var want promwire.ReadResponse
		for _, q := range queries {
			want.Results = append(want.Results, promwire.QueryResult{Timeseries: store.sorted(compiled(t, q))})
		}
		for range 2 {
			w := do(h, readRequest(nil, queries...))
			samples(t, w)
			got, err := xcompress.AppendDecoded(nil, w.Body.Bytes(), math.MaxInt32)
			if err != nil || !bytes.Equal(got, dropEmpty(want).AppendProto(nil)) {
				t.Errorf("%d queries: message of %d bytes, %v", len(queries), len(got), err)
			}
		}
	}
}

// dropEmpty leaves out series without data, as the handler does.
func dropEmpty(resp promwire.ReadResponse) *promwire.ReadResponse {
	for i := range resp.Results {
		resp.Results[i].Timeseries = slices.DeleteFunc(resp.Results[i].Timeseries, func(ts promwire.TimeSeries) bool {
			return len(ts.Samples)+len(ts.Histograms) == 0
		})
	}
	return &resp
}

func compiled(tb testing.TB, q promwire.Query) promwire.Query {
	tb.Helper()
	q.Matchers = slices.Clone(q.Matchers)
	if err := promwire.CompileMatchers(q.Matchers); err != nil {
		tb.Fatal(err)
	}
	return q
}

func TestReadFrameLimit(t *testing.T) {
	store := long(t, 3, 5000)
	want := text([][]promwire.TimeSeries{store.sorted(compiled(t, all))})
	for _, limit := range []int{1, 2000, 10_000} {
		for _, reader := range []promwire.Reader{readerFunc(store.Read), chunkStore{store}} {
			h := server.NewReadHandler(reader, server.WithReadLimits(server.ReadLimits{MaxFrameBytes: limit}))
			frames := 0
			got := text(stream(t, do(h, readRequest(wantStream, all)), 1, func(c *promwire.ChunkedReadResponse) {
				frames++
				if size := len(c.AppendProto(nil)); size > limit && len(c.ChunkedSeries[0].Chunks) > 1 {
					t.Errorf("frame of %d bytes, limit %d", size, limit)
				}
			}))
			if got != want {
				t.Errorf("limit %d: got %.500s", limit, got)
			}
			if (limit == 1) != (frames == 3*42) || frames <= 3 {
				t.Errorf("limit %d: %d frames", limit, frames)
			}
		}
	}
}

func TestReadNegotiation(t *testing.T) {
	tests := []struct {
		name  string
		types []promwire.ResponseType
		want  string // "" for 400
	}{
		{"none", nil, promwire.ContentTypeProtobuf},
		{"samples", []promwire.ResponseType{0}, promwire.ContentTypeProtobuf},
		{"stream", []promwire.ResponseType{1}, promwire.ContentTypeStream},
		{"stream first", []promwire.ResponseType{1, 0}, promwire.ContentTypeStream},
		{"samples first", []promwire.ResponseType{0, 1}, promwire.ContentTypeProtobuf},
		{"unknown first", []promwire.ResponseType{7, -1, 1, 0}, promwire.ContentTypeStream},
		{"unknown only", []promwire.ResponseType{2, 99}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := do(server.NewReadHandler(filled(t)), readRequest(tt.types, all))
			if tt.want == "" {
				expect(t, w, 400, "", "none of the accepted response types")
			} else if got := w.Header().Get("Content-Type"); w.Code != 200 || got != tt.want {
				t.Errorf("%d, %q, want %q", w.Code, got, tt.want)
			}
		})
	}
}

// The request of the protocol's example: encodings as other implementations write them.
func TestReadVector(t *testing.T) {
	body := unhex(t, `44f043 0a3e08e80710882 71a0e12085f5f6e616d655f5f1a0275701a0c080212036a6f621a03617c62
		2218080f12047261746518e80720 88272a036a6f62300138ac0212020100`)
	results := stream(t, do(server.NewReadHandler(filled(t)), rawReadRequest(body)), 1)
	if got := text(results); got != "0: up{job=\"a\"} 1@1000 0@2000 1@3000\n" {
		t.Errorf("got %s", got)
	}
}

func TestReadHints(t *testing.T) {
	var got promwire.Query
	h := server.NewReadHandler(readerFunc(func(_ context.Context, q promwire.Query) iter.Seq2[promwire.TimeSeries, error] {
		got = q
		return func(func(promwire.TimeSeries, error) bool) {}
	}))
	q := all
	q.Hints = promwire.ReadHints{
		Step: 15 * time.Second, Func: "rate", Start: time.UnixMilli(1000), End: time.UnixMilli(5000),
		Grouping: []string{"job"}, By: true, Range: time.Minute,
	}
	samples(t, do(h, readRequest(nil, q)))
	if !got.Start.Equal(q.Start) || !got.End.Equal(q.End) || got.Hints.Step != q.Hints.Step || got.Hints.Func != "rate" ||
		!got.Hints.End.Equal(q.Hints.End) || got.Hints.Grouping[0] != "job" || !got.Hints.By || got.Hints.Range != time.Minute {
		t.Errorf("the storage was asked %+v", got)
	}
}

func TestReadBadRequests(t *testing.T) {
	encoded := func(q ...promwire.Query) []byte {
		return xcompress.AppendSnappy(nil, (&promwire.ReadRequest{Queries: q}).AppendProto(nil))
	}
	pattern := func(p string) []byte { return encoded(query(match(2, "job", p))) }
	limits := server.ReadLimits{MaxQueries: 3, MaxMatchers: 5, MaxPatternBytes: 100, MaxDecodedBytes: 10_000, MaxBodyBytes: 9_000}
	tests := []struct {
		name   string
		body   []byte
		status int
		text   string
	}{
		{"no bytes", nil, 400, "snappy"},
		{"framed snappy", unhex(t, "ff060000734e61507059"), 400, "snappy"},
		{"announces too much", unhex(t, "8180801000"), 413, "limit"},
		{"body too large", bytes.Repeat([]byte("x"), 9001), 413, "limit 9000"},
		{"protobuf truncated", xcompress.AppendSnappy(nil, unhex(t, "0a3e08e807")), 400, "decode prometheus.ReadRequest"},
		{"malformed pattern", pattern("a("), 400, "matcher on label"},
		{"lookahead", pattern("(?!a)"), 400, "matcher on label"},
		{"repetition too high", pattern("a{1001}"), 400, "matcher on label"},
		{"pattern too long", pattern(strings.Repeat("a?", 51)), 400, "patterns of more than 100 bytes"},
		{"patterns too long together", encoded(query(match(2, "a", strings.Repeat("a?", 30)), match(3, "b", strings.Repeat("b?", 30)))), 400, "patterns of more than 100 bytes"},
		{"unknown match type", encoded(query(match(9, "job", "a"))), 400, "match type"},
		{"too many queries", encoded(all, all, all, all), 400, "4 queries, limit 3"},
		{"too many matchers", encoded(query(all.Matchers[0], all.Matchers[0], all.Matchers[0]), query(all.Matchers[0], all.Matchers[0], all.Matchers[0])), 400, "6 matchers, limit 5"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := server.NewReadHandler(readerFunc(func(context.Context, promwire.Query) iter.Seq2[promwire.TimeSeries, error] {
				t.Error("the storage was asked")
				return func(func(promwire.TimeSeries, error) bool) {}
			}), server.WithReadLimits(limits))
			expect(t, do(h, rawReadRequest(tt.body)), tt.status, "", tt.text)
		})
	}
}

func TestReadPatternBomb(t *testing.T) {
	for name, tt := range map[string]struct{ pattern, text string }{
		"repetitions":      {strings.Repeat("(?:x.y.){1000}", 100), "too complex"},
		"Unicode classes":  {strings.Repeat(`\pL`, 1000), "too many classes"},
		"negated classes":  {strings.Repeat(`[^\PL]`, 1000), "too many classes"},
		"folded classes":   {strings.Repeat(`(?i)[B-\x{1e942}]`, 1000), "too many classes"},
		"folded class set": {"(?i:" + strings.Repeat(`[k-\x{1e942}]`, 1000) + ")", "too many classes"},
		"folded non-words": {"(?i)" + strings.Repeat(`\W`, 1000), "too many classes"},
		"folded negations": {"(?i)" + strings.Repeat(`[[:^alpha:]]`, 1000), "too many classes"},
	} {
		t.Run(name, func(t *testing.T) {
			var w *httptest.ResponseRecorder
			used := allocated(func() {
				w = do(server.NewReadHandler(newStore()), readRequest(nil, query(match(2, "job", tt.pattern))))
			})
			expect(t, w, 400, "", tt.text)
			if used > 32<<20 {
				t.Errorf("took %d MiB", used>>20)
			}
		})
	}
	// What dashboards ask for is far below: hundreds of hosts, each with a class.
	usual := query(match(2, "instance", strings.Repeat(`web-[0-9]+\.example:9100|`, 400)+"(?i)x"), match(3, "job", `\pL+`))
	samples(t, do(server.NewReadHandler(newStore()), readRequest(nil, usual)))
	list := query(match(2, "instance", "("+strings.Repeat(`web-01\.example:9100|`, 5000)+"x)")) // of 100 kB, as Grafana makes it
	samples(t, do(server.NewReadHandler(newStore()), readRequest(nil, list)))
}

func TestReadHeaders(t *testing.T) {
	h := server.NewReadHandler(newStore())
	get := httptest.NewRequest(http.MethodGet, "/", untouched{t})
	w := do(h, get)
	expect(t, w, 405, "", `"GET", want POST`)
	if w.Header().Get("Allow") != "POST" {
		t.Error("no Allow header")
	}
	gzip := httptest.NewRequest(http.MethodPost, "/", untouched{t})
	gzip.Header.Set("Content-Encoding", "gzip")
	expect(t, do(h, gzip), 415, "", `"gzip", want "snappy"`)
}

func TestReadLimits(t *testing.T) {
	store := long(t, 2, 100)
	tests := []struct {
		name   string
		limits server.ReadLimits
		status int
		text   string
	}{
		{"samples fit", server.ReadLimits{MaxSamples: 200}, 200, ""},
		{"samples", server.ReadLimits{MaxSamples: 199}, 400, "exceeded sample limit (199)"},
		{"bytes", server.ReadLimits{MaxResponseBytes: 500}, 400, "ask for STREAMED_XOR_CHUNKS"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := server.NewReadHandler(store, server.WithReadLimits(tt.limits))
			w := do(h, readRequest(nil, all, all))
			if tt.status == 200 {
				samples(t, w)
				return
			}
			expect(t, w, tt.status, "", tt.text)
			// Streams have no such limits.
			stream(t, do(h, readRequest(wantStream, all)), 1)
		})
	}
}

func TestReadStorageFails(t *testing.T) {
	tests := []struct {
		name   string
		err    error
		status int
	}{
		{"unknown", errors.New("boom"), 500},
		{"unavailable", promwire.ErrUnavailable, 503},
		{"its data are malformed", &promwire.DecodeError{Err: errors.New("x")}, 500},
		{"a peer refuses", &promwire.HTTPError{StatusCode: 401}, 401},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			store := filled(t)
			store.fail = tt.err
			for _, types := range [][]promwire.ResponseType{wantSamples, wantStream} {
				w := do(server.NewReadHandler(store), readRequest(types, all))
				expect(t, w, tt.status, "", tt.err.Error())
				if w.Header().Get("Content-Encoding") != "" {
					t.Error("text with a content encoding")
				}
			}
		})
	}
}

// TestReadTimeOrder yields samples of one series that go back in time: within a part, and from part to part.
func TestReadTimeOrder(t *testing.T) {
	at := func(times ...int64) promwire.TimeSeries {
		ts := promwire.TimeSeries{Labels: promwire.LabelsFromStrings("__name__", "a")}
		for _, t := range times {
			ts.Samples = append(ts.Samples, promwire.Sample{Timestamp: t, Value: 1})
		}
		return ts
	}
	histograms := at()
	for _, t := range []int64{2000, 1000} {
		histograms.Histograms = append(histograms.Histograms, promwire.Histogram{Timestamp: t, Schema: 1})
	}
	other := at(1000)
	other.Labels = promwire.LabelsFromStrings("__name__", "b")
	for name, tt := range map[string]struct {
		parts []promwire.TimeSeries
		text  string
	}{
		"in a part":       {[]promwire.TimeSeries{at(2000, 1000)}, "out of time order: a at 1000 ms came after 2000 ms"},
		"between parts":   {[]promwire.TimeSeries{at(2000), at(1000)}, "out of time order: a at 1000 ms came after 2000 ms"},
		"histograms":      {[]promwire.TimeSeries{histograms}, "out of time order: a at 1000 ms came after 2000 ms"},
		"the next series": {[]promwire.TimeSeries{at(2000, 2000), other}, ""},
	} {
		reader := readerFunc(func(context.Context, promwire.Query) iter.Seq2[promwire.TimeSeries, error] {
			return func(yield func(promwire.TimeSeries, error) bool) {
				for _, ts := range tt.parts {
					if !yield(ts, nil) {
						return
					}
				}
			}
		})
		for _, types := range [][]promwire.ResponseType{wantSamples, wantStream} {
			t.Run(name, func(t *testing.T) {
				w := do(server.NewReadHandler(reader), readRequest(types, all))
				if tt.text != "" {
					expect(t, w, 500, "", tt.text)
				} else if w.Code != 200 {
					t.Errorf("status %d: %s", w.Code, w.Body)
				}
			})
		}
	}
}

func TestReadOrder(t *testing.T) {
	a, b := series([]float64{1}, "__name__", "a"), series([]float64{1}, "__name__", "b")
	for name, yields := range map[string][]promwire.TimeSeries{"backwards": {b, a}, "again": {a, b, a}} {
		reader := readerFunc(func(context.Context, promwire.Query) iter.Seq2[promwire.TimeSeries, error] {
			return func(yield func(promwire.TimeSeries, error) bool) {
				for _, ts := range yields {
					if !yield(ts, nil) {
						return
					}
				}
			}
		})
		for _, types := range [][]promwire.ResponseType{wantSamples, wantStream} {
			t.Run(name, func(t *testing.T) {
				expect(t, do(server.NewReadHandler(reader), readRequest(types, all)), 500, "", "out of label order: a came too late")
				w := do(server.NewReadHandler(reader, server.WithAnyOrder()), readRequest(types, all))
				got := ""
				if types[0] == promwire.ResponseSamples {
					got = text(samples(t, w))
				} else {
					got = text(stream(t, w, 1))
				}
				if want := text([][]promwire.TimeSeries{yields}); got != want {
					t.Errorf("in any order: got %s, want %s", got, want)
				}
			})
		}
	}
}
