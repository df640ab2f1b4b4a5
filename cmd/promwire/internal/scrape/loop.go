package scrape

import (
	"bytes"
	"context"
	"fmt"
	"hash/fnv"
	"log/slog"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/exposition"
)

const (
	// tolerance is how far a scrape may be from its time and still get it as its timestamp: times that are evenly spaced
	// compress well.
	tolerance = 2 * time.Millisecond
	// repeatReport is how often the same complaint about a target is logged again.
	repeatReport = 10 * time.Minute
)

// loop scrapes one target.
type loop struct {
	manager *Manager
	job     *Job
	target  Target
	key     string
	fetcher *fetcher
	reader  *exposition.Reader
	book    *book
	logger  *slog.Logger

	gone   atomic.Bool // it is no target any more
	told   settings    // what the manager gave it last
	change chan settings

	// Of the last scrape, to log changes only.
	health   health
	bad      int
	repeated int
	reported time.Time
}

// settings are what a loop scrapes by.
type settings struct {
	job               *Job
	interval, timeout time.Duration
}

// health is what is known of a target.
type health int

const (
	unknown health = iota
	up
	down
)

func newLoop(m *Manager, job *Job, target Target, key string) (*loop, error) {
	f, err := newFetcher(job, &target)
	if err != nil {
		return nil, err
	}
	l := &loop{
		manager: m, job: job, target: target, key: key, fetcher: f,
		reader: exposition.NewReader(job.Formats), book: newBook(job, &target),
		told: settings{job, target.Interval, target.Timeout}, change: make(chan settings, 1),
	}
	l.logger = m.config.Logger.With("job", job.Name, "target", place(target.URL))
	return l, nil
}

// update tells l other settings. It is called by the manager only.
func (l *loop) update(job *Job, t Target) {
	s := settings{job, t.Interval, t.Timeout}
	if s == l.told {
		return
	}
	l.told = s
	select {
	case <-l.change: // those were never seen
	default:
	}
	l.change <- s
}

// adopt goes on with other settings. If they can't be used, which is logged, the old ones stay.
func (l *loop) adopt(s settings) {
	target := l.target
	target.Interval, target.Timeout = s.interval, s.timeout
	f, err := newFetcher(s.job, &target)
	if err != nil {
		l.logger.Error("new settings can't be used", "error", err)
		return
	}
	l.target, l.fetcher = target, f
	if l.job != s.job {
		l.job, l.reader = s.job, exposition.NewReader(s.job.Formats)
		l.book.adopt(s.job)
	}
}

// place is a URL without user, password and query.
func place(rawURL string) string {
	u, err := url.Parse(rawURL)
	if err != nil {
		return "?"
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

// run scrapes at once, and then at times that are the interval apart, until ctx ends or the target is gone.
func (l *loop) run(ctx context.Context) {
	defer l.setHealth(unknown)
	l.scrape(ctx, time.Now())
	slot := l.firstSlot(time.Now())
	timer := time.NewTimer(time.Until(slot))
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case s := <-l.change:
			interval := l.target.Interval
			if l.adopt(s); l.target.Interval != interval {
				slot = l.firstSlot(time.Now())
				timer.Reset(time.Until(slot))
			}
			continue
		case <-timer.C:
		}
		if l.gone.Load() && l.manager.retire(l) {
			if series := l.book.end(slot.UnixMilli()); len(series) > 0 {
				l.manager.config.Sink(series)
			}
			l.logger.Info("target is gone")
			return
		}
		l.scrape(ctx, slot)
		for slot = slot.Add(l.target.Interval); time.Until(slot) <= 0; {
			slot = slot.Add(l.target.Interval) // the scrape took longer than an interval
			l.manager.stats.Skipped.Add(1)
		}
		timer.Reset(time.Until(slot))
	}
}

// firstSlot returns the time of the first regular scrape. Each target has its own place in the interval, so that they are
// spread, and keeps it when the program starts again. It is at least half an interval away.
func (l *loop) firstSlot(now time.Time) time.Time {
	h := fnv.New64a()
	_, _ = h.Write([]byte(l.key + "\xff" + l.target.Interval.String() + "\xff" + l.target.Timeout.String())) // never fails
	interval := l.target.Interval
	offset := time.Duration(h.Sum64() % uint64(interval))
	wait := offset - time.Duration(now.UnixNano()%int64(interval))
	for wait < interval/2 {
		wait += interval
	}
	return now.Add(wait)
}

// scrape scrapes once. slot is when it should happen.
func (l *loop) scrape(ctx context.Context, slot time.Time) {
	start := time.Now()
	at := start
	if d := start.Sub(slot); d >= 0 && d <= tolerance && start.UnixMilli()-slot.UnixMilli() <= tolerance.Milliseconds() {
		at = slot
	}
	stamp := at.UnixMilli()
	defer l.book.release()
	series, t, err := l.ask(ctx, stamp)
	if ctx.Err() != nil {
		return // the end of the program says nothing of the target
	}
	if err != nil {
		series = l.book.fail(stamp)
	}
	series = l.book.appendReport(series, stamp, err == nil, time.Since(start), t)
	l.note(t, err)
	l.manager.config.Sink(series)
}

// ask gets what the target exposes and makes series of it.
func (l *loop) ask(ctx context.Context, at int64) (series []promwire.TimeSeries, t tally, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, l.target.Timeout, errLate)
	defer cancel()
	buf := bodies.Get().(*bytes.Buffer)
	defer release(buf)
	contentType, err := l.fetcher.fetch(ctx, buf)
	if err != nil {
		if ctx.Err() != nil {
			err = fmt.Errorf("%w %v", context.Cause(ctx), l.target.Timeout)
		}
		return nil, t, err
	}
	format, err := exposition.FormatOf(contentType, l.job.Fallback)
	if err != nil {
		return nil, t, err
	}
	res, err := l.reader.Read(buf.Bytes(), format)
	if err != nil {
		t.scraped = len(res.Points)
		return nil, t, err
	}
	series, t, err = l.book.enter(res, at)
	if err == nil {
		l.forget(t.kept)
	}
	return series, t, err
}

// forget drops what is remembered of series that are long gone, once it is more than what there is.
func (l *loop) forget(kept int) {
	lines, had := l.reader.Known()
	if lines > 2*had+growth || len(l.book.series) > 2*kept+growth {
		l.reader.Forget()
		l.book.forget()
	}
}

// note counts and logs what a scrape came to.
func (l *loop) note(t tally, err error) {
	s := &l.manager.stats
	s.Scrapes.Add(1)
	s.BadLines.Add(int64(t.badCount))
	s.Repeated.Add(int64(t.repeated))
	if err == nil {
		s.Samples.Add(int64(t.kept))
	} else {
		s.Failed.Add(1)
	}
	l.logProblems(t)
	switch was := l.health; {
	case err == nil:
		l.setHealth(up)
		if was == down {
			l.logger.Info("target is up again")
		}
	case was != down || time.Since(l.reported) > repeatReport:
		l.setHealth(down)
		l.reported = time.Now()
		l.logger.Warn("scrape failed", "error", err)
	}
}

// logProblems logs bad lines and repeated samples, when there are others than before, and now and then.
func (l *loop) logProblems(t tally) {
	if t.badCount == l.bad && t.repeated == l.repeated && time.Since(l.reported) < repeatReport {
		return
	}
	l.bad, l.repeated = t.badCount, t.repeated
	if t.badCount == 0 && t.repeated == 0 {
		return
	}
	l.reported = time.Now()
	for i, b := range t.bad {
		if i == maxLogged {
			break
		}
		l.logger.Warn("bad line left out", "line", b.Place, "text", b.Text, "error", b.Err)
	}
	if t.badCount > maxLogged {
		l.logger.Warn("more bad lines left out", "lines", t.badCount-maxLogged)
	}
	if t.repeated > 0 {
		l.logger.Warn("series are repeated in the scrape, the first sample of each counts", "samples", t.repeated)
	}
}

// maxLogged bounds the bad lines of one scrape that are logged.
const maxLogged = 5

func (l *loop) setHealth(h health) {
	s := &l.manager.stats
	switch l.health {
	case up:
		s.Up.Add(-1)
	case down:
		s.Down.Add(-1)
	}
	switch h {
	case up:
		s.Up.Add(1)
	case down:
		s.Down.Add(1)
	}
	l.health = h
}
