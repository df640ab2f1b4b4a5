package chunk

import "github.com/promwire/promwire"

// What a chunk holds at most. A histogram chunk has at least a few samples even if they are large, since the first
// one is stored in full and only the others compress.
const (
	maxSamples          = 120
	maxHistogramBytes   = 1024
	minHistogramSamples = 10
)

// Encoder encodes samples into chunks. The zero value is ready. It is not safe for concurrent use.
//
// The Data of the chunks it makes are valid until [Encoder.Reset]. Whoever does not call it may keep them for ever;
// the Encoder then takes new memory as it needs it.
type Encoder struct {
	mem    arena
	w      bitWriter
	ints   intWriter
	floats floatWriter
}

// Reset makes the memory of all chunks made so far available for new ones. In the steady state an Encoder that is
// Reset allocates nothing.
func (e *Encoder) Reset() { e.mem.reset() }

// AppendSamples encodes samples, in ascending order of time, and appends the chunks to dst: XOR chunks of at most 120
// samples, the same bytes as the Prometheus library makes of them. Start timestamps have no place there.
func (e *Encoder) AppendSamples(dst []promwire.Chunk, ss []promwire.Sample) []promwire.Chunk {
	for len(ss) > 0 {
		n := min(len(ss), maxSamples)
		e.w = newBitWriter(e.mem.take(maxXORBytes))
		writeXOR(&e.w, ss[:n])
		dst = append(dst, promwire.Chunk{
			MinTime:  ss[0].Timestamp,
			MaxTime:  ss[n-1].Timestamp,
			Encoding: promwire.ChunkXOR,
			Data:     e.mem.keep(e.w.bytes()),
		})
		ss = ss[n:]
	}
	return dst
}
