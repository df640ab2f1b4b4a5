package spool

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/promwire/promwire"
)

// Sync says when appended records are forced to disk.
type Sync int

const (
	// SyncAlways forces each record before it is acknowledged; records that come side by side share that. It is the
	// default, and the only one that survives a power cut without loss.
	SyncAlways Sync = iota
	// SyncInterval forces them once in a while ([WithSyncInterval]): a crash of the system loses what came since, a
	// crash of the process nothing.
	SyncInterval
	// SyncNone leaves it to the system: its crash loses what it had not written yet, a crash of the process nothing.
	SyncNone
)

// MinMaxBytes is the least that [WithMaxBytes] takes, in bytes.
const MinMaxBytes = 4096

// The defaults.
const (
	DefaultMaxBytes     = 1 << 30
	DefaultSegmentBytes = 16 << 20
	DefaultSyncInterval = time.Second
)

// minSegments is how many segments the bounds span at least, so that dropping one drops a small part.
const minSegments = 8

type config struct {
	sync         Sync
	syncEvery    time.Duration
	maxBytes     int64
	maxAge       time.Duration
	segmentBytes int64
	refuse       bool
	lockWait     context.Context
	logger       *slog.Logger
	message      promwire.MessageType
	compressions []promwire.Compression
	hooks        Hooks
}

// Hooks are called for what somebody should know of. They must return soon, and must not call the spool.
type Hooks struct {
	Dropped func(Drop)
	Damaged func(Damage)
}

// Option is an option of [Open].
type Option func(*config)

// WithSync sets when records are forced to disk; [SyncAlways] by default.
func WithSync(s Sync) Option { return func(c *config) { c.sync = s } }

// WithSyncInterval is [SyncInterval] with a time between two syncs; one second by default.
func WithSyncInterval(d time.Duration) Option {
	return func(c *config) { c.sync, c.syncEvery = SyncInterval, d }
}

// WithMaxBytes bounds the segments together, in bytes; [DefaultMaxBytes] by default. When a record does not fit, the
// oldest segments are dropped, or the record is refused ([WithRefuseWhenFull]).
func WithMaxBytes(n int64) Option { return func(c *config) { c.maxBytes = n } }

// WithMaxAge drops records some time after their arrival: between d and d and an eighth later, as whole segments
// are dropped. 0, the default, keeps them.
func WithMaxAge(d time.Duration) Option { return func(c *config) { c.maxAge = d } }

// WithSegmentBytes sets the size at which a new segment begins, in bytes; [DefaultSegmentBytes] by default, and no more
// than an eighth of the bound.
func WithSegmentBytes(n int64) Option { return func(c *config) { c.segmentBytes = n } }

// WithRefuseWhenFull refuses new records with [ErrFull] when the bound in bytes is reached, and drops none.
func WithRefuseWhenFull() Option { return func(c *config) { c.refuse = true } }

// WithLockWait makes Open wait until ctx ends while another process has the spool. By default it fails at once.
func WithLockWait(ctx context.Context) Option { return func(c *config) { c.lockWait = ctx } }

// WithLogger logs damage, drops and failed deliveries. By default nothing is logged.
func WithLogger(l *slog.Logger) Option { return func(c *config) { c.logger = l } }

// WithMessageType sets the message that Write encodes; 2.0 by default. In 2.0, family metadata become a record of their
// own, in 1.0.
func WithMessageType(t promwire.MessageType) Option { return func(c *config) { c.message = t } }

// WithCompressions adds content encodings that stored bodies may need when they are decoded for a target that takes no
// bodies.
func WithCompressions(cs ...promwire.Compression) Option {
	return func(c *config) { c.compressions = append(c.compressions, cs...) }
}

// WithHooks sets functions that are called for drops and damage.
func WithHooks(h Hooks) Option { return func(c *config) { c.hooks = h } }

func newConfig(opts []Option) (*config, error) {
	c := &config{
		syncEvery: DefaultSyncInterval, maxBytes: DefaultMaxBytes, segmentBytes: DefaultSegmentBytes,
		message: promwire.WriteV2,
	}
	for _, option := range opts {
		option(c)
	}
	if c.logger == nil {
		c.logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	switch {
	case c.maxBytes < MinMaxBytes:
		return nil, fmt.Errorf("maximum of %d bytes, want at least %d", c.maxBytes, MinMaxBytes)
	case c.segmentBytes < 1:
		return nil, fmt.Errorf("segments of %d bytes, want at least 1", c.segmentBytes)
	case c.maxAge < 0:
		return nil, fmt.Errorf("maximum age of %s", c.maxAge)
	case c.syncEvery <= 0:
		return nil, fmt.Errorf("sync interval of %s", c.syncEvery)
	case c.sync < SyncAlways || c.sync > SyncNone:
		return nil, fmt.Errorf("unknown sync policy %d", c.sync)
	case c.message != promwire.WriteV1 && c.message != promwire.WriteV2:
		return nil, fmt.Errorf("%w: message %.100q", promwire.ErrUnsupported, c.message)
	}
	c.segmentBytes = min(c.segmentBytes, c.maxBytes/minSegments)
	return c, nil
}
