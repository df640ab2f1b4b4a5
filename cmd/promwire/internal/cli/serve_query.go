package cli

import (
	"cmp"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/promwire/promwire/cmd/promwire/internal/memory"
	"github.com/promwire/promwire/cmd/promwire/internal/queryapi"
)

// queryFlags bound queries; they have the names of Prometheus.
type queryFlags struct {
	timeout, lookback          duration
	maxConcurrency, maxSamples int
	maxMemory                  size
	shown                      map[string]string // all flags of the command
}

func defaultQueryFlags() queryFlags {
	return queryFlags{
		timeout: duration(queryapi.DefaultTimeout), lookback: duration(queryapi.DefaultLookbackDelta),
		maxConcurrency: queryapi.DefaultMaxConcurrency, maxSamples: queryapi.DefaultMaxSamples,
		maxMemory: size(memory.Limit() >> 20 << 20), // whole MB
	}
}

func (f *queryFlags) register(flags *pflag.FlagSet) {
	flags.Var(&f.timeout, "query.timeout", "how long a query may take")
	flags.IntVar(&f.maxConcurrency, "query.max-concurrency", f.maxConcurrency, "how many queries run at the same time; others wait")
	flags.IntVar(&f.maxSamples, "query.max-samples", f.maxSamples, "bound on the samples a query has in memory, at 16 bytes each")
	flags.Var(&f.maxMemory, "query.max-memory", "bound on the memory of the process, beyond which queries are ended, the oldest first, at least 64MB; 0: none (default: 80 % of what the machine or the container has)")
	flags.Lookup("query.max-memory").DefValue = "0" // the same help everywhere
	flags.Var(&f.lookback, "query.lookback-delta", "how far back a query looks for the newest sample of a series")
}

// check refuses what would mean that nothing can be queried.
func (f *queryFlags) check() error {
	least := min(size(memory.Least), cmp.Or(defaultQueryFlags().maxMemory, memory.Least)) // the default of a small machine is taken
	switch {
	case f.timeout == 0:
		return usagef("--query.timeout must not be 0")
	case f.lookback == 0:
		return usagef("--query.lookback-delta must not be 0")
	case f.maxConcurrency < 1 || f.maxConcurrency > 1<<16:
		return usagef("--query.max-concurrency %d: want 1 to %d", f.maxConcurrency, 1<<16)
	case f.maxMemory > 0 && f.maxMemory < least:
		return usagef("--query.max-memory %v: want at least %v, half of which a server needs that does nothing, or 0 for no bound", &f.maxMemory, &least)
	case f.maxSamples < 1:
		return usagef("--query.max-samples %d: want at least 1", f.maxSamples)
	default:
		return nil
	}
}

func (f *queryFlags) options() queryapi.Options {
	return queryapi.Options{
		Timeout: time.Duration(f.timeout), LookbackDelta: time.Duration(f.lookback),
		MaxConcurrency: f.maxConcurrency, MaxSamples: f.maxSamples, MaxMemory: int64(f.maxMemory),
		Flags: f.shown,
	}
}

// flagValues returns all flags of a command.
func flagValues(cmd *cobra.Command) map[string]string {
	values := map[string]string{}
	cmd.Flags().VisitAll(func(f *pflag.Flag) { values[f.Name] = f.Value.String() })
	return values
}
