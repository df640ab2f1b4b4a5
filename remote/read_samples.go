package remote

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/chunk"
	"github.com/promwire/promwire/internal/pb"
	"github.com/promwire/promwire/internal/xcompress"
)

// samplesAnswer is the memory for one samples answer.
type samplesAnswer struct {
	body, message []byte
	result        string // the encoded QueryResult in message
	scanner       promwire.ResultScanner
	decoder       promwire.Decoder
	index         index
}

var samplesAnswers = sync.Pool{New: func() any { return new(samplesAnswer) }}

// maxPooled bounds the memory that one answer leaves in the pool.
const maxPooled = 64 << 20

func (m *samplesAnswer) release() {
	m.result, m.scanner = "", promwire.ResultScanner{}
	if cap(m.body)+cap(m.message)+cap(m.index.labels)*labelSize+cap(m.index.entries)*entrySize <= maxPooled {
		samplesAnswers.Put(m)
	}
}

// walkSamples yields the series of a samples answer.
func (a *response) walkSamples(limit int, yield func(promwire.TimeSeries, error) bool) error {
	m := samplesAnswers.Get().(*samplesAnswer)
	defer m.release()
	if err := m.load(a, limit); err != nil {
		return err
	}
	for i := 0; i < len(m.index.entries); {
		ts, n, err := m.series(i, a.lo, a.hi)
		if err != nil {
			return err
		}
		i += n
		if !yieldParts(ts.Labels, ts.Samples, ts.Histograms, yield) {
			return errStop
		}
	}
	return nil
}

// load reads, decompresses and indexes the answer.
func (m *samplesAnswer) load(a *response, limit int) error {
	var err error
	if m.body, err = readAll(m.body[:0], a, limit); err != nil {
		return err
	}
	m.message, err = xcompress.AppendDecoded(m.message[:0], m.body, limit)
	var size *xcompress.SizeError
	if errors.As(err, &size) {
		return fmt.Errorf("%w: answer %s", promwire.ErrTooLarge, size.Error())
	}
	if err != nil {
		return &promwire.DecodeError{Message: "prometheus.ReadResponse", Err: err}
	}
	return m.open(limit)
}

// open finds the one result in the message and indexes it.
func (m *samplesAnswer) open(limit int) error {
	m.index.entries = m.index.entries[:0]
	m.scanner.Reset(m.message)
	for n := 0; m.scanner.Next(); n++ {
		if n > 0 {
			return errors.New("answer has more than one result for one query")
		}
		m.result = pb.AsString(m.scanner.Result())
		ok, err := m.index.build(m.result, limit)
		if err != nil {
			return err
		}
		if !ok {
			return m.scanner.Locate(m.explain(m.result))
		}
	}
	return m.scanner.Err()
}

// explain returns why result is malformed.
func (m *samplesAnswer) explain(result string) error {
	m.decoder.Reset(pb.AsBytes(result), promwire.WriteV1)
	for m.decoder.Next() {
	}
	if err := m.decoder.Err(); err != nil {
		return err
	}
	return &promwire.DecodeError{Err: errors.New("malformed labels")}
}

var errLateLabels = errors.New("a series has labels behind its samples")

// series decodes entry i, and those behind it with the same labels. It returns the samples within [lo, hi] and the
// number of entries.
func (m *samplesAnswer) series(i int, lo, hi int64) (promwire.TimeSeries, int, error) {
	ts, err := m.decode(i, lo, hi)
	if err != nil {
		return ts, 0, err
	}
	n := 1
	if i+1 == len(m.index.entries) || !m.index.entries[i+1].again {
		return ts, n, nil
	}
	whole := ts.Clone()
	for ; i+n < len(m.index.entries) && m.index.entries[i+n].again; n++ {
		if ts, err = m.decode(i+n, lo, hi); err != nil {
			return ts, 0, err
		}
		part := ts.Clone()
		whole.Samples = appendMerged(whole.Samples, part.Samples, sampleTime)
		whole.Histograms = appendMerged(whole.Histograms, part.Histograms, histogramTime)
	}
	return whole, n, nil
}

// decode decodes one entry. What it returns shares memory with the decoder.
func (m *samplesAnswer) decode(i int, lo, hi int64) (promwire.TimeSeries, error) {
	e := m.index.entries[i]
	m.decoder.Reset(pb.AsBytes(m.result[e.start:e.end]), promwire.WriteV1)
	if !m.decoder.Next() {
		err := m.decoder.Err()
		var malformed *promwire.DecodeError
		if errors.As(err, &malformed) {
			malformed.Offset += e.start
		}
		return promwire.TimeSeries{}, m.scanner.Locate(err)
	}
	ts := *m.decoder.Series()
	ts.Exemplars = nil
	if ts.Labels = ts.Labels.Normalize(); len(ts.Labels) != e.n {
		return ts, errLateLabels // legal protobuf, but too late to sort by
	}
	if !samplesAscend(ts.Samples) {
		ts.Samples = straighten(ts.Samples, sampleTime)
	}
	if !histogramsAscend(ts.Histograms) {
		ts.Histograms = straighten(ts.Histograms, histogramTime)
	}
	ts.Samples = within(ts.Samples, lo, hi, sampleTime)
	ts.Histograms = within(ts.Histograms, lo, hi, histogramTime)
	if err := checkHistograms(ts.Histograms); err != nil {
		return ts, fmt.Errorf("series %s: %w", ts.Labels, err)
	}
	return ts, nil
}

// readAll appends the body to dst, which doubles as it arrives.
func readAll(dst []byte, a *response, limit int) ([]byte, error) {
	if a.length > int64(limit) {
		return dst, fmt.Errorf("%w: answer has %d bytes, limit %d", promwire.ErrTooLarge, a.length, limit)
	}
	for {
		if len(dst) == cap(dst) {
			dst = slices.Grow(dst, max(len(dst), 64<<10))
		}
		n, err := a.body.Read(dst[len(dst):cap(dst)])
		dst = dst[:len(dst)+n]
		if len(dst) > limit {
			return dst, fmt.Errorf("%w: answer has more than %d bytes", promwire.ErrTooLarge, limit)
		}
		if errors.Is(err, io.EOF) {
			return dst, nil
		}
		if err != nil {
			return dst, fmt.Errorf("answer broke off after %d bytes: %w", len(dst), err)
		}
	}
}

// encodeChunks yields a samples answer as chunks.
func (a *response) encodeChunks(limit int, yield func(promwire.ChunkedSeries, error) bool) error {
	var encoder chunk.Encoder
	var chunks []promwire.Chunk
	return a.walkSamples(limit, func(ts promwire.TimeSeries, _ error) bool {
		encoder.Reset()
		chunks = encoder.AppendSamples(chunks[:0], ts.Samples)
		chunks = encoder.AppendHistograms(chunks, ts.Histograms)
		sortChunks(chunks)
		return yield(promwire.ChunkedSeries{Labels: ts.Labels, Chunks: chunks}, nil)
	})
}
