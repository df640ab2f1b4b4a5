package queryapi

import (
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/promwire/promwire"
)

// TestShortMemory has a limit that is exceeded already: what runs is ended with 503, and the next request too.
func TestShortMemory(t *testing.T) {
	h := New(newStore(t), Options{MaxMemory: 1})
	heavy := params("query", "sum_over_time(sum_over_time(requests_total[1h:1s])[1h:1s])", "start", "1772360000", "end", "1772366400", "step", "10")
	for range 2 {
		get(h, "query_range", heavy).demand(t, 503, `"errorType":"unavailable"`, `"error":"ended, since the memory of the server is short`, "--query.max-memory")
	}
	h = New(newStore(t), Options{MaxMemory: 1 << 40})
	get(h, "query", params("query", "sum(requests_total)", "time", "1772366400")).demand(t, 200, `"14400"`)
}

// TestShortMemoryWaiting says the same of requests that wait for a place.
func TestShortMemoryWaiting(t *testing.T) {
	h := New(newStore(t), Options{MaxMemory: 1, MaxConcurrency: 1})
	if _, err := h.places.Insert(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"query", "labels"} {
		r := httptest.NewRequest(http.MethodGet, Prefix+path+"?query=up", nil)
		r.Header.Set("Accept-Encoding", "gzip")
		ask(h, r).demand(t, 503, `"errorType":"unavailable"`, `"error":"ended, since the memory of the server is short`)
	}
}

// inUse returns about how much memory the process has in use, in bytes.
func inUse() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.Sys - m.HeapIdle)
}

// TestLargeAnswer refuses an answer that would not fit in memory as text, before it becomes text.
func TestLargeAnswer(t *testing.T) {
	h := New(newStore(t), Options{MaxMemory: inUse() + 14<<20})
	var copies []string
	for _, name := range []string{"a", "b", "c", "d"} {
		copies = append(copies, `label_replace(requests_total, "`+name+`", "1", "", "")`)
	}
	large := params("query", strings.Join(copies, " or "), "start", "1772362800", "end", "1772366400", "step", "0.4")
	get(h, "query_range", large).demand(t, 503, `"errorType":"unavailable"`, "the memory of the server is short")
	large.Set("query", "requests_total")
	large.Set("step", "60")
	get(h, "query_range", large).demand(t, 200)
}

// TestMadeLabels refuses to make labels that there is no memory for, and forgets what it has reserved for others.
func TestMadeLabels(t *testing.T) {
	store := newStore(t)
	req := &promwire.WriteRequest{}
	for i := range 10_000 {
		req.Timeseries = append(req.Timeseries, promwire.TimeSeries{
			Labels:  promwire.LabelsFromStrings("__name__", "many", "i", strconv.Itoa(i)),
			Samples: []promwire.Sample{{Timestamp: newest * 1000, Value: 1}},
		})
	}
	if _, err := store.Write(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	made := params("query", `count(label_replace(many, "x", "`+strings.Repeat("y", 2000)+`", "", ""))`, "time", "1772366400")
	h := New(store, Options{MaxMemory: inUse() + 24<<20})
	get(h, "query", made).demand(t, 503, `"errorType":"unavailable"`, "the memory of the server is short")
	h = New(store, Options{MaxMemory: inUse() + 256<<20})
	for range 20 { // 40 MB each
		get(h, "query", made).demand(t, 200, `"10000"`)
	}
}
