package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/outlets"
	"github.com/promwire/promwire/spool"
)

// spooled is all outlets behind one spool. It is a store.
type spooled struct {
	spool    *spool.Spool
	places   *outlets.Spooled
	config   *Config
	samples  atomic.Int64 // bound on those of a request
	logger   *slog.Logger
	refusals outlets.Limiter
	notTaken atomic.Int64
}

// newSpooled begins to deliver what s holds. If it holds something for outlets that are no more, that is an error, or is
// given up.
func newSpooled(s *spool.Spool, c *Config) (*spooled, error) {
	out := &spooled{spool: s, config: c, logger: c.Logger}
	var err error
	out.places, err = outlets.NewSpooled(s, out.placesOf(c.Outlets), c.DropLeftOver, c.Logger)
	return out, err
}

// placesOf makes places of outlets. Requests are as small as the smallest limit among them.
func (s *spooled) placesOf(all []Outlet) []outlets.Place {
	var places []outlets.Place
	limit := MaxBatchSamples
	for i := range all {
		o := &all[i]
		own := limitsOf(o, s.config)
		limit = min(limit, own.samples)
		p := outlets.Place{Name: o.Name, Writer: outlets.Insist(o.Writer), Preflight: o.Preflight, Options: spool.DeliverOptions{
			MergeSamples: own.samples, Gather: own.deadline, MinBackoff: own.minPause, MaxBackoff: own.maxPause,
		}}
		if o.Before != nil {
			p.Writer = o.Before(p.Writer)
		}
		p.Writer, p.AgeLimit = outlets.NewAgeLimit(p.Writer, o.Options.MaxSampleAge)
		places = append(places, p)
	}
	s.samples.Store(int64(limit))
	return places
}

func (s *spooled) reload(all []Outlet) error {
	err := s.places.Reload(s.placesOf(all), outlets.Change{DropLeftOver: s.config.DropLeftOver})
	if errors.Is(err, outlets.ErrLeftOver) {
		err = fmt.Errorf("%w; wait until it has got all, or restart with --drop-left-over", err)
	}
	return err
}

func (s *spooled) limit() int { return int(s.samples.Load()) }

// take returns when a request is on disk.
func (s *spooled) take(req *promwire.WriteRequest) {
	_, err := s.spool.Write(context.Background(), req)
	if err == nil {
		return
	}
	s.notTaken.Add(outlets.Points(req.Stats()))
	if n, ok := s.refusals.Allow(); ok {
		s.logger.Error("scrape can't be spooled and is lost", "samples", outlets.Points(req.Stats()), "error", err, "not_logged", n)
	}
}

func (s *spooled) figures() []outlets.Figures {
	all := s.places.Figures()
	for i := range all {
		all[i].NotTaken = s.notTaken.Load()
	}
	return all
}

// end gives deliveries some more time.
func (s *spooled) end(ctx context.Context) {
	if err := s.places.End(ctx); err != nil {
		s.logger.Error("the spool does not end well", "error", err)
	}
}
