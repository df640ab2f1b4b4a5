package memory

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/promwire/promwire"
)

// ErrShort is the error of a context that a guard has ended; it wraps [promwire.ErrUnavailable].
var ErrShort = fmt.Errorf("ended, since the memory of the server is short: ask for less at once (--query.max-memory): %w", promwire.ErrUnavailable)

const (
	// Least is the smallest limit of use, in bytes: a process that does nothing has half of it in use.
	Least = 64 << 20
	// every is how often a guard looks.
	every = 20 * time.Millisecond
	// patience is how long it waits for the collector after it has ended something, unless memory grows further.
	patience = time.Second
	// Noticed is the size from which [Guard.Reserve] looks whether something fits, in bytes.
	Noticed = 16 << 20
)

// Guard ends what runs, the oldest first, when the process has more memory in use than a limit, or when so much of it is no garbage
// that the collector would do little else than run. It is safe for concurrent use.
type Guard struct {
	limit uint64 // bytes; 0: none
	usage func() usage

	mu       sync.Mutex
	running  []*work // in the order they began
	reserved uint64  // bytes that are taken soon
	watching bool
	ended    time.Time // when something was ended last
	at       usage     // and what was in use then
}

// NewGuard returns a guard of a limit in bytes; 0 sets none.
func NewGuard(limit int64) *Guard { return &Guard{limit: uint64(max(limit, 0)), usage: readUsage} }

// work is something that runs.
type work struct {
	context.Context
	cancel context.CancelCauseFunc
	done   chan struct{}
}

// Done implements [context.Context]. It is another channel than that of the context inside, so that contexts made of this one ask
// it for the error.
func (w *work) Done() <-chan struct{} { return w.done }

// Err implements [context.Context].
func (w *work) Err() error {
	if err := w.Context.Err(); err != nil && context.Cause(w.Context) != ErrShort { //nolint:errorlint // the very error that end gives
		return err
	} else if err != nil {
		return ErrShort
	}
	return nil
}

// workKey is the key of the work that a context is of.
type workKey struct{}

// Value implements [context.Context].
func (w *work) Value(key any) any {
	if key == (workKey{}) {
		return w
	}
	return w.Context.Value(key)
}

// Begin returns a context that ends with [ErrShort] when memory is short. The function that it returns must be called when the work
// is done and its memory is free.
func (g *Guard) Begin(ctx context.Context) (context.Context, func()) {
	if g.limit == 0 {
		return ctx, func() {}
	}
	w := &work{done: make(chan struct{})}
	w.Context, w.cancel = context.WithCancelCause(ctx)
	context.AfterFunc(w.Context, func() { close(w.done) })
	g.mu.Lock()
	defer g.mu.Unlock()
	g.running = append(g.running, w)
	if !g.watching {
		g.watching = true
		go g.watch()
	}
	return w, func() { g.done(w) }
}

func (g *Guard) done(w *work) {
	w.cancel(context.Canceled)
	g.mu.Lock()
	defer g.mu.Unlock()
	for i := range g.running {
		if g.running[i] == w {
			g.running = append(g.running[:i], g.running[i+1:]...)
			return
		}
	}
}

// watch looks as long as something runs.
func (g *Guard) watch() {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for now := range tick.C {
		if !g.look(now) {
			return
		}
	}
}

// look ends the oldest work if memory is short, and all of it if that does not help. It returns false when nothing runs.
func (g *Guard) look(now time.Time) bool {
	u := g.usage()
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.running) == 0 {
		g.watching = false
		return false
	}
	switch {
	case u.bytes <= g.limit && u.live <= g.limit-g.limit/5:
	case u.bytes > g.limit+g.limit/8:
		for _, w := range g.running {
			w.cancel(ErrShort)
		}
	case u.collections == g.at.collections && now.Sub(g.ended) < patience: // what was ended may not be free yet
	default:
		g.endOldest(now, u)
	}
	return true
}

func (g *Guard) endOldest(now time.Time, u usage) {
	for _, w := range g.running {
		if w.Context.Err() == nil {
			w.cancel(ErrShort)
			g.ended, g.at = now, u
			return
		}
	}
}

// Reserve reports whether n bytes fit, and counts them as used until the function that it returns is called. If they don't, it ends
// the work that ctx is of, with [ErrShort]. It is for what is taken at once, which nothing can end.
func (g *Guard) Reserve(ctx context.Context, n int64) (release func(), err error) {
	if g.limit == 0 || n < Noticed {
		return func() {}, nil
	}
	if !g.take(uint64(n)) {
		runtime.GC()
		if !g.take(uint64(n)) {
			if w, ok := ctx.Value(workKey{}).(*work); ok {
				w.cancel(ErrShort)
			}
			return nil, ErrShort
		}
	}
	return sync.OnceFunc(func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.reserved -= uint64(n)
	}), nil
}

// take reserves n bytes if they fit.
func (g *Guard) take(n uint64) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.usage().bytes+g.reserved+n > g.limit {
		return false
	}
	g.reserved += n
	return true
}
