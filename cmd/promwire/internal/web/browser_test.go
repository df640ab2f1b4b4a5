package web

import (
	"context"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/compat/proc"
	"github.com/promwire/promwire/cmd/promwire/internal/tsdbstore"
	"github.com/promwire/promwire/cmd/promwire/internal/web/browser"
	"github.com/promwire/promwire/remote"
	"github.com/promwire/promwire/server"
)

// hostile is a label value that would run a script if it ever became HTML.
const hostile = `<img src=x onerror="document.title='broken'">`

// visitor is a browser before a server with data.
type visitor struct {
	*browser.Page
	t   *testing.T
	b   *browser.Browser
	url string
	h   http.Handler
	w   promwire.Writer
}

func newVisitor(t *testing.T) *visitor {
	program := proc.Must(t, "chromium")[0]
	store, err := tsdbstore.Open(t.TempDir(), tsdbstore.Options{MinFree: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	u := New(store)
	mux := http.NewServeMux()
	mux.Handle("/api/v1/", queries(store))
	for _, path := range []string{server.WritePath, server.ReadPath} {
		mux.Handle(path, server.NewHandler(u.Storage(), u.Option()))
	}
	h := u.Handler(mux)
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	w, err := remote.NewWriteClient(s.URL + server.WritePath)
	if err != nil {
		t.Fatal(err)
	}
	v := &visitor{t: t, b: browser.Start(t, program.Path), url: s.URL, h: h, w: w}
	v.push(shop(time.Now())...)
	v.Page = v.b.Open(t, 1280, 860)
	return v
}

func (v *visitor) push(series ...promwire.TimeSeries) {
	v.t.Helper()
	if _, err := v.w.Write(context.Background(), &promwire.WriteRequest{Timeseries: series}); err != nil {
		v.t.Fatal(err)
	}
}

// shop is half an hour of a counter with three routes, a classic and a native histogram, and of names that are odd.
func shop(now time.Time) []promwire.TimeSeries {
	counter := promwire.Metadata{Type: promwire.TypeCounter, Help: "Requests that were served."}
	out := []promwire.TimeSeries{
		{Labels: promwire.LabelsFromStrings("__name__", "shop_requests_total", "route", "/cart"), Metadata: counter},
		{Labels: promwire.LabelsFromStrings("__name__", "shop_requests_total", "route", "/search"), Metadata: counter},
		{Labels: promwire.LabelsFromStrings("__name__", "shop_requests_total", "route", hostile), Metadata: counter},
		{Labels: promwire.LabelsFromStrings("__name__", "shop_seconds_bucket", "le", "0.1")},
		{Labels: promwire.LabelsFromStrings("__name__", "shop_seconds_bucket", "le", "+Inf")},
		{Labels: promwire.LabelsFromStrings("__name__", "shop.größe", "a.b", "c")},
		{
			Labels:   promwire.LabelsFromStrings("__name__", "shop_latency_seconds"),
			Metadata: promwire.Metadata{Type: promwire.TypeHistogram, Help: "How long it took."},
		},
	}
	for i := range 120 {
		at := now.Add(time.Duration(i-119) * 15 * time.Second).UnixMilli()
		for n := range out[:6] {
			v := float64(i*(n+1)*20) + 50*math.Sin(float64(i)/9)
			out[n].Samples = append(out[n].Samples, promwire.Sample{Timestamp: at, Value: v})
		}
		k := uint64(i + 1)
		out[6].Histograms = append(out[6].Histograms, promwire.Histogram{
			Timestamp: at, Schema: 0, Count: 7 * k, Sum: 9 * float64(k), PositiveSpans: []promwire.BucketSpan{{Offset: -2, Length: 3}},
			PositiveDeltas: []int64{int64(k), int64(k), int64(k)}, ZeroThreshold: 1e-9, ZeroCount: k,
		})
	}
	return out
}

// see writes a screenshot into the folder of PROMWIRE_SCREENSHOTS, if there is one.
func (v *visitor) see(name string) {
	if dir := os.Getenv("PROMWIRE_SCREENSHOTS"); dir != "" {
		v.Screenshot(filepath.Join(dir, name+".png"))
	}
}

// clean fails if the console has had an error since the last look.
func (v *visitor) clean(where string) {
	v.t.Helper()
	for _, p := range v.Problems() {
		v.t.Errorf("%s: %s", where, p)
	}
	v.Forget()
}

// open loads a view and waits for a condition.
func (v *visitor) open(query, until string) {
	v.t.Helper()
	v.Go(v.url + "/" + query)
	v.Wait(until)
}

// TestPage visits the page with a browser.
func TestPage(t *testing.T) {
	v := newVisitor(t)
	for _, part := range []struct {
		name string
		run  func(*visitor, *testing.T)
	}{
		{"load", testLoad},
		{"live", testLive},
		{"metrics", testMetrics},
		{"completion", testCompletion},
		{"graph", testGraph},
		{"refresh", testRefresh},
		{"table", testTable},
		{"heatmap", testHeatmap},
		{"errors", testErrors},
		{"modules", testModules},
		{"units", testUnits},
		{"zone", testZone},
		{"spoof", testSpoof},
		{"shared", testShared},
		{"password", testPassword},
		{"status", testStatusView},
		{"themes", testThemes},
		{"keyboard", testKeyboard},
		{"accessibility", testAccessibility},
		{"phone", testPhone},
	} {
		t.Run(part.name, func(t *testing.T) {
			v.t = t
			v.For(t)
			part.run(v, t)
			v.clean(part.name)
		})
	}
}

// testLoad measures the first look.
func testLoad(v *visitor, t *testing.T) {
	v.open("", `performance.getEntriesByName("first-contentful-paint").length && document.querySelector(".figure b").textContent !== "–"`)
	var m struct {
		Paint, Interactive float64
		Bytes, Files       int
		Foreign            []string
	}
	v.Eval(`(() => {
		const files = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource").filter((r) => !r.name.includes("/ui/live"))];
		return {
			Paint: performance.getEntriesByName("first-contentful-paint")[0].startTime,
			Interactive: performance.getEntriesByType("navigation")[0].domInteractive,
			Bytes: files.reduce((sum, f) => sum + f.decodedBodySize, 0), Files: files.length,
			Foreign: files.map((f) => f.name).filter((n) => !n.startsWith(location.origin)),
		};
	})()`, &m)
	t.Logf("first contentful paint %.0f ms, interactive %.0f ms, %d bytes in %d files", m.Paint, m.Interactive, m.Bytes, m.Files)
	if m.Bytes >= 200_000 || m.Files < 5 {
		t.Errorf("the first look takes %d bytes in %d files, want less than 200 kB", m.Bytes, m.Files)
	}
	if len(m.Foreign) > 0 {
		t.Errorf("asked other servers for %q", m.Foreign)
	}
}

// testLive pushes while somebody looks.
func testLive(v *visitor, t *testing.T) {
	v.open("", `document.querySelector(".tap")`)
	now := time.Now().UnixMilli()
	one := promwire.TimeSeries{
		Labels:  promwire.LabelsFromStrings("__name__", "tapped_total", "who", hostile),
		Samples: []promwire.Sample{{Timestamp: now, Value: 41.5}}, Metadata: promwire.Metadata{Type: promwire.TypeCounter},
	}
	v.push(one)
	v.Wait(`document.querySelector(".tap pre")?.textContent.includes("tapped_total")`)
	var shown string
	v.Eval(`document.querySelector(".tap pre").textContent`, &shown)
	want := string((&promwire.WriteRequest{Timeseries: []promwire.TimeSeries{one}}).AppendText(nil, promwire.TextOptions{}))
	if shown != want {
		t.Errorf("shown as\n%swant\n%s", shown, want)
	}
	old := one
	old.Samples = []promwire.Sample{{Timestamp: now - 48*3600*1000, Value: 1}}
	_, _ = v.w.Write(context.Background(), &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{old}}) // is refused
	v.Wait(`document.querySelector('[aria-label="Refused, with reasons"]').innerText.includes("older than the out-of-order window")`)
	v.Wait(`document.querySelector('section[aria-label="Senders"] table')?.innerText.includes("promwire/")`)
	v.see("live")
	v.Click(`.tap ~ *, section[aria-label="Tap"] header button:nth-of-type(1)`) // refused only
	v.Wait(`document.querySelectorAll(".tap article").length === 1 && document.querySelector(".tap .error")`)
	v.Eval(`document.title`, &shown)
	if !strings.HasPrefix(shown, "Live") {
		t.Errorf("title %q", shown)
	}
}

func testMetrics(v *visitor, t *testing.T) {
	v.Click(`nav a[data-view="metrics"]`)
	v.Wait(`document.querySelectorAll(".list tbody tr").length >= 5`)
	v.Click(`.browse input[type="search"]`)
	v.Type("requests served")
	v.Wait(`document.querySelectorAll(".list tbody tr").length === 1 && location.search.includes("find=requests")`)
	var row string
	v.Eval(`document.querySelector(".list tbody tr").innerText`, &row)
	for _, want := range []string{"shop_requests_total", "Requests that were served.", "counter", "3"} {
		if !strings.Contains(row, want) {
			t.Errorf("row %q has no %q", row, want)
		}
	}
	v.Press("ArrowDown", "Enter") // to the list, and choose
	v.Wait(`document.querySelector(".detail h3")?.textContent === "shop_requests_total"`)
	v.Wait(`document.querySelector(".detail").innerText.includes("onerror")`)
	v.see("metrics")
	var unbounded int // of requests for metadata, which may be 64 MB
	v.Eval(`performance.getEntriesByType("resource").filter((r) => r.name.includes("/metadata") && !/[?&](limit|metric)=/.test(r.name)).length`, &unbounded)
	var help string
	v.Eval(`document.querySelector(".detail").innerText`, &help)
	if unbounded > 0 || !strings.Contains(help, "Requests that were served.") {
		t.Errorf("%d requests for all metadata; the detail is %q", unbounded, help)
	}
	v.Eval(`[...document.querySelectorAll(".detail button")].find((b) => b.textContent === "Rate").click()`, nil)
	v.Wait(`location.search.includes("v=query") && document.querySelector("textarea").value === "rate(shop_requests_total[5m])"`)
	v.Wait(`document.querySelectorAll(".legend button").length === 3`)
	var images int
	v.Eval(`document.querySelectorAll("main img").length`, &images)
	if images != 0 {
		t.Errorf("a label became %d images", images)
	}
}
