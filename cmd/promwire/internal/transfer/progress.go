package transfer

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// Progress shows how far a transfer is. That of nil shows nothing. It is not safe for concurrent use.
type Progress struct {
	w        io.Writer
	terminal bool
	now      func() time.Time

	phase       string
	done, total int64
	unit        string
	began, last time.Time
	shown       bool // the cursor is behind a line that is to be overwritten
}

// The pause between two lines, on a terminal and elsewhere.
const (
	terminalPause = 200 * time.Millisecond
	linePause     = 5 * time.Second
)

// NewProgress returns one that writes to w: a line that is overwritten on a terminal, a line now and then elsewhere.
func NewProgress(w io.Writer, terminal bool) *Progress {
	return &Progress{w: w, terminal: terminal, now: time.Now}
}

// Phase begins something of total units; 0 if their number is not known.
func (p *Progress) Phase(name, unit string, total int64) {
	if p == nil {
		return
	}
	p.End()
	p.phase, p.unit, p.total, p.done = name, unit, total, 0
	p.began, p.last = p.now(), time.Time{}
	p.show()
}

// Add says that n units more are done.
func (p *Progress) Add(n int) {
	if p == nil {
		return
	}
	p.done += int64(n)
	pause := linePause
	if p.terminal {
		pause = terminalPause
	}
	if p.now().Sub(p.last) >= pause {
		p.show()
	}
}

// End ends the phase, with what has become of it.
func (p *Progress) End() {
	if p == nil || p.phase == "" {
		return
	}
	p.show()
	if p.shown {
		fmt.Fprintln(p.w)
	}
	p.phase, p.shown = "", false
}

// Complete ends the phase with all of it done; what is left of the total turned out not to be there.
func (p *Progress) Complete() {
	if p == nil {
		return
	}
	if p.total > 0 {
		p.done = p.total
	}
	p.End()
}

// Clear makes room for another line.
func (p *Progress) Clear() {
	if p != nil && p.shown {
		fmt.Fprint(p.w, "\r\x1b[K")
		p.shown = false
	}
}

func (p *Progress) show() {
	p.last = p.now()
	text := p.text()
	if !p.terminal {
		fmt.Fprintln(p.w, text)
		return
	}
	fmt.Fprint(p.w, "\r", text, "\x1b[K")
	p.shown = true
}

const barWidth = 20

func (p *Progress) text() string {
	took := p.last.Sub(p.began).Seconds()
	rate := ""
	if took > 0 {
		rate = fmt.Sprintf(", %s %s/s", short(int64(float64(p.done)/took)), p.unit)
	}
	if p.total <= 0 {
		return fmt.Sprintf("%s: %s %s%s", p.phase, short(p.done), p.unit, rate)
	}
	part := min(float64(p.done)/float64(p.total), 1)
	bar := strings.Repeat("#", int(part*barWidth)) + strings.Repeat(".", barWidth-int(part*barWidth))
	left := ""
	if part > 0 && part < 1 {
		left = ", " + time.Duration(took*(1-part)/part*float64(time.Second)).Round(time.Second).String() + " left"
	}
	return fmt.Sprintf("%s [%s] %3.0f%% of %s %s%s%s", p.phase, bar, part*100, short(p.total), p.unit, rate, left)
}

// short returns a number with three or four digits.
func short(n int64) string {
	switch {
	case n >= 10_000_000_000:
		return fmt.Sprintf("%dG", n/1e9)
	case n >= 10_000_000:
		return fmt.Sprintf("%dM", n/1e6)
	case n >= 10_000:
		return fmt.Sprintf("%dk", n/1e3)
	default:
		return fmt.Sprint(n)
	}
}
