package web

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/promwire/promwire/cmd/promwire/internal/web/browser"
)

// testShared opens the address of one page in another.
func testShared(v *visitor, t *testing.T) {
	v.open("?v=query&q=shop_requests_total&range=900", `document.querySelectorAll(".legend button").length === 3`)
	v.Click(`[data-value="stacked"]`)
	v.Wait(`location.search.includes("mode=stacked")`)
	var url string
	v.Eval(`location.href`, &url)
	other := v.b.Open(t, 1000, 700)
	other.Go(url)
	other.Wait(`document.querySelectorAll(".legend button").length === 3 && document.querySelector('[data-value="stacked"]').getAttribute("aria-pressed") === "true"`)
	if p := other.Problems(); len(p) > 0 {
		t.Errorf("problems %q", p)
	}
	other.Close()
	v.Front()
}

// testPassword opens the page with a password in its address, which no request of a script may have.
func testPassword(v *visitor, t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "me" || password != "secret" {
			w.Header().Set("WWW-Authenticate", "Basic")
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		v.h.ServeHTTP(w, r)
	}))
	defer s.Close()
	p := v.b.Open(t, 1000, 700)
	defer v.Front()
	defer p.Close()
	p.Go(strings.Replace(s.URL, "http://", "http://me:secret@", 1) + "/?v=query&q=shop_requests_total")
	p.Wait(`document.querySelectorAll(".legend button").length === 3`)
	p.Click(`nav a[data-view="status"]`)
	p.Wait(`document.querySelectorAll("dd").length > 10`)
	var text string
	p.Eval(`document.querySelector("main").innerText`, &text)
	if strings.Contains(text, "secret") || !strings.Contains(text, s.URL+"/api/v1/write") {
		t.Errorf("the status shows a password, or no address: %s", text)
	}
	for _, problem := range p.Problems() {
		t.Error(problem)
	}
}

func testStatusView(v *visitor, t *testing.T) {
	v.open("?v=status", `document.querySelectorAll("dd").length > 10 && document.querySelectorAll(".large table, .wide table").length === 4`)
	var text string
	v.Eval(`document.querySelector("main").innerText`, &text)
	for _, want := range []string{"15d", "Series", "promwire 0.", "shop_requests_total", v.url + "/api/v1/write"} {
		if !strings.Contains(text, want) {
			t.Errorf("the status has no %q: %s", want, text)
		}
	}
	v.see("status")
}

// contrasts returns the contrast of each text colour with each ground, as WCAG counts it.
const contrasts = `(() => {
	const css = getComputedStyle(document.documentElement);
	const c = new OffscreenCanvas(1, 1).getContext("2d", {willReadFrequently: true});
	const rgb = (name) => {
		c.fillStyle = css.getPropertyValue(name);
		c.fillRect(0, 0, 1, 1);
		return [...c.getImageData(0, 0, 1, 1).data].slice(0, 3);
	};
	const light = (name) => rgb(name).map((v) => v / 255).map((v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
		.reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
	const out = {};
	for (const [text, ground] of [["--text", "--bg"], ["--text", "--panel"], ["--dim", "--panel"], ["--dim", "--bg"], ["--dim", "--sunk"], ["--faint", "--panel"],
		["--faint", "--sunk"], ["--accent", "--panel"], ["--accent", "--sunk"], ["--accent", "--accent-soft"], ["--on-accent", "--accent"], ["--good", "--good-soft"],
		["--warn", "--warn-soft"], ["--bad", "--bad-soft"]]) {
		const [a, b] = [light(text), light(ground)].sort((x, y) => y - x);
		out[text + " on " + ground] = (a + 0.05) / (b + 0.05);
	}
	return out;
})()`

// testThemes follows the system, and the switch against it, and checks that text can be read.
func testThemes(v *visitor, t *testing.T) {
	const ground = `getComputedStyle(document.documentElement).backgroundColor`
	background := func() (s string) {
		v.Eval(ground, &s)
		return s
	}
	v.open("?v=query&q=rate(shop_requests_total[2m])&range=1800", `document.querySelectorAll(".legend button").length === 3`)
	seen := map[string]string{}
	for _, scheme := range []string{"light", "dark"} {
		v.Prefer("prefers-color-scheme", scheme)
		v.Wait(`matchMedia("(prefers-color-scheme: ` + scheme + `)").matches`)
		seen[scheme] = background()
		ratios := map[string]float64{}
		v.Eval(contrasts, &ratios)
		for pair, ratio := range ratios {
			if ratio < 4.5 {
				t.Errorf("%s: %s has a contrast of %.2f, want 4.5", scheme, pair, ratio)
			}
		}
	}
	v.see("dark")
	if seen["light"] == seen["dark"] {
		t.Errorf("light and dark are both %s", seen["dark"])
	}
	v.Click("#theme") // from the system's to light
	if got := background(); got != seen["light"] {
		t.Errorf("switched to light: %s, want %s", got, seen["light"])
	}
	v.open("?v=live", `document.querySelector(".tap")`)
	if got := background(); got != seen["light"] {
		t.Errorf("the choice is forgotten: %s", got)
	}
	v.Click("#theme") // to dark
	if got := background(); got != seen["dark"] {
		t.Errorf("switched to dark: %s, want %s", got, seen["dark"])
	}
	v.Click("#theme") // to the system's, which is dark
	v.Wait(`document.querySelector('section[aria-label="Senders"] table')`)
	v.see("live-dark")
	v.Prefer("prefers-color-scheme", "light")
}

// testKeyboard goes through the page without a mouse.
func testKeyboard(v *visitor, t *testing.T) {
	v.open("", `document.querySelector(".tap")`)
	v.Press("Tab")
	v.Wait(`document.activeElement.className === "skip"`)
	v.Press("Tab", "Tab", "Tab", "Tab")
	v.Wait(`document.activeElement.dataset.view === "query"`)
	v.Press("Enter")
	v.Wait(`location.search.includes("v=query") && document.querySelector("textarea")`)
	v.Eval(`document.activeElement.blur()`, nil)
	v.Type("/")
	v.Wait(`document.activeElement.tagName === "TEXTAREA"`)
	v.Type("vector(7)")
	v.Press("Escape", "Enter")
	v.Wait(`document.querySelectorAll(".legend button").length === 1`)
	v.Eval(`document.activeElement.blur()`, nil)
	v.Type("2")
	v.Wait(`document.title.startsWith("Metrics")`)
	v.Type("3") // as it was left
	v.Wait(`document.querySelector("textarea")?.value === "vector(7)"`)
	v.Eval(`history.back()`, nil)
	v.Wait(`document.title.startsWith("Metrics")`)
}

// testAccessibility looks for names and roles, as a screen reader has them.
func testAccessibility(v *visitor, t *testing.T) {
	named := map[string]bool{"button": true, "link": true, "textbox": true, "searchbox": true, "combobox": true, "table": true, "image": true, "option": true, "navigation": true, "article": true, "region": true, "feed": true}
	for query, c := range map[string]struct {
		ready string
		want  []string
	}{
		"?v=live":    {`document.querySelector(".tap")`, []string{"navigation Views", "main ", "feed Last requests", "link Live", "heading Live", "region Requests per second"}},
		"?v=metrics": {`document.querySelectorAll(".list tbody tr").length`, []string{"searchbox Search metrics", "table Metrics", "button shop_requests_total"}},
		"?v=query&q=shop_requests_total": {
			`document.querySelectorAll(".legend button").length`,
			[]string{"combobox PromQL expression", "button Run", "group Graph", "group Legend", "group Usual ranges", "region Result"},
		},
		"?v=status": {`document.querySelectorAll(".wide table").length === 4`, []string{"region Data", "table Series by metric"}},
	} {
		v.open(query, c.ready)
		have := map[string]bool{}
		for _, n := range v.Tree() {
			have[n.Role+" "+n.Name] = true
			if named[n.Role] && strings.TrimSpace(n.Name) == "" {
				t.Errorf("%s: a %s without a name", query, n.Role)
			}
		}
		for _, want := range c.want {
			if !have[want] {
				t.Errorf("%s: no %q", query, want)
			}
		}
	}
}

// testPhone looks at all views on a narrow screen: nothing is wider than it.
func testPhone(v *visitor, t *testing.T) {
	v.Resize(390, 844)
	for _, c := range [][3]string{
		{"phone-live", "?v=live", `document.querySelector(".tap")`},
		{"phone-metrics", "?v=metrics&m=shop_requests_total", `document.querySelector(".detail h3")`},
		{"phone-query", "?v=query&q=rate(shop_requests_total[2m])&range=1800", `document.querySelectorAll(".legend button").length === 3`},
		{"phone-status", "?v=status", `document.querySelectorAll(".wide table").length === 4`},
	} {
		v.open(c[1], c[2])
		var width int
		v.Eval(`document.documentElement.scrollWidth`, &width)
		if width > 390 {
			var wide string
			v.Eval(`[...document.querySelectorAll("main *")].filter((e) => e.getBoundingClientRect().right > 391 && !e.closest(".scroll, pre")).slice(0, 5).map((e) => e.tagName + "." + e.className).join(" ")`, &wide)
			t.Errorf("%s is %d pixels wide: %s", c[0], width, wide)
		}
		v.see(c[0])
	}
	v.open("?v=query&q=rate(shop_requests_total[2m])&range=1800", `document.querySelectorAll(".legend button").length === 3`)
	at := v.Center(".chart canvas")
	v.Swipe(at, at)
	v.Wait(`!document.querySelector(".tip").hidden && document.querySelectorAll(".tip .line").length === 3`)
	v.see("phone-touched")
	v.Swipe(browser.Point{X: at.X - 60, Y: at.Y}, browser.Point{X: at.X + 60, Y: at.Y})
	v.Wait(`new URLSearchParams(location.search).get("end")`)
	v.Resize(1280, 860)
}
