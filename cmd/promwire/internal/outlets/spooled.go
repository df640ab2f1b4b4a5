package outlets

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"slices"
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
	// AgeLimit is the one in Writer, nil for none: likewise.
	AgeLimit *AgeLimit
}

// Spooled is a spool with a delivery to each of several places. It is safe for concurrent use.
type Spooled struct {
	spool  *spool.Spool
	logger *slog.Logger
	hurry  chan struct{} // closed at the end: nothing waits to be sent together any more

	mu     sync.Mutex // guards what follows
	places []*place
	ending bool
}

// place is a Place and its reader. It is the writer that the reader delivers to.
type place struct {
	Watch
	reader         *spool.Reader
	next           promwire.Writer
	options        spool.DeliverOptions
	preflight      *Preflight
	ageLimit       *AgeLimit
	sent, rejected atomic.Int64

	stop context.CancelFunc // ends the delivery; nil if there is none
	done chan struct{}      // closed when it has ended
}

// bodyPlace is a place whose writer takes requests as they came.
type bodyPlace struct {
	*place
	body promwire.BodyWriter
}

// ErrLeftOver says that a spool holds data for places that are not written to any more.
var ErrLeftOver = errors.New("the spool holds data for a place that nothing is written to any more")

// ErrEnded says that a Spooled has ended, or is about to.
var ErrEnded = errors.New("it is about to end")

// NewSpooled begins to deliver what s holds, and closes s at its end and if it fails. Data for places that are no more
// are given up if dropLeftOver says so; otherwise they are an error, [ErrLeftOver].
func NewSpooled(s *spool.Spool, all []Place, dropLeftOver bool, logger *slog.Logger) (*Spooled, error) {
	out := &Spooled{spool: s, logger: logger, hurry: make(chan struct{})}
	err := out.Reload(all, Change{DropLeftOver: dropLeftOver, All: true})
	if err != nil {
		return nil, errors.Join(err, out.Close())
	}
	return out, nil
}

// Change says what a reload does with data that are in the spool already.
type Change struct {
	// DropLeftOver gives up what there is for places that are no more. Otherwise it is an error, [ErrLeftOver].
	DropLeftOver bool
	// All gives new places all that is there. Otherwise they get what comes from now on.
	All bool
}

// Reload goes on with these places: deliveries to those that were there before go on where they are, with their new
// writers and options. What is on its way may be sent again. After an error all is as before.
func (s *Spooled) Reload(all []Place, c Change) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ending {
		return ErrEnded
	}
	before := s.spool.Stats().Readers
	places, err := s.open(all, c.All)
	if err != nil {
		return errors.Join(err, s.removeNew(before))
	}
	var leaving []*place
	for _, p := range s.places {
		if !has(places, p.Name) {
			leaving = append(leaving, p)
			p.end()
		}
	}
	if err := s.removeOthers(places, c.DropLeftOver); err != nil {
		for _, p := range leaving {
			p.begin()
		}
		return errors.Join(err, s.removeNew(before))
	}
	s.places = places
	for i, p := range places {
		p.end()
		p.next, p.options = all[i].Writer, all[i].Options
		p.options.Hurry = s.hurry
		p.preflight, p.ageLimit = all[i].Preflight, all[i].AgeLimit
		p.begin()
	}
	return nil
}

// open returns the places, those that there are already as they are.
func (s *Spooled) open(all []Place, fromStart bool) ([]*place, error) {
	var places []*place
	reader := s.spool.ReaderFromNow
	if fromStart {
		reader = s.spool.Reader
	}
	for _, o := range all {
		if has(places, o.Name) {
			return nil, fmt.Errorf("%s is there twice", o.Name)
		}
		if i := slices.IndexFunc(s.places, func(p *place) bool { return p.Name == o.Name }); i >= 0 {
			places = append(places, s.places[i])
			continue
		}
		r, err := reader(readerName(o.Name))
		if err != nil {
			return nil, fmt.Errorf("reader of the spool for %s: %w", o.Name, err)
		}
		places = append(places, &place{Watch: Watch{Name: o.Name, Logger: s.logger.With("write", o.Name)}, reader: r})
	}
	return places, nil
}

// removeNew removes readers that were not there before: of places that are not to be used after all.
func (s *Spooled) removeNew(before []spool.ReaderStats) error {
	var errs []error
	for _, r := range s.spool.Stats().Readers {
		if !slices.ContainsFunc(before, func(b spool.ReaderStats) bool { return b.Name == r.Name }) {
			errs = append(errs, s.spool.RemoveReader(r.Name))
		}
	}
	return errors.Join(errs...)
}

func has(places []*place, name string) bool {
	return slices.ContainsFunc(places, func(p *place) bool { return p.Name == name })
}

// removeOthers removes the readers of places that are no more: nobody would ever take what they keep. None is removed if
// there is something for one, and that is not to be dropped.
func (s *Spooled) removeOthers(places []*place, drop bool) error {
	var others []spool.ReaderStats
	for _, r := range s.spool.Stats().Readers {
		if slices.ContainsFunc(places, func(p *place) bool { return readerName(p.Name) == r.Name }) {
			continue
		}
		if r.Pending.Records > 0 && !drop {
			return fmt.Errorf("%w: %s, %d samples", ErrLeftOver, r.Name, r.Pending.Samples)
		}
		others = append(others, r)
	}
	for _, r := range others {
		s.logger.Warn("nothing is written there any more, what the spool kept for it is given up", "reader", r.Name, "samples", r.Pending.Samples)
		if err := s.spool.RemoveReader(r.Name); err != nil {
			s.logger.Error("the file of a place that is no more stays", "reader", r.Name, "error", err)
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

// begin begins to deliver.
func (p *place) begin() {
	ctx, stop := context.WithCancel(context.Background())
	p.stop, p.done = stop, make(chan struct{})
	go func() {
		defer close(p.done)
		p.deliver(ctx)
	}()
}

// end ends the delivery, if there is one. What is on its way may be sent again.
func (p *place) end() {
	if p.stop != nil {
		p.stop()
		<-p.done
	}
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
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.places {
		st := p.reader.Stats()
		f := Figures{
			Name: p.Name, Sent: p.sent.Load(), Refused: p.rejected.Load(),
			Dropped: spoolPoints(st.DroppedFull) + spoolPoints(st.DroppedAge) + p.ageLimit.Dropped(), Pending: spoolPoints(st.Pending), Retries: int64(st.Retries),
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
	s.mu.Lock()
	s.ends()
	s.mu.Unlock()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for s.pending() > 0 && ctx.Err() == nil {
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
	s.mu.Lock()
	for _, p := range s.places {
		if n := spoolPoints(p.reader.Stats().Pending); n > 0 {
			p.Logger.Info("the rest stays in the spool", "samples", n)
		}
	}
	s.mu.Unlock()
	return s.Close()
}

// ends notes that nothing may wait, or be reloaded, any more. s.mu is held.
func (s *Spooled) ends() {
	if !s.ending {
		s.ending = true
		close(s.hurry)
	}
}

func (s *Spooled) pending() (n uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.places {
		n += p.reader.Stats().Pending.Records
	}
	return n
}

// Close ends deliveries and closes the spool.
func (s *Spooled) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ends()
	for _, p := range s.places {
		p.stop()
	}
	for _, p := range s.places {
		p.end()
	}
	return s.spool.Close()
}
