package promwire

import (
	"context"
	"iter"
	"time"
)

// Writer takes remote-write requests: a client, a queue, a spool, a store.
//
// Write returns what was accepted for good; whoever acknowledges has made it as durable as it promises to be.
// Partial success is normal: the counts say what was written, and the error, a [*PartialWriteError] reachable with
// errors.As, names every refused item and the reason.
//
// The request belongs to the caller: it is valid until Write returns, and must not be modified or retained.
// [WriteRequest.Clone] keeps it. Handlers pass series whose labels are sorted, unique, valid and not empty, and a large
// request in several parts. The same sample again counts as written: whoever gets no answer sends again. What else
// handlers ask for, and what they make of each error, is in package server, "Writing a storage".
// Implementations are safe for concurrent use.
type Writer interface {
	Write(ctx context.Context, req *WriteRequest) (WriteStats, error)
}

// Reader answers queries: a remote-read client, a store, a merge of several.
//
// Read yields series in label order ([Labels.Compare]), with samples and histograms in time order within
// [q.Start, q.End]; on failure it yields one error and stops. One series may come in consecutive parts with equal
// labels, each bounded (10,000 samples by default); [JoinSeries] joins them. A yielded series is valid until the
// loop asks for the next one. Leaving the loop releases everything. Implementations are safe for concurrent use.
type Reader interface {
	Read(ctx context.Context, q Query) iter.Seq2[TimeSeries, error]
}

// Storage is a Writer and a Reader.
type Storage interface {
	Writer
	Reader
}

// ChunkReader is an optional speed-up of a [Reader]: encoded chunks are handed through without decoding them. A
// chunk may reach beyond [q.Start, q.End]; parts, order, memory and errors are as for Reader.
type ChunkReader interface {
	ReadChunks(ctx context.Context, q Query) iter.Seq2[ChunkedSeries, error]
}

// BodyWriter is an optional speed-up of a [Writer]: it takes the request as it came, so that a store can recognise
// known series by their encoded labels, and a relay can pass it on undecoded.
//
// Whoever decodes the body judges it by [Rules], as the handler would. The body is valid until WriteBody returns. An
// error that wraps a [*DecodeError] says that the body was malformed and that nothing of it was stored.
type BodyWriter interface {
	WriteBody(ctx context.Context, b *Body) (WriteStats, error)
}

// WriteStats counts items written or refused.
type WriteStats struct{ Samples, Histograms, Exemplars int }

// Add returns the sums of both.
func (s WriteStats) Add(o WriteStats) WriteStats {
	return WriteStats{s.Samples + o.Samples, s.Histograms + o.Histograms, s.Exemplars + o.Exemplars}
}

// Query selects series by matchers, all of which must hold, and samples by an inclusive time range of millisecond
// precision. A Query without matchers selects nothing.
type Query struct {
	Start, End time.Time
	Matchers   []Matcher
	Hints      ReadHints
}

// ReadHints say what the caller is going to do with the data. They are advice: to ignore them is always right.
type ReadHints struct {
	Step       time.Duration // query step; 0 for an instant query
	Func       string        // surrounding function or aggregation
	Start, End time.Time     // range really needed; zero if not given
	Grouping   []string      // labels of the aggregation
	By         bool          // whether Grouping is "by" (or "without")
	Range      time.Duration // width of the range selector
}

// ChunkEncoding is the encoding of a chunk's data, numbered as in Remote Read.
type ChunkEncoding int32

// The chunk encodings. An unknown number from the wire is kept as it is.
const (
	ChunkUnknown ChunkEncoding = iota
	ChunkXOR
	ChunkHistogram
	ChunkFloatHistogram
	ChunkXOR2
	ChunkHistogramST
	ChunkFloatHistogramST
)

// Chunk is a run of encoded samples of one series.
type Chunk struct {
	// MinTime and MaxTime are inclusive, in milliseconds since the Unix epoch.
	MinTime, MaxTime int64
	Encoding         ChunkEncoding
	Data             []byte
}

// ChunkedSeries is a label set with chunks in order of their start; chunks may overlap in time.
type ChunkedSeries struct {
	Labels Labels
	Chunks []Chunk
}
