package remote

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/promwire/promwire"
)

// streamBuffer is the size of reads from a stream, in bytes.
const streamBuffer = 64 << 10

// eachSeries calls f for every series of every frame. What f gets is valid until it returns.
func (a *response) eachSeries(f func(*promwire.ChunkedSeries) error) error {
	frames := promwire.NewFrameReader(bufio.NewReaderSize(a.body, streamBuffer), promwire.MaxFrame)
	var frame promwire.ChunkedReadResponse
	for {
		err := frames.Next(&frame)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if frame.QueryIndex != 0 {
			return fmt.Errorf("frame answers query %d of a request that has only query 0", frame.QueryIndex)
		}
		for i := range frame.ChunkedSeries {
			s := &frame.ChunkedSeries[i]
			s.Labels = s.Labels.Normalize()
			if err := f(s); err != nil {
				return err
			}
		}
	}
}

// streamChunks yields the chunks of a stream that reach into the time range.
func (a *response) streamChunks(yield func(promwire.ChunkedSeries, error) bool) error {
	return a.eachSeries(func(s *promwire.ChunkedSeries) error {
		s.Chunks = slices.DeleteFunc(s.Chunks, func(c promwire.Chunk) bool { return c.MaxTime < a.lo || c.MinTime > a.hi })
		if len(s.Chunks) > 0 && !yield(*s, nil) {
			return errStop
		}
		return nil
	})
}

// streamSamples yields the samples of a stream.
func (a *response) streamSamples(yield func(promwire.TimeSeries, error) bool) error {
	p := partsPool.Get().(*parts)
	defer p.release()
	p.reset(a.lo, a.hi, yield)
	if err := a.eachSeries(p.add); err != nil {
		return err
	}
	return p.finish()
}
