package cli

import (
	"cmp"
	"fmt"
	"log/slog"
	"time"

	"github.com/spf13/pflag"

	"github.com/promwire/promwire/cmd/promwire/internal/promconfig"
	"github.com/promwire/promwire/cmd/promwire/internal/tsdbstore"
)

// configFile is a prometheus.yml for a store. What it says may not be said by a flag too.
type configFile struct {
	path  string
	flags *pflag.FlagSet
}

func (c *configFile) register(flags *pflag.FlagSet) {
	c.flags = flags
	flags.StringVar(&c.path, "config", "", "prometheus.yml as a `FILE`, for storage.tsdb and storage.exemplars; read again on SIGHUP")
}

// options returns what the flags say, and the file. The numbers get the sense of the store's, where 0 means the default.
func (f *serveFlags) options(logger *slog.Logger) (tsdbstore.Options, error) {
	o := tsdbstore.Options{
		Retention:        cmp.Or(time.Duration(f.retention), -1),
		RetentionBytes:   int64(f.retentionSize),
		OutOfOrderWindow: cmp.Or(time.Duration(f.window), -1),
		MinFree:          cmp.Or(int64(f.minFree), -1),
		StartTimestamps:  f.startTimestamps,
		Logger:           logger,
	}
	if f.config.path == "" {
		return o, nil
	}
	s, err := promconfig.LoadServe(f.config.path)
	if err == nil {
		err = f.config.conflict(s)
	}
	if err != nil {
		return o, usagef("--config: %w", err)
	}
	if s.Retention != nil {
		o.Retention = cmp.Or(*s.Retention, -1)
	}
	if s.RetentionBytes != nil {
		o.RetentionBytes = *s.RetentionBytes
	}
	if s.OutOfOrderWindow != nil {
		o.OutOfOrderWindow = cmp.Or(*s.OutOfOrderWindow, -1)
	}
	if s.MaxExemplars != nil {
		o.MaxExemplars = *s.MaxExemplars
	}
	return o, nil
}

// conflict refuses what both the file and a flag set.
func (c *configFile) conflict(s *promconfig.Serve) error {
	for _, both := range []struct {
		set           bool
		setting, flag string
	}{
		{s.Retention != nil, "storage.tsdb.retention.time", "retention.time"},
		{s.RetentionBytes != nil, "storage.tsdb.retention.size", "retention.size"},
		{s.OutOfOrderWindow != nil, "storage.tsdb.out_of_order_time_window", "out-of-order-window"},
	} {
		if both.set && c.flags.Changed(both.flag) {
			return fmt.Errorf("%s: %s is set there, and by --%s: leave one of them out", c.path, both.setting, both.flag)
		}
	}
	return nil
}

// reconfigurable is a store whose settings can change, or several.
type reconfigurable interface {
	Reconfigure(tsdbstore.Options) error
}

// reload has the file take effect. If it can't be used, the old settings stay.
func (f *serveFlags) reload(store reconfigurable, own *ownMetrics, logger *slog.Logger) {
	if f.config.path == "" {
		logger.Info("SIGHUP: there is no --config to read again")
		return
	}
	o, err := f.options(logger)
	if err == nil {
		err = store.Reconfigure(o)
	}
	own.reload.done(err)
	if err != nil {
		logger.Error("the configuration can't be used; the old one stays", "err", err)
		return
	}
	logger.Info("the configuration was read again", "file", f.config.path)
}
