package metrics

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/promwire/promwire"
)

// Info says something in its labels, such as a version; its value is 1 (OpenMetrics, Info). It is safe for concurrent use.
type Info struct {
	fam     *family
	touched atomic.Bool

	mu   sync.Mutex
	tl   timeline
	wire wire
}

// Info makes an info with these labels, or returns the one that was made before with the same name and labels, whose help
// stays. The name gets the suffix _info unless it has it. Errors wrap [promwire.ErrInvalidName], [ErrInvalidUnit] if there
// is a unit, [ErrReservedLabel], [promwire.ErrDuplicateLabel] or [ErrConflict], which an info of the same name with other
// label names is.
func (r *Registry) Info(name string, labels promwire.Labels, opts ...InstrumentOption) (*Info, error) {
	names, values := make([]string, len(labels)), make([]string, len(labels))
	for i, l := range labels {
		names[i], values[i] = l.Name, l.Value
	}
	v, err := r.InfoVec(name, names, opts...)
	if err != nil {
		return nil, err
	}
	return v.With(values...), nil
}

// InfoVec is [Registry.Info] for label values that are not known yet.
func (r *Registry) InfoVec(name string, labels []string, opts ...InstrumentOption) (*Vec[Info], error) {
	return register(r, define(promwire.TypeInfo, name, labels, opts), newInfo)
}

func newInfo(f *family, ls promwire.Labels) *Info {
	i := &Info{fam: f, tl: f.newTimeline(), wire: wire{labels: wireLabels(ls, f.name, "")}}
	f.adopt(&i.tl, &i.wire)
	return i
}

// Set announces the info, as of the time of the next push.
func (i *Info) Set() { touch(&i.touched) }

// SetAt announces the info at time t; see "Recording" in the package documentation. Errors wrap [ErrLate], [promwire.ErrTooFarInFuture]
// or [ErrInvalidValue], and say that nothing was recorded.
func (i *Info) SetAt(t time.Time) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	return wrap(i.wire.labels, i.tl.add(1, t, i.fam.reg.now()))
}

func (i *Info) collect(dst []promwire.TimeSeries, now int64) []promwire.TimeSeries {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.tl.drain(now, untouch(&i.touched), i)
	return i.wire.appendTo(dst, &i.fam.meta)
}

func (i *Info) settle(v verdict) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.wire.drop(i.tl.settle(v))
}

func (i *Info) line() *timeline { return &i.tl }
func (i *Info) apply(float64)   {}
func (i *Info) applyUntimed()   {}
func (i *Info) emit(t int64)    { i.wire.add(t, 0, 1) }
func (i *Info) dropLast()       { i.wire.dropLast() }
