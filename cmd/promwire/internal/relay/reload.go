package relay

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/promwire/promwire/cmd/promwire/internal/outlets"
)

// reload is how the last reload went.
type reload struct {
	mu   sync.Mutex
	good bool
	at   time.Time // of the last good one, the start included
}

// Reload goes on with the targets that load returns. If it, or something in what it returns, is bad, everything stays as
// it is. Targets are known by their names: what waits for one goes on, to its new writer; what is on its way may be sent
// again. A new one gets what comes from now on; in mode Shard it gets what is in the spool too, as it may have become the
// place of series that wait for another. One that is no more must have got everything, unless the relay may drop what is
// left. The outcome is logged, and in the figures.
func (r *Relay) Reload(load func() ([]Target, error)) {
	targets, err := load()
	if err == nil {
		err = r.Change(targets)
	}
	r.reload.mu.Lock()
	defer r.reload.mu.Unlock()
	if r.reload.good = err == nil; err != nil {
		r.config.Logger.Error("the configuration can't be used, the old one stays", "error", err)
		return
	}
	r.reload.at = time.Now()
	r.config.Logger.Info("configuration is read again", "targets", len(targets))
}

// Change is Reload with targets, and leaves to its caller to tell how it went.
func (r *Relay) Change(targets []Target) error {
	c := r.config
	c.Targets = targets
	places, err := c.places()
	if err != nil {
		return err
	}
	err = r.outlets.Reload(places, outlets.Change{DropLeftOver: c.DropLeftOver, All: c.Mode == Shard})
	if errors.Is(err, outlets.ErrLeftOver) {
		err = fmt.Errorf("%w; wait until it has got all, or restart with --drop-left-over", err)
	}
	return err
}

// writeReload writes the figures of reloads, if there can be some.
func (r *Relay) writeReload(w io.Writer) {
	if !r.config.Reloadable {
		return
	}
	r.reload.mu.Lock()
	good, at := int64(0), r.reload.at.Unix()
	if r.reload.good {
		good = 1
	}
	r.reload.mu.Unlock()
	outlets.WriteMetric(w, "promwire_relay_config_last_reload_successful", "gauge", "Whether the configuration that was read last is the one in use.", good)
	outlets.WriteMetric(w, "promwire_relay_config_last_reload_success_timestamp_seconds", "gauge", "When the configuration in use was read.", at)
}
