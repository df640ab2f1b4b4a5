package promwiretest_test

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"math"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/chunk"
	"github.com/promwire/promwire/promwiretest"
)

// broken is a storage that can be made to do something wrong. Without a function, it does what Memory does.
type broken struct {
	*promwiretest.Memory
	write func(context.Context, *promwire.WriteRequest) (promwire.WriteStats, error)
	read  func(context.Context, promwire.Query) iter.Seq2[promwire.TimeSeries, error]
}

func (b *broken) Write(ctx context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	if b.write == nil {
		return b.Memory.Write(ctx, req)
	}
	return b.write(ctx, req)
}

func (b *broken) Read(ctx context.Context, q promwire.Query) iter.Seq2[promwire.TimeSeries, error] {
	if b.read == nil {
		return b.Memory.Read(ctx, q)
	}
	return b.read(ctx, q)
}

// spoiled makes a Memory that is spoiled by f.
func spoiled(f func(*broken)) func() promwire.Storage {
	return func() promwire.Storage {
		b := &broken{Memory: promwiretest.NewMemory(promwiretest.RefuseOlder)}
		f(b)
		return b
	}
}

// brokenStorages have one fault each; check is the one that has to fail, and what it says has to contain says.
var brokenStorages = []struct {
	name   string
	check  string
	says   string
	blocks bool
	make   func() promwire.Storage
	opts   []promwiretest.StorageOption
}{
	{"keeps the request's memory", "write/memory", "after the request's memory", false, func() promwire.Storage { return &keeper{} }, nil},
	{"changes the request", "write/read-only", "belongs to its caller", false, changesRequest, nil},
	{"counts what it refuses", "write/partial", "", false, errorsBecome(func(p *promwire.PartialWriteError, sent promwire.WriteStats) {
		p.Written = sent
	}), nil},
	{"names one refusal of several", "write/partial", "", false, errorsBecome(func(p *promwire.PartialWriteError, _ promwire.WriteStats) {
		p.Refused = p.Refused[:1]
	}), nil},
	{"refuses without a reason", "write/partial", "reason", false, errorsBecome(func(p *promwire.PartialWriteError, _ promwire.WriteStats) {
		for i := range p.Refused {
			p.Refused[i].Reason = errors.New("no")
		}
	}), nil},
	{"names the wrong series", "write/partial", "", false, errorsBecome(func(p *promwire.PartialWriteError, _ promwire.WriteStats) {
		for i := range p.Refused {
			p.Refused[i].Series = 0
		}
	}), nil},
	{"names the wrong time", "write/partial", "time", false, errorsBecome(func(p *promwire.PartialWriteError, _ promwire.WriteStats) {
		for i := range p.Refused {
			p.Refused[i].Timestamp++
		}
	}), nil},
	{"gives out the request's labels", "write/partial/memory", "labels", false, borrowedLabels, nil},
	{"fails as a whole", "write/partial", "no *PartialWriteError", false, spoiled(func(b *broken) {
		b.write = func(ctx context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
			stats, err := b.Memory.Write(ctx, req)
			if err != nil {
				err = promwire.ErrDuplicateTimestamp
			}
			return stats, err
		}
	}), nil},
	{"drops in silence", "write/other-value", "", false, spoiled(func(b *broken) {
		b.write = func(ctx context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
			_, _ = b.Memory.Write(ctx, req)
			return req.Stats(), nil
		}
	}), nil},
	{"loses late samples", "write/late", "after a late sample was taken", false, spoiled(func(b *broken) {
		b.write = func(ctx context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
			_, _ = b.Memory.Write(ctx, req)
			return req.Stats(), nil
		}
	}), nil},
	{"keeps what comes twice", "write/same-again", "3 samples, want 2", false, func() promwire.Storage { return &heap{} }, nil},
	{"refuses requests of metadata", "write/metadata", "", false, spoiled(func(b *broken) {
		b.write = func(ctx context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
			if len(req.Timeseries) == 0 {
				return promwire.WriteStats{}, promwire.ErrEmptySeries
			}
			return b.Memory.Write(ctx, req)
		}
	}), nil},
	{"fails for exemplars", "write/exemplars", "", false, spoiled(func(b *broken) {
		b.write = func(ctx context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
			if req.Stats().Exemplars > 0 {
				return promwire.WriteStats{}, errors.New("exemplars are not supported")
			}
			return b.Memory.Write(ctx, req)
		}
	}), nil},
	{"drops exemplars uncounted", "write/exemplars", "", false, spoiled(func(b *broken) {
		b.write = func(ctx context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
			stats, err := b.Memory.Write(ctx, req)
			stats.Exemplars = 0
			return stats, err
		}
	}), nil},
	{"writes on when cancelled", "write/cancelled", "", false, spoiled(func(b *broken) {
		b.write = func(ctx context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
			return b.Memory.Write(context.WithoutCancel(ctx), req)
		}
	}), nil},
	{"ignores the case of values", "write/labels", "", false, relabelled(strings.ToLower), nil},
	{"trims values", "write/labels", "", false, relabelled(strings.TrimSpace), nil},
	{"joins labels", "write/labels", "", false, relabelled(func(v string) string { return strings.ReplaceAll(v, "\x00", "\n") }), nil},
	{"loses NaN", "values/stale", "", false, values(func(v float64) float64 {
		if math.IsNaN(v) {
			return math.NaN()
		}
		return v
	}), nil},
	{"loses NaN payloads", "values/floats", "", false, values(func(v float64) float64 {
		if math.IsNaN(v) && !promwire.IsStaleNaN(v) {
			return math.NaN()
		}
		return v
	}), nil},
	{"loses the sign of zero", "values/floats", "", false, values(func(v float64) float64 { return v + 0 }), nil},
	{"rounds", "values/floats", "", false, values(func(v float64) float64 {
		if float64(int64(v)) == v || math.IsNaN(v) || math.IsInf(v, 0) {
			return v
		}
		return float64(float32(v))
	}), nil},
	{"rounds times to seconds", "values/times", "", false, read(func(ts *promwire.TimeSeries) {
		for i := range ts.Samples {
			ts.Samples[i].Timestamp -= ts.Samples[i].Timestamp % 1000
		}
	}), nil},
	{"drops histograms", "values/histograms", "", false, read(func(ts *promwire.TimeSeries) { ts.Histograms = nil }), nil},
	{"makes float histograms of all", "values/histograms", "float is true", false, read(func(ts *promwire.TimeSeries) {
		for i := range ts.Histograms {
			ts.Histograms[i].IsFloat, ts.Histograms[i].CountFloat = true, float64(ts.Histograms[i].Count)
		}
	}), nil},
	{"forgets gauges", "values/histograms", "reset hint", false, read(func(ts *promwire.TimeSeries) {
		for i := range ts.Histograms {
			ts.Histograms[i].ResetHint = promwire.ResetUnknown
		}
	}), nil},
	{"forgets custom bounds", "values/histograms", "custom bounds", false, read(func(ts *promwire.TimeSeries) {
		for i := range ts.Histograms {
			ts.Histograms[i].CustomValues = nil
		}
	}), nil},
	{"does not anchor", "read/matchers", "", false, matching(func(m *promwire.Matcher, value string, _ bool) bool {
		switch m.Type {
		case promwire.MatchRegexp:
			return regexp.MustCompile("(?s)" + m.Value).MatchString(value)
		case promwire.MatchNotRegexp:
			return !regexp.MustCompile("(?s)" + m.Value).MatchString(value)
		default:
			return m.Matches(value)
		}
	}), nil},
	{"anchors an alternative each", "read/matchers", "", false, matching(func(m *promwire.Matcher, value string, _ bool) bool {
		if m.Type == promwire.MatchRegexp {
			return regexp.MustCompile("(?s)^" + m.Value + "$").MatchString(value)
		}
		return m.Matches(value)
	}), nil},
	{"stops at line feeds", "read/matchers", "", false, matching(func(m *promwire.Matcher, value string, _ bool) bool {
		if m.Type == promwire.MatchRegexp {
			return regexp.MustCompile("^(?:" + m.Value + ")$").MatchString(value)
		}
		return m.Matches(value)
	}), nil},
	{"demands labels that are matched", "read/matchers", "", false, matching(func(m *promwire.Matcher, value string, there bool) bool {
		return there && m.Matches(value)
	}), nil},
	{"wants one metric name", "read/matchers/name", "", false, matching(func(m *promwire.Matcher, value string, _ bool) bool {
		return m.Matches(value) && (m.Name != promwire.MetricName || m.Type == promwire.MatchEqual)
	}), nil},
	{"selects all without matchers", "read/no-matchers", "", false, queries(func(q *promwire.Query) {
		if len(q.Matchers) == 0 {
			m, _ := promwire.NewMatcher(promwire.MatchRegexp, promwire.MetricName, ".*")
			q.Matchers = []promwire.Matcher{m}
		}
	}), nil},
	{"ends before the end", "read/range", "", false, queries(func(q *promwire.Query) { q.End = q.End.Add(-1e6) }), nil},
	{"begins after the start", "read/range", "", false, queries(func(q *promwire.Query) { q.Start = q.Start.Add(1e6) }), nil},
	{"reads whole seconds", "read/range", "", false, queries(func(q *promwire.Query) { q.Start, q.End = q.Start.Truncate(1e9), q.End.Add(1e9).Truncate(1e9) }), nil},
	{"overflows", "read/range", "all times", false, queries(func(q *promwire.Query) {
		if q.Start.UnixMilli() < -1<<60 {
			q.Start = q.End
		}
	}), nil},
	{"samples by the step", "read/hints", "", false, spoiled(func(b *broken) {
		b.read = func(ctx context.Context, q promwire.Query) iter.Seq2[promwire.TimeSeries, error] {
			return mapped(b.Memory.Read(ctx, q), func(ts *promwire.TimeSeries) {
				if q.Hints.Step > 0 {
					ts.Samples = ts.Samples[len(ts.Samples)-1:]
				}
			})
		}
	}), nil},
	{"has an order of its own", "read/order", "label order", false, sorted(func(a, b promwire.Labels) int { return strings.Compare(b.String(), a.String()) }), nil},
	{"orders by text", "read/order", "label order", false, sorted(func(a, b promwire.Labels) int { return strings.Compare(a.String(), b.String()) }), nil},
	{"turns samples round", "read/range", "comes behind", false, read(func(ts *promwire.TimeSeries) { slices.Reverse(ts.Samples) }), nil},
	{"repeats a part", "read/long", "", false, repeats, nil},
	{"ends after a part", "read/long", "", false, firstPart, nil},
	{"does not release a loop that is left", "read/break", "blocks", true, locked(false), nil},
	{"holds a lock in loops", "read/slow", "blocks", true, locked(true), nil},
	{"reads on when cancelled", "read/cancelled", "", false, spoiled(func(b *broken) {
		b.read = func(ctx context.Context, q promwire.Query) iter.Seq2[promwire.TimeSeries, error] {
			return b.Memory.Read(context.WithoutCancel(ctx), q)
		}
	}), nil},
	{"takes a cancelled read for an end", "read/cancelled", "", false, silent, nil},
	{"goes on after an error", "read/cancelled", "", false, spoiled(func(b *broken) {
		b.read = func(ctx context.Context, q promwire.Query) iter.Seq2[promwire.TimeSeries, error] {
			return func(yield func(promwire.TimeSeries, error) bool) {
				for ts, err := range b.Memory.Read(context.WithoutCancel(ctx), q) {
					if !yield(ts, cmp.Or(err, ctx.Err())) {
						return
					}
				}
			}
		}
	}), nil},
	{"loses parallel writes", "parallel/writers", "", false, loseParallel, nil},
	{"shows half a write to readers", "parallel/readers", "", false, halfSeen, nil},
	{"panics", "write/counts", "panic", false, spoiled(func(b *broken) {
		b.write = func(context.Context, *promwire.WriteRequest) (promwire.WriteStats, error) { panic("not there yet") }
	}), nil},
	{"loses a chunk", "chunks/samples", "as chunks", false, chunked(func(s *promwire.ChunkedSeries) { s.Chunks = s.Chunks[1:] }), nil},
	{"announces wrong times", "chunks/samples", "announces", false, chunked(func(s *promwire.ChunkedSeries) { s.Chunks[0].MaxTime -= 5 }), nil},
	{"turns chunks round", "chunks/samples", "begins at", false, chunked(func(s *promwire.ChunkedSeries) { slices.Reverse(s.Chunks) }), nil},
	{"calls chunks by another name", "chunks/histograms", "", false, chunked(func(s *promwire.ChunkedSeries) {
		for i := range s.Chunks {
			s.Chunks[i].Encoding = promwire.ChunkXOR
		}
	}), nil},
	{"cuts chunk data", "chunks/samples", "", false, chunked(func(s *promwire.ChunkedSeries) { s.Chunks[0].Data = s.Chunks[0].Data[:40] }), nil},
}

// keeper keeps requests as they are, whoever owns their memory.
type keeper struct {
	mu  sync.Mutex
	all []promwire.TimeSeries
}

func (k *keeper) Write(_ context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.all = append(k.all, req.Timeseries...)
	return req.Stats(), nil
}

func (k *keeper) Read(ctx context.Context, q promwire.Query) iter.Seq2[promwire.TimeSeries, error] {
	k.mu.Lock()
	defer k.mu.Unlock()
	m := promwiretest.NewMemory(promwiretest.TakeOlder)
	_, _ = m.Write(ctx, (&promwire.WriteRequest{Timeseries: k.all}).Clone())
	return m.Read(ctx, q)
}

// heap keeps each sample, whether it was there or not.
type heap struct{ keeper }

func (h *heap) Read(_ context.Context, _ promwire.Query) iter.Seq2[promwire.TimeSeries, error] {
	return func(yield func(promwire.TimeSeries, error) bool) {
		whole := h.all[0].Clone()
		for _, ts := range h.all[1:] {
			whole.Samples = append(whole.Samples, ts.Samples...)
		}
		for i := range whole.Samples { // so that times ascend
			whole.Samples[i].Timestamp += int64(i)
		}
		yield(whole, nil)
	}
}

var changesRequest = spoiled(func(b *broken) {
	b.write = func(ctx context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
		stats, err := b.Memory.Write(ctx, req)
		slices.SortFunc(req.Timeseries, func(x, y promwire.TimeSeries) int { return x.Labels.Compare(y.Labels) })
		return stats, err
	}
})

// errorsBecome spoils partial errors, and returns the counts that they have then.
func errorsBecome(f func(*promwire.PartialWriteError, promwire.WriteStats)) func() promwire.Storage {
	return spoiled(func(b *broken) {
		b.write = func(ctx context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
			stats, err := b.Memory.Write(ctx, req)
			var p *promwire.PartialWriteError
			if errors.As(err, &p) {
				f(p, req.Stats())
				return p.Written, p
			}
			return stats, err
		}
	})
}

var borrowedLabels = spoiled(func(b *broken) {
	b.write = func(ctx context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
		stats, err := b.Memory.Write(ctx, req)
		var p *promwire.PartialWriteError
		if errors.As(err, &p) {
			for i := range p.Refused {
				p.Refused[i].Labels = req.Timeseries[p.Refused[i].Series].Labels
			}
		}
		return stats, err
	}
})

// relabelled changes label values before they are stored.
func relabelled(f func(string) string) func() promwire.Storage {
	return spoiled(func(b *broken) {
		b.write = func(ctx context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
			changed := req.Clone()
			for i := range changed.Timeseries {
				for j, l := range changed.Timeseries[i].Labels {
					changed.Timeseries[i].Labels[j].Value = f(l.Value)
				}
			}
			_, _ = b.Memory.Write(ctx, changed)
			return req.Stats(), nil
		}
	})
}

// mapped changes copies of what is read.
func mapped(all iter.Seq2[promwire.TimeSeries, error], f func(*promwire.TimeSeries)) iter.Seq2[promwire.TimeSeries, error] {
	return func(yield func(promwire.TimeSeries, error) bool) {
		for ts, err := range all {
			ts = ts.Clone()
			f(&ts)
			if !yield(ts, err) {
				return
			}
		}
	}
}

func read(f func(*promwire.TimeSeries)) func() promwire.Storage {
	return spoiled(func(b *broken) {
		b.read = func(ctx context.Context, q promwire.Query) iter.Seq2[promwire.TimeSeries, error] {
			return mapped(b.Memory.Read(ctx, q), f)
		}
	})
}

func values(f func(float64) float64) func() promwire.Storage {
	return read(func(ts *promwire.TimeSeries) {
		for i := range ts.Samples {
			ts.Samples[i].Value = f(ts.Samples[i].Value)
		}
	})
}

func queries(f func(*promwire.Query)) func() promwire.Storage {
	return spoiled(func(b *broken) {
		b.read = func(ctx context.Context, q promwire.Query) iter.Seq2[promwire.TimeSeries, error] {
			f(&q)
			return b.Memory.Read(ctx, q)
		}
	})
}

// matching selects series by a rule of its own.
func matching(f func(m *promwire.Matcher, value string, there bool) bool) func() promwire.Storage {
	return spoiled(func(b *broken) {
		b.read = func(ctx context.Context, q promwire.Query) iter.Seq2[promwire.TimeSeries, error] {
			return func(yield func(promwire.TimeSeries, error) bool) {
				for _, ts := range b.All() {
					fits := true
					for i := range q.Matchers {
						m := &q.Matchers[i]
						there := slices.ContainsFunc(ts.Labels, func(l promwire.Label) bool { return l.Name == m.Name })
						fits = fits && f(m, ts.Labels.Get(m.Name), there)
					}
					if fits && !yield(ts, nil) {
						return
					}
				}
			}
		}
	})
}

// sorted yields series in an order of its own.
func sorted(f func(a, b promwire.Labels) int) func() promwire.Storage {
	return spoiled(func(b *broken) {
		b.read = func(ctx context.Context, q promwire.Query) iter.Seq2[promwire.TimeSeries, error] {
			return func(yield func(promwire.TimeSeries, error) bool) {
				all := b.All()
				slices.SortFunc(all, func(x, y promwire.TimeSeries) int { return f(x.Labels, y.Labels) })
				for _, ts := range all {
					if !yield(ts, nil) {
						return
					}
				}
			}
		}
	})
}

var repeats = spoiled(func(b *broken) {
	b.read = func(ctx context.Context, q promwire.Query) iter.Seq2[promwire.TimeSeries, error] {
		return func(yield func(promwire.TimeSeries, error) bool) {
			for ts, err := range b.Memory.Read(ctx, q) {
				for range 2 {
					if !yield(ts, err) {
						return
					}
				}
			}
		}
	}
})

var firstPart = spoiled(func(b *broken) {
	b.read = func(ctx context.Context, q promwire.Query) iter.Seq2[promwire.TimeSeries, error] {
		return func(yield func(promwire.TimeSeries, error) bool) {
			before := ""
			for ts, err := range b.Memory.Read(ctx, q) {
				if labels := ts.Labels.String(); labels != before && !yield(ts, err) {
					return
				} else {
					before = labels
				}
			}
		}
	}
})

// locked holds a lock while a loop runs, and, if it does not release, for ever when the loop is left.
func locked(release bool) func() promwire.Storage {
	return spoiled(func(b *broken) {
		var mu sync.Mutex
		b.write = func(ctx context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
			mu.Lock()
			defer mu.Unlock()
			return b.Memory.Write(ctx, req)
		}
		b.read = func(ctx context.Context, q promwire.Query) iter.Seq2[promwire.TimeSeries, error] {
			return func(yield func(promwire.TimeSeries, error) bool) {
				mu.Lock()
				for ts, err := range b.Memory.Read(ctx, q) {
					if !yield(ts, err) {
						if release {
							mu.Unlock()
						}
						return
					}
				}
				mu.Unlock()
			}
		}
	})
}

// silent ends a cancelled read without an error.
var silent = spoiled(func(b *broken) {
	b.read = func(ctx context.Context, q promwire.Query) iter.Seq2[promwire.TimeSeries, error] {
		return func(yield func(promwire.TimeSeries, error) bool) {
			for ts, err := range b.Memory.Read(ctx, q) {
				if err != nil || !yield(ts, nil) {
					return
				}
			}
		}
	}
})

// loseParallel loses a write that comes while another one is on its way.
var loseParallel = spoiled(func(b *broken) {
	var inside atomic.Int32
	b.write = func(ctx context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
		defer inside.Add(-1)
		if inside.Add(1) > 1 {
			return req.Stats(), nil
		}
		for range 100 {
			runtime.Gosched()
		}
		return b.Memory.Write(ctx, req)
	}
})

// halfSeen takes the newest sample back from readers, now and then.
var halfSeen = spoiled(func(b *broken) {
	var reads atomic.Int32
	b.read = func(ctx context.Context, q promwire.Query) iter.Seq2[promwire.TimeSeries, error] {
		third := reads.Add(1)%3 == 0
		return mapped(b.Memory.Read(ctx, q), func(ts *promwire.TimeSeries) {
			if n := len(ts.Samples); third && n > 1 {
				ts.Samples[n-1].Value = 0
			}
		})
	}
})

// chunkStorage is a Memory that makes chunks, and spoils them.
type chunkStorage struct {
	*promwiretest.Memory
	spoil func(*promwire.ChunkedSeries)
}

func (c chunkStorage) ReadChunks(ctx context.Context, q promwire.Query) iter.Seq2[promwire.ChunkedSeries, error] {
	return func(yield func(promwire.ChunkedSeries, error) bool) {
		for ts, err := range c.Read(ctx, q) {
			var e chunk.Encoder
			series := promwire.ChunkedSeries{Labels: ts.Labels}
			series.Chunks = e.AppendHistograms(e.AppendSamples(nil, ts.Samples), ts.Histograms)
			if err == nil {
				c.spoil(&series)
			}
			if !yield(series, err) {
				return
			}
		}
	}
}

func chunked(spoil func(*promwire.ChunkedSeries)) func() promwire.Storage {
	return func() promwire.Storage { return chunkStorage{promwiretest.NewMemory(promwiretest.RefuseOlder), spoil} }
}

// The storages below are as they may be, if they say so.

// refuseHistograms has no native histograms, and names those it is given.
var refuseHistograms = spoiled(func(b *broken) {
	b.write = func(ctx context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
		req = req.Clone()
		p := &promwire.PartialWriteError{}
		for i := range req.Timeseries {
			ts := &req.Timeseries[i]
			for _, h := range ts.Histograms {
				p.Refused = append(p.Refused, promwire.Refusal{Series: i, Labels: ts.Labels, Timestamp: h.Timestamp, Reason: promwire.ErrInvalidHistogram})
			}
			ts.Histograms = nil
		}
		stats, err := b.Memory.Write(ctx, req)
		if err != nil || len(p.Refused) == 0 {
			return stats, err
		}
		p.Written = stats
		return stats, p
	}
})

// overwrite lets the newest value of a time count.
var overwrite = spoiled(func(b *broken) {
	newest := map[string]promwire.Sample{}
	b.write = func(ctx context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
		stats, err := b.Memory.Write(ctx, req)
		if errors.Is(err, promwire.ErrDuplicateTimestamp) {
			newest[req.Timeseries[0].Labels.String()] = req.Timeseries[0].Samples[0]
			return req.Stats(), nil
		}
		return stats, err
	}
	b.read = func(ctx context.Context, q promwire.Query) iter.Seq2[promwire.TimeSeries, error] {
		return mapped(b.Memory.Read(ctx, q), func(ts *promwire.TimeSeries) {
			if s, ok := newest[ts.Labels.String()]; ok {
				ts.Samples[len(ts.Samples)-1] = s
			}
		})
	}
})

// late shows what was written at the third look.
var late = spoiled(func(b *broken) {
	looks := 0
	b.write = func(ctx context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
		looks = 0
		return b.Memory.Write(ctx, req)
	}
	b.read = func(ctx context.Context, q promwire.Query) iter.Seq2[promwire.TimeSeries, error] {
		if looks++; looks < 3 {
			return func(func(promwire.TimeSeries, error) bool) {}
		}
		return b.Memory.Read(ctx, q)
	}
})
