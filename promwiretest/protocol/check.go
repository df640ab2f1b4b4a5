package protocol

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// check is one question to an endpoint.
type check struct {
	name, spec string
	sent, want string
	needs      need
	finds      bool // whether it finds out what the endpoint has, and so always runs
	run        func(*probe)
}

// need is what an endpoint must have for a check.
type need int

const (
	needWrite need = 1 << iota
	needV2
	needRead
	needStream
	needHistograms
)

// target is the endpoint, and what is known of it.
type target struct {
	config
	run               string // label of all series of this run
	now               int64  // milliseconds
	writeURL, readURL string
	has               need
	lacks             map[need]string // why
}

func checks() []check {
	var all []check
	all = append(all, findChecks()...)
	all = append(all, headerChecks()...)
	all = append(all, bodyChecks()...)
	all = append(all, messageChecks()...)
	all = append(all, labelChecks()...)
	all = append(all, valueChecks()...)
	all = append(all, orderChecks()...)
	all = append(all, histogramChecks()...)
	all = append(all, readChecks()...)
	all = append(all, streamChecks()...)
	return append(all, readErrorChecks()...)
}

// have notes that the endpoint has something.
func (t *target) have(n need) { t.has |= n }

// lack notes that it does not, and why.
func (t *target) lack(n need, why string) {
	if t.lacks == nil {
		t.lacks = map[need]string{}
	}
	t.lacks[n] = why
}

// missing returns why a check does not apply; "" if it does.
func (t *target) missing(n need) string {
	for bit := needWrite; bit <= needHistograms; bit <<= 1 {
		if n&bit != 0 && t.has&bit == 0 {
			if why := t.lacks[bit]; why != "" {
				return why
			}
			return "the endpoint was not found to have what this is about"
		}
	}
	return ""
}

// do runs one check.
func (t *target) do(ctx context.Context, k check) Result {
	result := Result{Name: k.name, Spec: k.spec, Sent: k.sent, Want: k.want, Verdict: Pass}
	if !k.finds {
		if why := t.missing(k.needs); why != "" {
			result.Verdict, result.Why = NotApplicable, why
			return result
		}
	}
	p := &probe{target: t, ctx: ctx, check: k, verdict: Pass}
	begin := time.Now()
	k.run(p)
	result.Took, result.Verdict = time.Since(begin), p.verdict
	result.Got, result.Why = cut(strings.Join(p.got, "; ")), cut(strings.Join(p.why, "; "))
	return result
}

// probe is a check at work.
type probe struct {
	*target
	ctx     context.Context
	check   check
	verdict Verdict
	got     []string
	why     []string
}

func (p *probe) fail(format string, args ...any) {
	p.verdict = Fail
	p.why = append(p.why, fmt.Sprintf(format, args...))
}

func (p *probe) warn(format string, args ...any) {
	if p.verdict != Fail {
		p.verdict = Warn
	}
	p.why = append(p.why, fmt.Sprintf(format, args...))
}

func (p *probe) notApplicable(why string) {
	if p.verdict == Pass {
		p.verdict, p.why = NotApplicable, append(p.why, why)
	}
}

// note adds to what came.
func (p *probe) note(format string, args ...any) {
	const most = 20
	if len(p.got) < most {
		p.got = append(p.got, fmt.Sprintf(format, args...))
	}
}

// cut bounds a text of a report.
func cut(s string) string {
	const most = 2 << 10
	if len(s) > most {
		s = s[:most] + "..."
	}
	return strings.ToValidUTF8(s, string(utf8.RuneError))
}
