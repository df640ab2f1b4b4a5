package browser

// Point is a place on the page, in CSS pixels.
type Point struct{ X, Y float64 }

// Center scrolls the element into view and returns its middle.
func (p *Page) Center(selector string) Point {
	p.t.Helper()
	p.Wait(`document.querySelector(` + quote(selector) + `)`)
	var at Point
	p.Eval(`(() => {
		const e = document.querySelector(`+quote(selector)+`);
		e.scrollIntoView({block: "nearest"});
		const b = e.getBoundingClientRect();
		return {X: b.x + b.width / 2, Y: b.y + b.height / 2};
	})()`, &at)
	return at
}

// Click clicks into the middle of an element, with the mouse.
func (p *Page) Click(selector string) {
	p.t.Helper()
	p.ClickAt(p.Center(selector), 1)
}

// ClickAt clicks so many times.
func (p *Page) ClickAt(at Point, times int) {
	p.t.Helper()
	p.mouse("mouseMoved", at, 0, 0)
	for n := 1; n <= times; n++ {
		p.mouse("mousePressed", at, 1, n)
		p.mouse("mouseReleased", at, 0, n)
	}
}

// Move moves the mouse.
func (p *Page) Move(to Point) {
	p.t.Helper()
	p.mouse("mouseMoved", to, 0, 0)
}

// Drag drags from one place to another.
func (p *Page) Drag(from, to Point) {
	p.t.Helper()
	p.mouse("mouseMoved", from, 0, 0)
	p.mouse("mousePressed", from, 1, 1)
	p.mouse("mouseMoved", Point{(from.X + to.X) / 2, to.Y}, 1, 0)
	p.mouse("mouseMoved", to, 1, 0)
	p.mouse("mouseReleased", to, 0, 1)
}

// Swipe puts a finger down, moves it, and lifts it; from and to may be the same.
func (p *Page) Swipe(from, to Point) {
	p.t.Helper()
	touch := func(kind string, at ...Point) {
		p.t.Helper()
		points := []map[string]float64{}
		for _, a := range at {
			points = append(points, map[string]float64{"x": a.X, "y": a.Y})
		}
		p.must("Input.dispatchTouchEvent", map[string]any{"type": kind, "touchPoints": points})
	}
	touch("touchStart", from)
	if to != from {
		for step := 1.0; step <= 8; step++ {
			touch("touchMove", Point{from.X + (to.X-from.X)*step/8, from.Y + (to.Y-from.Y)*step/8})
		}
	}
	touch("touchEnd")
}

func (p *Page) mouse(kind string, at Point, buttons, clicks int) {
	p.t.Helper()
	button := "none"
	if kind != "mouseMoved" || buttons > 0 {
		button = "left"
	}
	p.must("Input.dispatchMouseEvent", map[string]any{
		"type": kind, "x": at.X, "y": at.Y, "button": button, "buttons": buttons, "clickCount": clicks,
	})
}

// Type writes text where the focus is, letter by letter.
func (p *Page) Type(text string) {
	p.t.Helper()
	for _, c := range text {
		p.must("Input.dispatchKeyEvent", map[string]any{"type": "keyDown", "key": string(c), "text": string(c)})
		p.must("Input.dispatchKeyEvent", map[string]any{"type": "keyUp", "key": string(c)})
	}
}

var codes = map[string]int{
	"Enter": 13, "Tab": 9, "Escape": 27, "ArrowDown": 40, "ArrowUp": 38, "ArrowLeft": 37, "ArrowRight": 39, "Backspace": 8,
}

// Press presses keys that write no letter, such as Enter.
func (p *Page) Press(keys ...string) {
	p.t.Helper()
	for _, key := range keys {
		code, ok := codes[key]
		if !ok {
			p.t.Fatalf("no code for key %q", key)
		}
		down := map[string]any{"type": "keyDown", "key": key, "code": key, "windowsVirtualKeyCode": code}
		if key == "Enter" {
			down["text"] = "\r"
		}
		p.must("Input.dispatchKeyEvent", down)
		p.must("Input.dispatchKeyEvent", map[string]any{"type": "keyUp", "key": key, "code": key, "windowsVirtualKeyCode": code})
	}
}
