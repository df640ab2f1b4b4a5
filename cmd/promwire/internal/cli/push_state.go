package cli

import (
	"context"
	"errors"
	"math"
	"strconv"
	"time"

	"github.com/spf13/pflag"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/metrics"
)

// stateFlags are the flags of a push whose totals survive it.
type stateFlags struct {
	path   string
	wait   duration
	fresh  bool
	bounds []float64
}

func (s *stateFlags) register(flags *pflag.FlagSet) {
	s.wait = duration(time.Minute)
	flags.StringVar(&s.path, "state", "", "`FILE` with the totals of earlier runs, which VALUE is added to")
	flags.Var(&s.wait, "state-wait", "how long to wait for another run that uses the --state")
	flags.BoolVar(&s.fresh, "state-fresh", false, "start from zero if the --state is damaged")
	flags.Float64SliceVar(&s.bounds, "bounds", nil, "upper `BOUNDS` of the buckets of a histogram in the --state, like 0.5,1,5")
}

// refuse fails if flags were given that need --state.
func (s *stateFlags) refuse() error {
	if s.fresh || len(s.bounds) > 0 {
		return usagef("--state-fresh and --bounds need --state")
	}
	return nil
}

// pushState records the arguments in instruments that go on from the state, and pushes these.
func pushState(ctx context.Context, streams IO, f *pushFlags, args []string) (err error) {
	if f.start != "" {
		return usagef("--start-time is kept in the --state")
	}
	meta, err := f.metadata()
	if err != nil {
		return err
	}
	pairs, err := f.labelPairs()
	if err != nil {
		return err
	}
	w, err := f.writer(streams)
	if err != nil {
		return err
	}
	st, err := f.openState(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	opts := []metrics.RegistryOption{metrics.WithState(st), metrics.WithUTF8Names()}
	for _, l := range pairs {
		opts = append(opts, metrics.WithConstLabel(l.Name, l.Value))
	}
	reg := metrics.NewRegistry(opts...)
	for i := 0; i < len(args); i += 2 {
		if err := f.record(reg, meta, args[i], args[i+1]); err != nil {
			return err
		}
	}
	counted := &countingWriter{next: w}
	if err := metrics.NewPusher(reg, counted).Push(ctx); err != nil {
		return err
	}
	return f.written(streams, counted.stats)
}

func (f *pushFlags) openState(ctx context.Context) (*metrics.State, error) {
	if f.dryRun {
		return metrics.PeekState(f.state.path)
	}
	var opts []metrics.StateOption
	if f.state.fresh {
		opts = append(opts, metrics.WithFreshStart())
	}
	ctx, cancel := context.WithTimeout(ctx, time.Duration(f.state.wait))
	defer cancel()
	return metrics.OpenState(ctx, f.state.path, opts...)
}

// record records one value.
func (f *pushFlags) record(reg *metrics.Registry, meta promwire.Metadata, name, value string) error {
	v, err := strconv.ParseFloat(value, 64)
	if err != nil {
		return usagef("VALUE %q of %s is not a number", value, name)
	}
	if meta.Type != promwire.TypeGauge && (math.IsNaN(v) || math.IsInf(v, 0)) {
		return usagef("VALUE %s of %s: want a number that is finite", value, name)
	}
	at, err := parseTime(f.time, time.Now())
	if err != nil {
		return usagef("--time: %w", err)
	}
	in, err := f.newInstrument(reg, meta, name)
	switch {
	case errors.Is(err, metrics.ErrConflict):
		return err // with what the state holds
	case err != nil:
		return &usageError{err}
	case in.counts && v < 0:
		return usagef("VALUE %s of %s: a counter can't go down", value, name)
	case f.time != "now":
		return in.at(v, at)
	}
	in.now(v)
	return nil
}

// instrument is what all instruments have in common.
type instrument struct {
	now    func(v float64)
	at     func(v float64, t time.Time) error
	counts bool
}

func (f *pushFlags) newInstrument(reg *metrics.Registry, meta promwire.Metadata, name string) (instrument, error) {
	help, unit := metrics.WithHelp(meta.Help), metrics.WithUnit(meta.Unit)
	name, pairs, err := splitSeries(name)
	if err != nil {
		return instrument{}, err
	}
	var names, values []string
	for _, l := range pairs {
		names, values = append(names, l.Name), append(values, l.Value)
	}
	switch meta.Type {
	case promwire.TypeUnknown, promwire.TypeCounter:
		v, err := reg.CounterVec(name, names, help, unit)
		if err != nil {
			return instrument{}, err
		}
		c := v.With(values...)
		return instrument{c.Add, c.AddAt, true}, nil
	case promwire.TypeGauge:
		v, err := reg.GaugeVec(name, names, help, unit)
		if err != nil {
			return instrument{}, err
		}
		g := v.With(values...)
		return instrument{g.Set, g.SetAt, false}, nil
	case promwire.TypeHistogram:
		opts := []metrics.HistogramOption{help, unit}
		if len(f.state.bounds) > 0 {
			opts = append(opts, metrics.WithBounds(f.state.bounds...))
		}
		v, err := reg.HistogramVec(name, names, opts...)
		if err != nil {
			return instrument{}, err
		}
		h := v.With(values...)
		return instrument{h.Observe, h.ObserveAt, false}, nil
	default:
		return instrument{}, usagef("--type %v: a --state takes counter, gauge and histogram", meta.Type)
	}
}

// countingWriter adds up what is written.
type countingWriter struct {
	next  promwire.Writer
	stats promwire.WriteStats
}

// Write implements promwire.Writer.
func (c *countingWriter) Write(ctx context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	stats, err := c.next.Write(ctx, req)
	c.stats = c.stats.Add(stats)
	return stats, err
}
