package tsdbstore

import (
	"log/slog"
	"time"

	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/util/compression"
)

// Defaults of [Options].
const (
	DefaultRetention        = 15 * 24 * time.Hour
	DefaultOutOfOrderWindow = time.Hour
	DefaultFutureWindow     = 10 * time.Minute
	DefaultMaxExemplars     = 100_000
	DefaultMaxFamilies      = 100_000
	// DefaultMinFree is what the TSDB may allocate at once (a file of head chunks and a log segment), so that neither
	// meets a full disk.
	DefaultMinFree = 256 << 20
)

// stripes is in how many parts the series of the head are locked. The TSDB's default is meant for Prometheus with millions
// of series; each of its 16,384 parts takes a quarter of a kilobyte when it is empty.
const stripes = 1 << 11

// blockFileSize is the size of the files that hold the chunks of a block. The TSDB takes the room for a whole one before it
// writes the first byte; with its own default of 512 MiB, no blocks could be made where [DefaultMinFree] still allows writes.
const blockFileSize = 64 << 20

// maxBlockDuration bounds the merged blocks, as Prometheus does: a tenth of the retention, at most 31 days.
const maxBlockDuration = 31 * 24 * time.Hour

// Options says how a [Store] keeps its data. The zero value means the defaults; for every number, a negative value
// switches the thing off.
type Options struct {
	// Retention is how long samples are kept. Default [DefaultRetention]; negative: for ever.
	Retention time.Duration
	// RetentionBytes bounds the size of all blocks; the oldest go first. Default: no bound.
	RetentionBytes int64
	// OutOfOrderWindow is how much older than the newest sample of the store a sample may be that arrives late. Default
	// [DefaultOutOfOrderWindow]; negative: samples of a series must come in order.
	OutOfOrderWindow time.Duration
	// FutureWindow is how far ahead of the clock a timestamp may be. Default [DefaultFutureWindow]; negative: not at all.
	FutureWindow time.Duration
	// MaxExemplars bounds the exemplars kept, in a ring in memory (and in the write-ahead log). Default, for negative
	// values too, is [DefaultMaxExemplars].
	MaxExemplars int
	// MaxFamilies bounds the metric families whose metadata is kept. Default [DefaultMaxFamilies]; negative: none.
	MaxFamilies int
	// StartTimestamps stores the start timestamps of Remote Write 2.0. Samples then use chunk encodings that remote read
	// clients older than those encodings can't take, so [Store.ReadChunks] has to encode every chunk again. Default: off,
	// start timestamps are dropped.
	StartTimestamps bool
	// MinFree is the free disk space, in bytes, below which the store does not open and writes give
	// [ErrNoSpace]; reads go on. Default [DefaultMinFree]; negative: no check. If something else fills the
	// disk to the last, the TSDB may end the process when it writes head chunks; nothing acknowledged is lost by that.
	MinFree int64
	// Logger gets what the TSDB has to say. Default: nothing is logged.
	Logger *slog.Logger
}

func orDefault[T ~int | ~int64](v, def T) T {
	switch {
	case v == 0:
		return def
	case v < 0:
		return 0
	default:
		return v
	}
}

// withDefaults returns o with every number as it takes effect: 0 means off.
func (o Options) withDefaults() Options {
	o.Retention = orDefault(o.Retention, DefaultRetention)
	o.RetentionBytes = max(o.RetentionBytes, 0)
	o.OutOfOrderWindow = orDefault(o.OutOfOrderWindow, DefaultOutOfOrderWindow)
	o.FutureWindow = orDefault(o.FutureWindow, DefaultFutureWindow)
	if o.MaxExemplars <= 0 {
		o.MaxExemplars = DefaultMaxExemplars
	}
	o.MaxFamilies = orDefault(o.MaxFamilies, DefaultMaxFamilies)
	o.MinFree = orDefault(o.MinFree, DefaultMinFree)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// tsdb translates o, which has its defaults. noRing says that no exemplars will be read.
func (o Options) tsdb(noRing bool) *tsdb.Options {
	t := tsdb.DefaultOptions()
	t.RetentionDuration = o.Retention.Milliseconds()
	t.MaxBytes = o.RetentionBytes
	t.OutOfOrderTimeWindow = o.OutOfOrderWindow.Milliseconds()
	t.WALCompression = compression.Snappy
	t.StripeSize = stripes
	t.MaxBlockChunkSegmentSize = blockFileSize
	t.BlockQuerierFunc, t.BlockChunkQuerierFunc = namedBlockQuerier, namedBlockChunkQuerier
	t.EnableExemplarStorage = true
	if !noRing {
		t.MaxExemplars = int64(o.MaxExemplars)
	}
	longest := maxBlockDuration
	if o.Retention > 0 {
		longest = min(longest, o.Retention/10)
	}
	t.MaxBlockDuration = max(t.MinBlockDuration, longest.Milliseconds())
	if o.StartTimestamps {
		t.EnableSTStorage = true
		t.FloatChunkEncoding = chunkenc.EncXOR2
		t.EnableHistogramSTEncoding = true
	}
	return t
}
