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

// discarding is a response that keeps only its size.
type discarding struct {
	header http.Header
	bytes  int
}

func (d *discarding) Header() http.Header { return d.header }
func (d *discarding) WriteHeader(int)     {}
func (d *discarding) Write(b []byte) (int, error) {
	d.bytes += len(b)
	return len(b), nil
}

// TestManyFamilies answers metadata family by family, and no more of them than are asked for.
func TestManyFamilies(t *testing.T) {
	store := newStore(t)
	req := &promwire.WriteRequest{}
	for i := range 3000 {
		help := strings.Repeat("<", 3000) // six bytes each in JSON
		req.Metadata = append(req.Metadata, promwire.MetricMetadata{Family: "family_" + strconv.Itoa(i), Metadata: promwire.Metadata{Help: help}})
	}
	if _, err := store.Write(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	h := New(store, Options{})
	get(h, "query", params("query", "1")).demand(t, 200) // builds the API
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	w := &discarding{header: http.Header{}}
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, Prefix+"metadata", nil))
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; w.bytes < 54_000_000 || took > 5*54<<20 { // twice that size, and more under the race detector, which makes pools forget
		t.Errorf("%d bytes, for which %d MB were allocated", w.bytes, took>>20)
	}
	if got := get(h, "metadata", params("limit", "2")).data(t); strings.Count(got, `"help"`) != 2 || !strings.HasPrefix(got, `{"family_0":`) {
		t.Errorf("%.100s", got)
	}
	for _, name := range []string{"limit", "limit_per_metric"} {
		get(h, "metadata", params(name, "x")).demand(t, 400, `"error":"`+name+` must be a number"`)
	}
}

// TestMetadataErrors compares errors that are made here with those of the library, byte for byte.
func TestMetadataErrors(t *testing.T) {
	h := New(newStore(t), Options{})
	for _, query := range []string{"limit=x", "limit_per_metric=x", "limit=x&limit_per_metric=x", "limit=1&limit_per_metric=1.5"} {
		r := httptest.NewRequest(http.MethodGet, Prefix+"metadata?"+query, nil)
		theirs, ours := httptest.NewRecorder(), httptest.NewRecorder()
		h.api().ServeHTTP(theirs, r.Clone(t.Context()))
		h.ServeHTTP(ours, r)
		if ours.Code != theirs.Code || ours.Body.String() != theirs.Body.String() || ours.Header().Get("Content-Type") != theirs.Header().Get("Content-Type") {
			t.Errorf("%s: %d %s\nwant %d %s", query, ours.Code, ours.Body, theirs.Code, theirs.Body)
		}
	}
}
