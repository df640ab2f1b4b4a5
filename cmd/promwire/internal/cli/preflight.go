package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/pflag"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/outlets"
	"github.com/promwire/promwire/remote"
)

// preflightFlag is the flag --preflight: what a target takes, and what to do about the rest.
type preflightFlag struct {
	set     bool
	text    string
	options remote.PreflightOptions
}

var preflightProfiles = []remote.PreflightProfile{
	remote.LimitsPrometheus, remote.LimitsMimir, remote.LimitsCortex, remote.LimitsThanos, remote.LimitsVictoriaMetrics, remote.LimitsStrict,
}

var preflightModes = map[string]remote.PreflightMode{
	"repair": remote.PreflightRepair, "strict": remote.PreflightStrict, "drop": remote.PreflightDrop,
}

func (p *preflightFlag) register(flags *pflag.FlagSet, more string) {
	flags.Var(p, "preflight", "judge what goes out by what the target takes, before it is sent: `PROFILE[:MODE]`, with "+profileNames()+
		" as PROFILE. MODE repair (default) mends what takes no guess and refuses other items one by one, drop mends nothing, "+
		"strict sends a request only if nothing in it is refused"+more)
}

func profileNames() string {
	var names []string
	for _, p := range preflightProfiles {
		names = append(names, p.Name)
	}
	return strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1]
}

// Set implements pflag.Value.
func (p *preflightFlag) Set(text string) error {
	name, mode, hasMode := strings.Cut(text, ":")
	options := remote.PreflightOptions{}
	if hasMode {
		m, ok := preflightModes[mode]
		if !ok {
			return fmt.Errorf("mode %q: want repair, strict or drop", mode)
		}
		options.Mode = m
	}
	for _, profile := range preflightProfiles {
		if profile.Name == name {
			options.Profile = profile
			*p = preflightFlag{set: true, text: text, options: options}
			return nil
		}
	}
	return fmt.Errorf("profile %q: want %s", name, profileNames())
}

// String implements pflag.Value.
func (p *preflightFlag) String() string { return p.text }

// Type implements pflag.Value.
func (p *preflightFlag) Type() string { return "PROFILE" }

// strict reports whether one item can hold back those beside it.
func (p *preflightFlag) strict() bool { return p.set && p.options.Mode == remote.PreflightStrict }

// before puts a preflight in front of a writer, if there is to be one.
func (p *preflightFlag) before(w promwire.Writer, o remote.PreflightOptions, log func(remote.Finding)) (promwire.Writer, *outlets.Preflight) {
	if !p.set {
		return w, nil
	}
	o.Profile, o.Mode = p.options.Profile, p.options.Mode
	check := outlets.NewPreflight(w, o, log)
	return check, check
}

// maxShownFindings is how many findings a push shows.
const maxShownFindings = 20

// shownFindings shows findings of a push to a person.
type shownFindings struct {
	w io.Writer
	n int
}

func (s *shownFindings) show(f remote.Finding) {
	s.n++
	switch {
	case s.n <= maxShownFindings:
		fmt.Fprintf(s.w, "preflight: %v\n", f)
	case s.n == maxShownFindings+1:
		fmt.Fprintln(s.w, "preflight: more findings are not shown")
	}
}

// total says what was found by what became of it.
func (s *shownFindings) total(p *outlets.Preflight) {
	if s.n == 0 {
		return
	}
	var repaired, dropped, sent int64
	for _, c := range p.Counts() {
		switch c.Action {
		case remote.PreflightRepaired:
			repaired += c.N
		case remote.PreflightDropped:
			dropped += c.N
		case remote.PreflightSent:
			sent += c.N
		}
	}
	fmt.Fprintf(s.w, "preflight findings: %d repaired, %d dropped, %d sent as is\n", repaired, dropped, sent)
}
