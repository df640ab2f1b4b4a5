package queryapi

import (
	"cmp"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Defaults of [Options]; those of Prometheus.
const (
	DefaultTimeout        = 2 * time.Minute
	DefaultMaxConcurrency = 20
	DefaultMaxSamples     = 50_000_000
	DefaultLookbackDelta  = 5 * time.Minute
)

// Options bounds queries and says what the status pages tell. The zero value means the defaults.
type Options struct {
	// Timeout is how long a query may take, with the time it waits for a place. Default [DefaultTimeout].
	Timeout time.Duration
	// MaxConcurrency is how many requests may query at the same time; others wait. Default [DefaultMaxConcurrency].
	MaxConcurrency int
	// MaxSamples bounds the samples a query holds in memory, at 16 bytes each. Default [DefaultMaxSamples].
	MaxSamples int
	// MaxMemory bounds the memory of the process, in bytes: beyond it, requests are ended with 503, the oldest first. Default: no
	// bound.
	MaxMemory int64
	// LookbackDelta is how far back an instant looks for the newest sample. Default [DefaultLookbackDelta].
	LookbackDelta time.Duration
	// Flags are what status/flags shows: names without dashes, and values.
	Flags map[string]string
	// LastReload says when the configuration in use was read, and whether it is the one that was read last. Default: at the start
	// of the process, and it is.
	LastReload func() (at time.Time, ok bool)
	// Registerer gets the metrics of the engine. Default: they are not shown.
	Registerer prometheus.Registerer
	// Logger gets what handlers and engine have to say. Default: nothing is logged.
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	o.Timeout = cmp.Or(max(o.Timeout, 0), DefaultTimeout)
	o.MaxConcurrency = cmp.Or(max(o.MaxConcurrency, 0), DefaultMaxConcurrency)
	o.MaxSamples = cmp.Or(max(o.MaxSamples, 0), DefaultMaxSamples)
	o.LookbackDelta = cmp.Or(max(o.LookbackDelta, 0), DefaultLookbackDelta)
	if o.LastReload == nil {
		o.LastReload = func() (time.Time, bool) { return started, true }
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}
