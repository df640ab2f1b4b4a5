package promwiretest

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/promwire/promwire"
)

// T is what [TestStorage] and the assertions need of a test; a *testing.T has it.
type T interface {
	Helper()
	Errorf(format string, args ...any)
}

// DefaultCheckTime bounds each check of [TestStorage].
const DefaultCheckTime = time.Minute

// StorageOption says what a storage under [TestStorage] does not do, or does otherwise.
type StorageOption func(*suiteConfig)

type suiteConfig struct {
	order        OrderRule
	orderGiven   bool
	overwrites   bool
	noHistograms bool
	start        time.Time
	settle       time.Duration
	time         time.Duration
	only, not    []string
}

// WithOrder demands what happens to samples that are older than the newest one of their series. Default: they may be
// taken, and have to be there then, or be refused, and have to be named then.
func WithOrder(rule OrderRule) StorageOption {
	return func(c *suiteConfig) { c.order, c.orderGiven = rule, true }
}

// WithOverwrite is for a storage in which another value for the newest time of a series takes the place of the first.
// Default: it has to be refused with [promwire.ErrDuplicateTimestamp], and the first value stays.
func WithOverwrite() StorageOption { return func(c *suiteConfig) { c.overwrites = true } }

// WithoutNativeHistograms is for a storage that has none. It has to refuse them by name: what gets lost without a word
// fails.
func WithoutNativeHistograms() StorageOption { return func(c *suiteConfig) { c.noHistograms = true } }

// WithStart sets the time of the first samples; all others are within the 30 minutes after it. Default: half an hour ago.
func WithStart(t time.Time) StorageOption { return func(c *suiteConfig) { c.start = t } }

// WithSettle is for a storage whose reads may see late what a write has acknowledged: for so long. Default: reads see it
// at once.
func WithSettle(d time.Duration) StorageOption { return func(c *suiteConfig) { c.settle = d } }

// WithCheckTime bounds each check; a storage that blocks fails then. Default [DefaultCheckTime].
func WithCheckTime(d time.Duration) StorageOption { return func(c *suiteConfig) { c.time = d } }

// WithChecks runs only the checks of these names, such as "read/matchers", or of names that begin with one of them and a
// slash, such as "read".
func WithChecks(names ...string) StorageOption {
	return func(c *suiteConfig) { c.only = append(c.only, names...) }
}

// WithoutChecks leaves out checks, named as for [WithChecks].
func WithoutChecks(names ...string) StorageOption {
	return func(c *suiteConfig) { c.not = append(c.not, names...) }
}

// TestStorage holds a storage against the contract of [promwire.Writer], [promwire.Reader] and, if it is one,
// [promwire.ChunkReader]: what is counted and refused, who owns memory, matchers, ranges, order, values bit by bit,
// native histograms, parallel use (to be run with -race too), cancelling, and loops that end early.
//
// Each check gets an empty storage of its own from newStorage; one that is an [io.Closer] is closed when the check is
// over. With a *testing.T, each check is a subtest. What a storage does not do is said by options.
func TestStorage(t T, newStorage func() promwire.Storage, opts ...StorageOption) {
	t.Helper()
	c := suiteConfig{time: DefaultCheckTime, start: time.Now().Add(-30 * time.Minute).Truncate(time.Second)}
	for _, o := range opts {
		o(&c)
	}
	for _, check := range suiteChecks() {
		if !c.wants(check.name) {
			continue
		}
		if sub, ok := t.(*testing.T); ok {
			sub.Run(check.name, func(t *testing.T) {
				t.Helper()
				c.do(t, check, newStorage())
			})
			continue
		}
		c.do(t, check, newStorage())
	}
}

// suiteCheck is one check of [TestStorage].
type suiteCheck struct {
	name string
	run  func(*suite)
}

func suiteChecks() []suiteCheck {
	return slices.Concat(writeSuite, refusalSuite, valueSuite, readSuite, loopSuite, chunkSuite, parallelSuite)
}

func (c *suiteConfig) wants(name string) bool {
	named := func(prefix string) bool { return name == prefix || strings.HasPrefix(name, prefix+"/") }
	return !slices.ContainsFunc(c.not, named) && (len(c.only) == 0 || slices.ContainsFunc(c.only, named))
}

// do runs one check, in a goroutine that is given up if the storage blocks.
func (c *suiteConfig) do(t T, check suiteCheck, storage promwire.Storage) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), c.time)
	defer cancel()
	s := &suite{suiteConfig: *c, storage: storage, ctx: ctx}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer s.recovered()
		check.run(s)
	}()
	ended := true
	select {
	case <-done:
	case <-time.After(c.time + c.time/4): // the storage has had its chance to see the context end
		ended = false
		s.fail("does not end within %v: the storage blocks", c.time)
	}
	if closer, ok := storage.(io.Closer); ok && ended {
		if err := closer.Close(); err != nil {
			s.fail("closing the storage: %v", err)
		}
	}
	for _, failure := range s.all() {
		t.Errorf("%s: %s", check.name, failure)
	}
}

// suite is a check at work.
type suite struct {
	suiteConfig
	storage promwire.Storage
	ctx     context.Context

	mu       sync.Mutex
	failures []string
}

// maxFailures bounds what a check reports.
const maxFailures = 10

func (s *suite) fail(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.failures) < maxFailures {
		s.failures = append(s.failures, fmt.Sprintf(format, args...))
	}
}

// fatal fails and ends the check.
func (s *suite) fatal(format string, args ...any) {
	s.fail(format, args...)
	runtime.Goexit()
}

func (s *suite) all() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.failures)
}

// recovered makes a failure of a panic of the storage.
func (s *suite) recovered() {
	if p := recover(); p != nil {
		s.fail("panic: %v\n%s", p, debug.Stack())
	}
}
