package outlets

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

// Place is somewhere to write to.
type Place struct {
	// Name is for logs and metrics, and by it the spool knows how far the place is: it holds no password.
	Name string
	// Writer sends one request, once; the spool repeats what [promwire.Retryable] is true for. If it is a
	// [promwire.BodyWriter], requests go to it as they came.
	Writer promwire.Writer
	// Options are those of the delivery.
	Options spool.DeliverOptions
	// Preflight is the one in Writer, nil for none: for the figures.
	Preflight *Preflight
}

// Spooled is a spool with a delivery to each of several places. It is safe for concurrent use.
type Spooled struct {
	spool   *spool.Spool
	places  []*place
	stop    context.CancelFunc // ends deliveries
	running sync.WaitGroup
}

// place is a Place and its reader. It is the writer that the reader delivers to.
type place struct {
	Watch
	reader         *spool.Reader
	next           promwire.Writer
	options        spool.DeliverOptions
	preflight      *Preflight
	sent, rejected atomic.Int64
}

// bodyPlace is a place whose writer takes requests as they came.
type bodyPlace struct {
	*place
	body promwire.BodyWriter
}

// ErrLeftOver says that a spool holds data for places that are not written to any more.
var ErrLeftOver = errors.New("the spool holds data for a place that nothing is written to any more")

// NewSpooled begins to deliver what s holds, and closes s at its end and if it fails. Data for places that are no more
// are given up if dropLeftOver says so; otherwise they are an error, [ErrLeftOver].
func NewSpooled(s *spool.Spool, all []Place, dropLeftOver bool, logger *slog.Logger) (*Spooled, error) {
	ctx, stop := context.WithCancel(context.Background())
	out := &Spooled{spool: s, stop: stop}
	err := out.open(all, logger)
	if err == nil {
		err = out.removeOthers(dropLeftOver, logger)
	}
	if err != nil {
		return nil, errors.Join(err, out.Close())
	}
	for _, p := range out.places {
		out.running.Go(func() { p.deliver(ctx) })
	}
	return out, nil
}

func (s *Spooled) open(all []Place, logger *slog.Logger) error {
	for _, o := range all {
		name := readerName(o.Name)
		if s.has(name) {
			return fmt.Errorf("%s is there twice", o.Name)
		}
		reader, err := s.spool.Reader(name)
		if err != nil {
			return fmt.Errorf("reader of the spool for %s: %w", o.Name, err)
		}
		s.places = append(s.places, &place{
			Watch: Watch{Name: o.Name, Logger: logger.With("write", o.Name)}, reader: reader, next: o.Writer, options: o.Options, preflight: o.Preflight,
		})
	}
	return nil
}

func (s *Spooled) has(reader string) bool {
	for _, p := range s.places {
		if readerName(p.Name) == reader {
			return true
		}
	}
	return false
}

// removeOthers removes the readers of places that are no more: nobody would ever take what they keep.
func (s *Spooled) removeOthers(drop bool, logger *slog.Logger) error {
	for _, r := range s.spool.Stats().Readers {
		if s.has(r.Name) {
			continue
		}
		if r.Pending.Records > 0 && !drop {
			return fmt.Errorf("%w: %s, %d samples", ErrLeftOver, r.Name, r.Pending.Samples)
		}
		logger.Warn("nothing is written there any more, what the spool kept for it is given up", "reader", r.Name, "samples", r.Pending.Samples)
		if err := s.spool.RemoveReader(r.Name); err != nil {
			return err
		}
	}
	return nil
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

// deliver sends what the reader has until ctx ends.
func (p *place) deliver(ctx context.Context) {
	if err := p.reader.Deliver(ctx, p.writer(), p.options); err != nil && ctx.Err() == nil {
		p.Logger.Error("the spool can't be read", "error", err)
	}
}

// writer returns p, as one that takes bodies if that behind it does.
func (p *place) writer() promwire.Writer {
	if body, ok := p.next.(promwire.BodyWriter); ok {
		return &bodyPlace{p, body}
	}
	return p
}

// Write implements promwire.Writer: an attempt of the reader.
func (p *place) Write(ctx context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	stats, err := p.next.Write(ctx, req)
	p.note(stats, err, func() promwire.WriteStats { return req.Stats() })
	return stats, err
}

// WriteBody implements promwire.BodyWriter, likewise.
func (p *bodyPlace) WriteBody(ctx context.Context, b *promwire.Body) (promwire.WriteStats, error) {
	stats, err := p.body.WriteBody(ctx, b)
	p.note(stats, err, func() promwire.WriteStats {
		all, _ := b.Stats() // 0 of a body that is malformed
		return all
	})
	return stats, err
}

// note counts and logs what became of an attempt.
func (p *place) note(stats promwire.WriteStats, err error, all func() promwire.WriteStats) {
	switch {
	case err == nil:
		p.sent.Add(Points(stats))
		p.Recovered()
	case promwire.Retryable(err):
		p.Retrying(err)
	default:
		p.sent.Add(Points(stats))
		p.rejected.Add(Points(all()) - Points(stats))
		p.Recovered()
		p.Refused(all(), err)
	}
}

// Figures returns those of all places.
func (s *Spooled) Figures() []Figures {
	var out []Figures
	for _, p := range s.places {
		st := p.reader.Stats()
		f := Figures{
			Name: p.Name, Sent: p.sent.Load(), Refused: p.rejected.Load(),
			Dropped: spoolPoints(st.DroppedFull) + spoolPoints(st.DroppedAge), Pending: spoolPoints(st.Pending), Retries: int64(st.Retries),
			Findings: p.preflight.Counts(),
		}
		if !st.Oldest.IsZero() && f.Pending > 0 {
			f.Oldest = time.Since(st.Oldest)
		}
		out = append(out, f)
	}
	return out
}

func spoolPoints(c spool.Counts) int64 { return int64(c.Samples + c.Histograms) }

// End gives deliveries more time, until ctx ends, and closes the spool. What is left stays on disk for the next run.
func (s *Spooled) End(ctx context.Context) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for s.pending() > 0 && ctx.Err() == nil {
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
	for _, p := range s.places {
		if n := spoolPoints(p.reader.Stats().Pending); n > 0 {
			p.Logger.Info("the rest stays in the spool", "samples", n)
		}
	}
	return s.Close()
}

func (s *Spooled) pending() (n uint64) {
	for _, p := range s.places {
		n += p.reader.Stats().Pending.Records
	}
	return n
}

// Close ends deliveries and closes the spool.
func (s *Spooled) Close() error {
	s.stop()
	s.running.Wait()
	return s.spool.Close()
}
