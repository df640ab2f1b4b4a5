package browser

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"
)

// Page is a tab. Its methods fail the test if the browser does not do what they ask for.
type Page struct {
	t       testing.TB
	b       *Browser
	target  string
	session string

	mu       sync.Mutex
	problems []string
}

// Open opens a tab of the size in CSS pixels. Widths below 600 are those of a phone, with touch.
func (b *Browser) Open(t testing.TB, width, height int) *Page {
	t.Helper()
	p := &Page{t: t, b: b}
	var target struct{ TargetID string }
	p.decode(p.must("Target.createTarget", map[string]any{"url": "about:blank"}), &target)
	var attached struct{ SessionID string }
	p.decode(p.must("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}), &attached)
	p.target, p.session = target.TargetID, attached.SessionID
	b.mu.Lock()
	b.pages[p.session] = p
	b.mu.Unlock()
	for _, domain := range []string{"Page", "Runtime", "Log", "Network", "Accessibility"} {
		p.must(domain+".enable", nil)
	}
	p.Resize(width, height)
	return p
}

// Front brings the tab to the front: what is behind others is hidden, and slow.
func (p *Page) Front() { p.must("Page.bringToFront", nil) }

// Close closes the tab.
func (p *Page) Close() { p.must("Target.closeTarget", map[string]any{"targetId": p.target}) }

// For has t fail from now on, such as that of a subtest.
func (p *Page) For(t testing.TB) { p.t = t }

// Resize changes the size.
func (p *Page) Resize(width, height int) {
	p.t.Helper()
	phone := width < 600
	p.must("Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": height, "deviceScaleFactor": 1, "mobile": phone})
	p.must("Emulation.setTouchEmulationEnabled", map[string]any{"enabled": phone})
}

// Prefer sets a media feature, such as prefers-color-scheme to dark.
func (p *Page) Prefer(feature, value string) {
	p.t.Helper()
	p.must("Emulation.setEmulatedMedia", map[string]any{"features": []map[string]string{{"name": feature, "value": value}}})
}

// Zone sets the time zone, such as Asia/Kolkata.
func (p *Page) Zone(name string) {
	p.t.Helper()
	p.must("Emulation.setTimezoneOverride", map[string]any{"timezoneId": name})
}

// Go loads an address.
func (p *Page) Go(url string) {
	p.t.Helper()
	p.must("Page.navigate", map[string]any{"url": url})
	p.Wait(`document.readyState === "complete" && ["host", "pathname", "search"].every((part) => location[part] === new URL(` + quote(url) + `)[part])`)
}

// Eval evaluates JavaScript, waits for a promise, and decodes its value into to, if that is not nil.
func (p *Page) Eval(js string, to any) {
	p.t.Helper()
	value, err := p.eval(js)
	if err != nil {
		p.t.Fatalf("%s: %v", js, err)
	}
	if to != nil {
		p.decode(value, to)
	}
}

func (p *Page) eval(js string) (json.RawMessage, error) {
	result, err := p.b.call(p.session, "Runtime.evaluate", map[string]any{"expression": js, "returnByValue": true, "awaitPromise": true})
	if err != nil {
		return nil, err
	}
	var r struct {
		Result struct {
			Value       json.RawMessage
			Description string
		}
		ExceptionDetails *struct {
			Text      string
			Exception struct{ Description string }
		}
	}
	if err := json.Unmarshal(result, &r); err != nil {
		return nil, err
	}
	if x := r.ExceptionDetails; x != nil {
		return nil, fmt.Errorf("%s %s", x.Text, x.Exception.Description)
	}
	return r.Result.Value, nil
}

// Wait waits until JavaScript is true.
func (p *Page) Wait(js string) {
	p.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	end := time.After(Patience)
	for {
		value, err := p.eval("Boolean(" + js + ")")
		if err == nil && string(value) == "true" {
			return
		}
		select {
		case <-tick.C:
		case <-end:
			text, _ := p.eval("document.body.innerText")
			p.t.Fatalf("not true within %v: %s (%v)\nproblems: %q\nthe page says: %s", Patience, js, err, p.Problems(), text)
		}
	}
}

// Problems returns what the console has had of errors: exceptions, violations of the policy, failed requests.
func (p *Page) Problems() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.problems...)
}

// Forget forgets the problems that there were.
func (p *Page) Forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.problems = nil
}

// event notes problems.
func (p *Page) event(method string, params json.RawMessage) {
	var e struct {
		Type  string
		Entry struct{ Level, Text, URL string }
	}
	_ = json.Unmarshal(params, &e) // what has other fields is no problem either
	if method == "Runtime.exceptionThrown" || method == "Runtime.consoleAPICalled" && (e.Type == "error" || e.Type == "warning") ||
		method == "Log.entryAdded" && (e.Entry.Level == "error" || e.Entry.Level == "warning") {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.problems = append(p.problems, method+" "+string(params))
	}
}

// Screenshot writes what can be seen to a PNG file.
func (p *Page) Screenshot(file string) {
	p.t.Helper()
	var shot struct{ Data string }
	p.decode(p.must("Page.captureScreenshot", map[string]any{"format": "png"}), &shot)
	png, err := base64.StdEncoding.DecodeString(shot.Data)
	if err == nil {
		err = os.WriteFile(file, png, 0o666)
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

// Node is a node of the accessibility tree.
type Node struct{ Role, Name string }

// Tree returns the accessibility tree without what it ignores, in the order of the page.
func (p *Page) Tree() []Node {
	p.t.Helper()
	var tree struct {
		Nodes []struct {
			Ignored    bool
			Role, Name struct{ Value any }
		}
	}
	p.decode(p.must("Accessibility.getFullAXTree", nil), &tree)
	var out []Node
	for _, n := range tree.Nodes {
		if !n.Ignored {
			role, _ := n.Role.Value.(string)
			name, _ := n.Name.Value.(string)
			out = append(out, Node{role, name})
		}
	}
	return out
}

func (p *Page) must(method string, params any) json.RawMessage {
	p.t.Helper()
	if params == nil {
		params = map[string]any{}
	}
	result, err := p.b.call(p.session, method, params)
	if err != nil {
		p.t.Fatal(err)
	}
	return result
}

func (p *Page) decode(from json.RawMessage, to any) {
	p.t.Helper()
	if err := json.Unmarshal(from, to); err != nil {
		p.t.Fatalf("%v in %.200s", err, from)
	}
}

func quote(s string) string {
	out, _ := json.Marshal(s) // a string does not fail
	return string(out)
}
