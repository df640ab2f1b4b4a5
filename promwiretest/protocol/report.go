package protocol

import (
	"fmt"
	"strings"
	"time"
)

// Verdict says how a check ended.
type Verdict string

// The verdicts.
const (
	// Pass: the answers are as the specification demands and recommends.
	Pass Verdict = "pass"
	// Warn: the specification allows the answers and recommends others, or says nothing and the answers are a trap.
	Warn Verdict = "warn"
	// Fail: the answers break the specification, or there were none.
	Fail Verdict = "fail"
	// NotApplicable: the endpoint does not have what the check is about.
	NotApplicable Verdict = "not applicable"
)

// Result is the outcome of one check.
type Result struct {
	// Name is the check's, such as "write/v2/partial"; names stay the same between versions.
	Name string `json:"name"`
	// Spec is the section that the check is about.
	Spec    string  `json:"spec"`
	Verdict Verdict `json:"verdict"`
	// Sent and Want describe the requests and the answers that are right.
	Sent string `json:"sent"`
	Want string `json:"want"`
	// Got lists the answers: status, counts, the start of the text. At most 2 KiB.
	Got string `json:"got"`
	// Why says what is wrong, or why the check does not apply; "" for Pass. At most 2 KiB.
	Why  string        `json:"why,omitempty"`
	Took time.Duration `json:"took"`
}

// String returns the result in a few lines.
func (r Result) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", r.Name, r.Verdict)
	if r.Why != "" {
		fmt.Fprintf(&b, ": %s", r.Why)
	}
	fmt.Fprintf(&b, "\n  sent: %s\n  want: %s (%s)\n  got:  %s", r.Sent, r.Want, r.Spec, r.Got)
	return b.String()
}

// Report is the outcome of a [Check].
type Report struct {
	WriteURL string `json:"write_url,omitempty"`
	ReadURL  string `json:"read_url,omitempty"`
	// Results are in the order in which the checks ran.
	Results []Result `json:"results"`
}

// With returns the results of one verdict.
func (r Report) With(v Verdict) []Result {
	var out []Result
	for _, result := range r.Results {
		if result.Verdict == v {
			out = append(out, result)
		}
	}
	return out
}

// OK reports whether no check failed.
func (r Report) OK() bool { return len(r.With(Fail)) == 0 }

// Result returns the result of this name.
func (r Report) Result(name string) (Result, bool) {
	for _, result := range r.Results {
		if result.Name == name {
			return result, true
		}
	}
	return Result{}, false
}

// String returns the report as text: a line for each check that passed or does not apply, more for the others.
func (r Report) String() string {
	var b strings.Builder
	for _, result := range r.Results {
		switch result.Verdict {
		case Pass:
			fmt.Fprintf(&b, "%s: %s\n", result.Name, result.Verdict)
		case NotApplicable:
			fmt.Fprintf(&b, "%s: %s: %s\n", result.Name, result.Verdict, result.Why)
		default:
			fmt.Fprintln(&b, result)
		}
	}
	fmt.Fprintf(&b, "%d passed, %d failed, %d warnings, %d not applicable\n",
		len(r.With(Pass)), len(r.With(Fail)), len(r.With(Warn)), len(r.With(NotApplicable)))
	return b.String()
}
