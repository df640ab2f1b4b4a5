package promconfig

import (
	"context"
	"errors"
	"sync"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/relabel"

	"github.com/promwire/promwire"
)

// maxKnown bounds the label sets that a relabeller remembers the outcome for, in bytes of their labels; twice that in
// all. About 100,000 series.
const maxKnown = 32 << 20

// Relabel returns a writer that applies what the block says of series (write_relabel_configs, send_exemplars,
// send_native_histograms) and passes the rest on to next. A block that says nothing gets next itself.
//
// What the rules drop counts as written: it is what they are for. Refusals name series by their place in the request
// that Write was given.
func (r *RemoteWrite) Relabel(next promwire.Writer) promwire.Writer {
	if r.PassesThrough() {
		return next
	}
	return &relabeller{
		next: next, rules: ruleSet{rules: r.relabel}, noExemplars: r.DropExemplars, noHistograms: r.DropHistograms,
		newer: map[string]promwire.Labels{},
	}
}

type relabeller struct {
	next                      promwire.Writer
	noExemplars, noHistograms bool

	mu           sync.Mutex // guards what follows
	rules        ruleSet
	key          []byte
	newer, older map[string]promwire.Labels // outcome by labels; nil: dropped
	bytes        int                        // of the newer one
}

// Write implements promwire.Writer.
func (r *relabeller) Write(ctx context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	out := &promwire.WriteRequest{Metadata: req.Metadata, Timeseries: make([]promwire.TimeSeries, 0, len(req.Timeseries))}
	from := make([]int, 0, len(req.Timeseries)) // index in req of each series of out
	dropped := promwire.WriteStats{}
	r.mu.Lock()
	for i := range req.Timeseries {
		ts := req.Timeseries[i]
		before := ts.Stats()
		ts.Labels = r.outcome(ts.Labels)
		if r.noExemplars {
			ts.Exemplars = nil
		}
		if r.noHistograms {
			ts.Histograms = nil
		}
		after := ts.Stats()
		if len(ts.Labels) == 0 || after == (promwire.WriteStats{}) && before != after {
			dropped = dropped.Add(before)
			continue
		}
		dropped.Samples += before.Samples - after.Samples
		dropped.Histograms += before.Histograms - after.Histograms
		dropped.Exemplars += before.Exemplars - after.Exemplars
		out.Timeseries = append(out.Timeseries, ts)
		from = append(from, i)
	}
	r.mu.Unlock()
	if len(out.Timeseries) == 0 && len(out.Metadata) == 0 {
		return dropped, nil
	}
	stats, err := r.next.Write(ctx, out)
	var partial *promwire.PartialWriteError
	if errors.As(err, &partial) {
		for i := range partial.Refused {
			partial.Refused[i].Series = from[partial.Refused[i].Series]
		}
		partial.Written = partial.Written.Add(dropped)
	}
	return stats.Add(dropped), err
}

// outcome returns what the rules make of a label set, nil if they drop the series.
func (r *relabeller) outcome(ls promwire.Labels) promwire.Labels {
	if len(r.rules.rules) == 0 {
		return ls
	}
	r.key = r.key[:0]
	for _, l := range ls {
		r.key = append(append(append(append(r.key, l.Name...), 0xff), l.Value...), 0xff)
	}
	if out, ok := r.newer[string(r.key)]; ok {
		return out
	}
	out, ok := r.older[string(r.key)]
	if !ok {
		out = r.rules.apply(ls)
	}
	r.remember(out)
	return out
}

func (r *relabeller) remember(out promwire.Labels) {
	if r.bytes > maxKnown {
		r.older, r.newer, r.bytes = r.newer, map[string]promwire.Labels{}, 0
	}
	r.newer[string(r.key)] = out
	r.bytes += 3*len(r.key) + 32*len(out) + 64
}

// ruleSet are relabelling rules, with memory to apply them. It is not safe for concurrent use.
type ruleSet struct {
	rules   []*relabel.Config
	builder *labels.Builder
	scratch labels.ScratchBuilder
}

// apply runs the rules. What it returns shares no memory with ls.
func (r *ruleSet) apply(ls promwire.Labels) promwire.Labels {
	r.scratch.Reset()
	for _, l := range ls {
		r.scratch.Add(l.Name, l.Value)
	}
	r.scratch.Sort()
	base := r.scratch.Labels()
	if r.builder == nil {
		r.builder = labels.NewBuilder(labels.EmptyLabels())
	}
	r.builder.Reset(base)
	if !relabel.ProcessBuilder(r.builder, r.rules...) {
		return nil
	}
	var out promwire.Labels
	r.builder.Labels().Range(func(l labels.Label) {
		out = append(out, promwire.Label{Name: l.Name, Value: l.Value})
	})
	return out.Clone()
}
