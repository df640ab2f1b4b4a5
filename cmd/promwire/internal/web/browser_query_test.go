package web

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/web/browser"
)

// drawn counts the points of the graph that have the colour of data: hardly any grey ones.
const drawn = `(() => {
	const c = document.querySelector(".chart canvas");
	const g = new OffscreenCanvas(c.width, c.height).getContext("2d", {willReadFrequently: true});
	g.drawImage(c, 0, 0);
	const d = g.getImageData(0, 0, c.width, c.height).data;
	let n = 0;
	for (let i = 0; i < d.length; i += 4) if (d[i + 3] > 60 && Math.max(d[i], d[i + 1], d[i + 2]) - Math.min(d[i], d[i + 1], d[i + 2]) > 60) n++;
	return n;
})()`

func (v *visitor) ink() (n int) {
	v.t.Helper()
	v.Eval(drawn, &n)
	return n
}

func (v *visitor) value(selector string) (s string) {
	v.t.Helper()
	v.Eval(`document.querySelector("`+selector+`").value`, &s)
	return s
}

// testCompletion writes a query with what is offered: an aggregation, a function, a metric, a label, a value.
func testCompletion(v *visitor, t *testing.T) {
	v.open("?v=query", `document.querySelectorAll(".tries button").length`)
	v.Click("textarea")
	offered := func(word string) {
		t.Helper()
		v.Wait(fmt.Sprintf(`[...document.querySelectorAll(".options li")].some((li) => li.querySelector(".word").textContent === %q)`, word))
	}
	accept := func(word string) {
		t.Helper()
		offered(word)
		for range 60 {
			var at string
			v.Eval(`document.querySelector('.options li[aria-selected="true"] .word')?.textContent`, &at)
			if at == word {
				v.Press("Tab")
				return
			}
			v.Press("ArrowDown")
		}
		t.Fatalf("%q can't be reached", word)
	}
	v.Type("su")
	accept("sum")
	v.Type("rat")
	accept("rate")
	v.Type("requests")
	v.see("completion")
	accept("shop_requests_total")
	v.Type("{")
	accept("route")
	accept("/search")
	if got, want := v.value("textarea"), `sum(rate(shop_requests_total{route="/search"))`; got != want {
		t.Fatalf("written is %s, want %s", got, want)
	}
	v.Type("}[")
	accept("5m")
	v.Type("]")
	if got, want := v.value("textarea"), `sum(rate(shop_requests_total{route="/search"}[5m]))`; got != want {
		t.Fatalf("written is %s, want %s", got, want)
	}
	v.Press("Enter")
	v.Wait(`document.querySelectorAll(".legend button").length === 1`)
	var expanded string
	v.Eval(`document.querySelector("textarea").getAttribute("aria-expanded")`, &expanded)
	if expanded != "false" {
		t.Error("the list is still open")
	}
	// Words of grouping take label names; odd names are quoted.
	for written, want := range map[string]string{
		"sum by (rou": "sum by (route", `shop_seconds_bucket{l`: `shop_seconds_bucket{le=""`, "größ": `{"shop.größe"}`,
	} {
		v.Eval(`(() => { const i = document.querySelector("textarea"); i.value = ""; i.focus(); })()`, nil)
		v.Type(written)
		v.Wait(`document.querySelectorAll(".options li").length`)
		v.Press("Tab")
		v.Wait(fmt.Sprintf(`document.querySelector("textarea").value === %q`, want))
	}
}

// testGraph zooms, goes back, hovers, hides and stacks.
func testGraph(v *visitor, t *testing.T) {
	v.open("?v=query&q=rate(shop_requests_total[2m])&range=1800", `document.querySelectorAll(".legend button").length === 3`)
	v.Wait(drawn + " >= 500") // it is drawn with the next frame
	all := v.ink()
	middle := v.Center(".chart canvas")
	v.Move(middle)
	v.Wait(`document.querySelectorAll(".tip .line").length === 3 && document.querySelector(".tip .line.near")`)
	var tip string
	v.Eval(`document.querySelector(".tip").innerText`, &tip)
	if !strings.Contains(tip, "/cart") || !strings.Contains(tip, "onerror") {
		t.Errorf("hover shows %q", tip)
	}
	v.see("graph")
	v.Drag(browser.Point{X: middle.X - 100, Y: middle.Y}, browser.Point{X: middle.X + 100, Y: middle.Y})
	v.Wait(`new URLSearchParams(location.search).get("end")`)
	var zoomed float64
	v.Eval(`Number(new URLSearchParams(location.search).get("range"))`, &zoomed)
	if zoomed < 100 || zoomed > 600 {
		t.Errorf("zoomed to %v s of 1800, by 200 of some 1200 pixels", zoomed)
	}
	v.Wait(`!document.querySelector(".busy") && document.querySelectorAll(".legend button").length === 3`)
	v.see("zoomed")
	v.Eval(`history.back()`, nil)
	v.Wait(`!new URLSearchParams(location.search).get("end") && !document.querySelector(".busy")`)
	v.Move(browser.Point{X: 5, Y: 5})
	v.Wait(fmt.Sprintf(`Math.abs(%s - %d) < %d`, drawn, all, all/4))

	v.Click(".legend button:nth-child(3)")
	v.Wait(fmt.Sprintf(`document.querySelector(".legend button:nth-child(3)").getAttribute("aria-pressed") === "false" && %s < %d`, drawn, all*9/10))
	v.Click(".legend button:nth-child(3)")
	v.Wait(`document.querySelector(".legend button:nth-child(3)").getAttribute("aria-pressed") === "true"`)
	v.Click(`[data-value="stacked"]`)
	v.Wait(fmt.Sprintf(`location.search.includes("mode=stacked") && %s > %d`, drawn, 3*all))
	v.see("stacked")

	v.Eval(`document.querySelector(".chart").focus()`, nil)
	v.Press("ArrowLeft")
	v.Wait(`!document.querySelector(".tip").hidden && document.querySelector('.chart [aria-live]').textContent.includes("/cart")`)
	v.Type("+")
	v.Wait(`new URLSearchParams(location.search).get("end")`)
}

func testTable(v *visitor, t *testing.T) {
	v.open("?v=query&q=shop_requests_total&tab=table", `document.querySelectorAll(".result tbody tr").length === 3`)
	var rows string
	v.Eval(`document.querySelector(".result tbody").innerText`, &rows)
	if !strings.Contains(rows, `route="/cart"`) || !strings.Contains(rows, "4,790") {
		t.Errorf("table %q", rows)
	}
	v.see("table")
	v.open("?v=query&q=shop_latency_seconds&tab=table", `document.querySelector(".result canvas.buckets")`)
	v.open("?v=query&q=42&tab=table", `document.querySelector(".result tbody").innerText.includes("42")`)
	v.open("?v=query&q=shop_requests_total[1m]&tab=table", `document.querySelector(".result tbody").innerText.includes("@")`)
}

// testHeatmap draws a native histogram, and a classic one on request.
func testHeatmap(v *visitor, t *testing.T) {
	v.open("?v=query&q=rate(shop_latency_seconds[2m])&range=1800", `document.querySelector('.chart[aria-label="Heatmap"]')`)
	v.Wait(drawn + " >= 20_000")
	v.Move(v.Center(".chart canvas"))
	v.Wait(`document.querySelector(".tip").innerText.includes("quantile 0.9")`)
	v.see("heatmap")
	v.open("?v=query&q=sum by (le) (rate(shop_seconds_bucket[2m]))&range=1800&mode=heat", `document.querySelector('.chart[aria-label="Heatmap"]')`)
	v.Click(`[aria-label="Drawn as"] [data-value=""]`)
	v.Wait(`document.querySelector('.chart[aria-label="Graph"]')`)
}

func testErrors(v *visitor, t *testing.T) {
	v.open("?v=query&q=sum(%22%C3%A4%22)%20by%20x", `document.querySelector('[role="alert"]')?.textContent.includes("parse error")`)
	var alert string
	v.Eval(`document.querySelector('[role="alert"]').textContent`, &alert)
	if _, place, _ := strings.Cut(alert, "\n\n"); place != "sum(\"ä\") by x\n            ^" {
		t.Errorf("the place of the error is shown as\n%s", place)
	}
	for _, p := range v.Problems() { // the browser reports each answer of 400
		if !strings.Contains(p, "Failed to load resource") {
			t.Error(p)
		}
	}
	v.Forget()
	v.open("?v=query&q=none_of_these", `document.querySelector(".result").innerText.includes("no result")`)
	v.open("?v=nonsense&range=-5&end=x", `document.title.startsWith("Live")`)
}

// testRefresh has a graph brought up to date, which keeps what is chosen and under the cursor.
func testRefresh(v *visitor, t *testing.T) {
	v.open("?v=query&q=shop_requests_total&range=1800", `document.querySelectorAll(".legend button").length === 3`)
	v.Click(".legend button:nth-child(2)")
	v.Eval(`window.graph = document.querySelector(".chart"), document.querySelector(".chart").focus()`, nil)
	v.Press("ArrowLeft")
	v.Wait(`!document.querySelector(".tip").hidden`)
	v.push(promwire.TimeSeries{
		Labels:  promwire.LabelsFromStrings("__name__", "shop_requests_total", "route", "/cart"),
		Samples: []promwire.Sample{{Timestamp: time.Now().UnixMilli(), Value: 77_700}},
	})
	v.Eval(`document.querySelector(".ask .primary").click()`, nil)
	v.Wait(`document.querySelector(".legend button .num").textContent === "77.7k"`)
	var same, hidden, tip bool
	v.Eval(`window.graph === document.querySelector(".chart")`, &same)
	v.Eval(`document.querySelector(".legend button:nth-child(2)").getAttribute("aria-pressed") === "false"`, &hidden)
	v.Eval(`!document.querySelector(".tip").hidden && document.activeElement === window.graph`, &tip)
	if !same || !hidden || !tip {
		t.Errorf("the same graph: %t, what was hidden still is: %t, cursor and focus stay: %t", same, hidden, tip)
	}
}

// testZone shows times in the browser's zone, and in UTC when that is chosen.
func testZone(v *visitor, t *testing.T) {
	v.Zone("Asia/Kolkata")
	defer v.Zone("UTC")
	const at = `document.querySelector('input[type="datetime-local"]').value`
	v.open("?v=query&q=shop_requests_total&range=900&end=1772366400", at)
	var local, utc, status string
	v.Eval(at, &local)
	v.Click("button.zone")
	v.Wait(`document.querySelector("button.zone").getAttribute("aria-pressed") === "true" && !document.querySelector(".busy")`)
	v.Eval(at, &utc)
	if local != "2026-03-01T17:30:00" && local != "2026-03-01T17:30" || utc != "2026-03-01T12:00:00" && utc != "2026-03-01T12:00" {
		t.Errorf("the end is %s in Kolkata and %s in UTC", local, utc)
	}
	v.Eval(`(() => { const i = document.querySelector('input[type="datetime-local"]'); i.value = "2026-03-01T11:00:00"; i.dispatchEvent(new Event("change")); })()`, nil)
	v.Wait(`new URLSearchParams(location.search).get("end") === "1772362800"`)
	v.open("?v=status", `document.querySelectorAll("dd").length > 10`)
	v.Eval(`document.querySelector("main").innerText`, &status)
	if !strings.Contains(status, " UTC,") || strings.Contains(status, "UTC+") {
		t.Errorf("UTC is forgotten: %s", status)
	}
	v.open("?v=query&q=shop_requests_total&range=900", "!document.querySelector('button.zone').hidden")
	v.Click("button.zone")
	v.Wait(`document.querySelector("button.zone").getAttribute("aria-pressed") === "false"`)
}

// testSpoof shows label values that would turn around what stands beside them, or hide in it.
func testSpoof(v *visitor, t *testing.T) {
	value := "a\u202eb\x00  c" + strings.Repeat("x", 500)
	v.push(promwire.TimeSeries{
		Labels:  promwire.LabelsFromStrings("__name__", "spoofed", "v", value),
		Samples: []promwire.Sample{{Timestamp: time.Now().UnixMilli(), Value: 1}},
	})
	for _, view := range []string{"?v=query&q=spoofed&tab=table", "?v=query&q=spoofed", "?v=metrics&m=spoofed", "?v=live"} {
		var text string
		v.open(view, `document.querySelector("main").textContent.includes("a\\u202eb\\u0000  c")`)
		v.Eval(`document.querySelector("main").textContent`, &text)
		if strings.ContainsAny(text, "\u202e\x00") {
			t.Errorf("%s: what can't be seen is in %q", view, text)
		}
	}
	var q string
	v.open("?v=metrics&m=spoofed", `document.querySelector(".detail bdi")`)
	v.Eval(`document.querySelector(".detail td code:not(.word)").textContent`, &q) // is PromQL
	v.open("?v=query&tab=table&q="+url.QueryEscape(q), `document.querySelectorAll(".result tbody tr").length === 1`)
}
