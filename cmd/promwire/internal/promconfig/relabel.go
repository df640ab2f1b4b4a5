package promconfig

import (
	"context"
	"errors"
	"sync"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/relabel"

	"github.com/promwire/promwire"
)

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
		next: next, noExemplars: r.DropExemplars, noHistograms: r.DropHistograms,
		memory: ruleMemory{rules: ruleSet{rules: r.relabel}, newer: map[string]*ruled{}},
	}
}

type relabeller struct {
	next                      promwire.Writer
	noExemplars, noHistograms bool
	requests                  sync.Pool // *relabelled

	mu     sync.Mutex // guards memory
	memory ruleMemory
}

// relabelled is a request for next, kept for the one after it.
type relabelled struct {
	request promwire.WriteRequest
	from    []int // index in the request as it came of each series
	dropped promwire.WriteStats
}

// maxSeriesKept bounds the memory of a request that is kept, in series.
const maxSeriesKept = 20_000

// Write implements promwire.Writer.
func (r *relabeller) Write(ctx context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	out, _ := r.requests.Get().(*relabelled)
	if out == nil {
		out = &relabelled{}
	}
	defer r.release(out)
	r.relabel(out, req)
	if len(out.request.Timeseries) == 0 && len(out.request.Metadata) == 0 {
		return out.dropped, nil
	}
	stats, err := r.next.Write(ctx, &out.request)
	var partial *promwire.PartialWriteError
	if errors.As(err, &partial) {
		for i := range partial.Refused {
			partial.Refused[i].Series = out.from[partial.Refused[i].Series]
		}
		partial.Written = partial.Written.Add(out.dropped)
	}
	return stats.Add(out.dropped), err
}

// relabel fills out with what the block leaves of req.
func (r *relabeller) relabel(out *relabelled, req *promwire.WriteRequest) {
	out.request.Metadata, out.dropped = req.Metadata, promwire.WriteStats{}
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range req.Timeseries {
		ts := req.Timeseries[i]
		before := ts.Stats()
		ts.Labels = r.memory.outcome(ts.Labels)
		if r.noExemplars {
			ts.Exemplars = nil
		}
		if r.noHistograms {
			ts.Histograms = nil
		}
		after := ts.Stats()
		if len(ts.Labels) == 0 || after == (promwire.WriteStats{}) && before != after {
			out.dropped = out.dropped.Add(before)
			continue
		}
		out.dropped.Samples += before.Samples - after.Samples
		out.dropped.Histograms += before.Histograms - after.Histograms
		out.dropped.Exemplars += before.Exemplars - after.Exemplars
		out.request.Timeseries = append(out.request.Timeseries, ts)
		out.from = append(out.from, i)
	}
}

// release keeps the memory of out, but nothing that it refers to.
func (r *relabeller) release(out *relabelled) {
	clear(out.request.Timeseries)
	out.request = promwire.WriteRequest{Timeseries: out.request.Timeseries[:0]}
	out.from = out.from[:0]
	if cap(out.request.Timeseries) <= maxSeriesKept {
		r.requests.Put(out)
	}
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
