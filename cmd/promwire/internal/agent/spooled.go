package agent

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/spool"
)

// spooled is all outlets behind one spool. It is a store.
type spooled struct {
	spool    *spool.Spool
	logger   *slog.Logger
	refusals limiter
	notTaken atomic.Int64
	places   []*place
	stop     context.CancelFunc // ends deliveries
	running  sync.WaitGroup
}

// place is one outlet and its reader. It is the writer that the reader delivers to.
type place struct {
	watch
	reader         *spool.Reader
	next           promwire.Writer
	options        spool.DeliverOptions
	sent, rejected atomic.Int64
}

// newSpooled begins to deliver what s holds. Readers of outlets that are no more are removed: nobody would ever take what
// they keep.
func newSpooled(s *spool.Spool, c *Config) (*spooled, error) {
	ctx, stop := context.WithCancel(context.Background())
	out := &spooled{spool: s, logger: c.Logger, stop: stop}
	names := map[string]bool{}
	for _, o := range c.Outlets {
		p := &place{watch: watch{name: o.Name, logger: c.Logger.With("write", o.Name)}, next: o.Writer}
		if o.Before != nil {
			p.next = o.Before(o.Writer)
		}
		p.options = spool.DeliverOptions{
			JoinBytes: -1, MinBackoff: o.Options.MinBackoff, MaxBackoff: o.Options.MaxBackoff,
		}
		name := readerName(o.Name)
		var err error
		if p.reader, err = s.Reader(name); err != nil || names[name] {
			return nil, errors.Join(err, out.close(), fmt.Errorf("spool: reader for %s", o.Name))
		}
		names[name] = true
		out.places = append(out.places, p)
	}
	for _, r := range s.Stats().Readers {
		if !names[r.Name] {
			c.Logger.Warn("nothing is written there any more, what the spool kept for it is given up", "reader", r.Name, "samples", r.Pending.Samples)
			if err := s.RemoveReader(r.Name); err != nil {
				return nil, errors.Join(err, out.close())
			}
		}
	}
	for _, p := range out.places {
		out.running.Go(func() { p.deliver(ctx) })
	}
	return out, nil
}

// readerName makes a name that a spool takes, and that no other place has.
func readerName(place string) string {
	clean := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '-' {
			return r
		}
		return '_'
	}, place)
	h := fnv.New32a()
	_, _ = h.Write([]byte(place)) // never fails
	return fmt.Sprintf("w_%s_%08x", clean[:min(len(clean), 48)], h.Sum32())
}

// take returns when a request is on disk.
func (s *spooled) take(req *promwire.WriteRequest) {
	_, err := s.spool.Write(context.Background(), req)
	if err == nil {
		return
	}
	s.notTaken.Add(points(req.Stats()))
	if n, ok := s.refusals.allow(); ok {
		s.logger.Error("scrape can't be spooled and is lost", "samples", points(req.Stats()), "error", err, "not_logged", n)
	}
}

// deliver sends what the reader has until ctx ends.
func (p *place) deliver(ctx context.Context) {
	if err := p.reader.Deliver(ctx, p, p.options); err != nil && ctx.Err() == nil {
		p.logger.Error("the spool can't be read", "error", err)
	}
}

// Write implements promwire.Writer: an attempt of the reader.
func (p *place) Write(ctx context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	stats, err := p.next.Write(ctx, req)
	switch {
	case err == nil:
		p.sent.Add(points(stats))
		p.recovered()
	case promwire.Retryable(err):
		p.retrying(err)
	default:
		p.sent.Add(points(stats))
		p.rejected.Add(points(req.Stats()) - points(stats))
		p.refused(req.Stats(), err)
	}
	return stats, err
}

func (s *spooled) figures() []OutletFigures {
	var out []OutletFigures
	for _, p := range s.places {
		st := p.reader.Stats()
		f := OutletFigures{
			Name: p.name, Sent: p.sent.Load(), Refused: p.rejected.Load(), NotTaken: s.notTaken.Load(),
			Dropped: spoolPoints(st.DroppedFull) + spoolPoints(st.DroppedAge), Pending: spoolPoints(st.Pending), Retries: int64(st.Retries),
		}
		if !st.Oldest.IsZero() && f.Pending > 0 {
			f.Oldest = time.Since(st.Oldest)
		}
		out = append(out, f)
	}
	return out
}

func spoolPoints(c spool.Counts) int64 { return int64(c.Samples + c.Histograms) }

// end gives deliveries some more time. What is left stays on disk for the next run.
func (s *spooled) end(ctx context.Context) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for s.pending() > 0 {
		select {
		case <-tick.C:
			continue
		case <-ctx.Done():
		}
		break
	}
	for _, p := range s.places {
		if n := spoolPoints(p.reader.Stats().Pending); n > 0 {
			p.logger.Info("the rest stays in the spool", "samples", n)
		}
	}
	if err := s.close(); err != nil {
		s.logger.Error("the spool does not end well", "error", err)
	}
}

func (s *spooled) pending() (n uint64) {
	for _, p := range s.places {
		n += p.reader.Stats().Pending.Records
	}
	return n
}

func (s *spooled) close() error {
	s.stop()
	s.running.Wait()
	return s.spool.Close()
}
