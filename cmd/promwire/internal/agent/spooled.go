package agent

import (
	"context"
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
	logger   *slog.Logger
	refusals outlets.Limiter
	notTaken atomic.Int64
}

// newSpooled begins to deliver what s holds. What it holds for outlets that are no more is given up.
func newSpooled(s *spool.Spool, c *Config) (*spooled, error) {
	var places []outlets.Place
	for _, o := range c.Outlets {
		p := outlets.Place{Name: o.Name, Writer: o.Writer, Preflight: o.Preflight, Options: spool.DeliverOptions{
			JoinBytes: -1, MinBackoff: o.Options.MinBackoff, MaxBackoff: o.Options.MaxBackoff,
		}}
		if o.Before != nil {
			p.Writer = o.Before(o.Writer)
		}
		places = append(places, p)
	}
	all, err := outlets.NewSpooled(s, places, true, c.Logger)
	if err != nil {
		return nil, err
	}
	return &spooled{spool: s, places: all, logger: c.Logger}, nil
}

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
