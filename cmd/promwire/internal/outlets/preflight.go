package outlets

import (
	"cmp"
	"context"
	"io"
	"log/slog"
	"slices"
	"sync"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/remote"
)

// Preflight is a [remote.Preflight] in front of one place. It logs and counts what is found once for each request,
// however often the request is sent. It is safe for concurrent use.
type Preflight struct {
	judge *remote.Preflight
	log   func(remote.Finding)

	mu     sync.Mutex
	counts map[FindingKind]int64
}

// FindingKind is what findings are counted by.
type FindingKind struct {
	Rule   remote.PreflightRule
	Action remote.PreflightAction
}

// FindingCount is how many findings of a kind there were.
type FindingCount struct {
	FindingKind
	N int64
}

// NewPreflight puts one in front of next; log is told each finding. The OnFinding of options is its own.
func NewPreflight(next promwire.Writer, options remote.PreflightOptions, log func(remote.Finding)) *Preflight {
	options.OnFinding = note
	return &Preflight{judge: remote.NewPreflight(next, options), log: log, counts: map[FindingKind]int64{}}
}

// findings are those of one Write, in its context.
type findings struct{ all []remote.Finding }

type findingsKey struct{}

func note(ctx context.Context, f remote.Finding) {
	if found, ok := ctx.Value(findingsKey{}).(*findings); ok {
		found.all = append(found.all, f)
	}
}

// Write implements promwire.Writer.
func (p *Preflight) Write(ctx context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	found := &findings{}
	stats, err := p.judge.Write(context.WithValue(ctx, findingsKey{}, found), req)
	p.settle(found, err)
	return stats, err
}

// WriteBody implements promwire.BodyWriter.
func (p *Preflight) WriteBody(ctx context.Context, b *promwire.Body) (promwire.WriteStats, error) {
	found := &findings{}
	stats, err := p.judge.WriteBody(context.WithValue(ctx, findingsKey{}, found), b)
	p.settle(found, err)
	return stats, err
}

// settle counts and logs what was found, unless the same request comes again.
func (p *Preflight) settle(found *findings, err error) {
	if len(found.all) == 0 || promwire.Retryable(err) {
		return
	}
	p.mu.Lock()
	for i := range found.all {
		p.counts[FindingKind{found.all[i].Rule, found.all[i].Action}]++
	}
	p.mu.Unlock()
	for _, f := range found.all {
		p.log(f)
	}
}

// Counts returns what was found so far, by rule and action. That of nil is nothing.
func (p *Preflight) Counts() []FindingCount {
	if p == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	out := make([]FindingCount, 0, len(p.counts))
	for kind, n := range p.counts {
		out = append(out, FindingCount{kind, n})
	}
	slices.SortFunc(out, func(a, b FindingCount) int {
		return cmp.Or(cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Action, b.Action))
	})
	return out
}

// LogFindings returns what logs findings, some each minute: what is refused as a warning, the rest for information.
func LogFindings(logger *slog.Logger) func(remote.Finding) {
	var refused, others Limiter
	return func(f remote.Finding) {
		level, limiter := slog.LevelInfo, &others
		if f.Action == remote.PreflightDropped {
			level, limiter = slog.LevelWarn, &refused
		}
		if n, ok := limiter.Allow(); ok {
			logger.Log(context.Background(), level, "preflight", "series", f.Labels.String(), "time", f.Timestamp, "rule", f.Rule.String(),
				"action", f.Action.String(), "error", brief(f.Err), "not_logged", n)
		}
	}
}

// writeFindings writes counts as text 0.0.4.
func writeFindings(w io.Writer, name string, all []Figures) {
	head := false
	for i := range all {
		for _, c := range all[i].Findings {
			if !head {
				writeHead(w, name, "counter", "What the preflight found, and what became of it.")
				head = true
			}
			writeLabelled(w, name, float64(c.N), "write", all[i].Name, "rule", c.Rule.String(), "action", c.Action.String())
		}
	}
}
