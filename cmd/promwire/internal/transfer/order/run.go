package order

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/same"
)

// run is a file of items in order: messages of Remote Write 2.0, a part of a series in each, with their lengths before
// them.
type run struct {
	file    *os.File
	removed bool
	level   int
	size    int64
}

// runBuffer is the buffer of a run that is read or written, in bytes.
const runBuffer = 64 << 10

// runPart bounds the points in a message.
const runPart = 200

// write writes the items of a cursor to a new run.
func (s *Sorter) write(level int, c cursor) (*run, error) {
	f, removed, err := tempFile(s.options.Dir)
	if err != nil {
		return nil, err
	}
	r := &run{file: f, removed: removed, level: level}
	w := runWriter{out: bufio.NewWriterSize(f, runBuffer), request: promwire.WriteRequest{Timeseries: make([]promwire.TimeSeries, 1)}}
	for {
		p, err := c.next()
		if err == nil && p != nil {
			err = w.add(p)
		}
		if err == nil && p == nil {
			if err = w.flush(); err == nil {
				err = w.out.Flush()
			}
			if r.size = w.size; err == nil {
				return r, nil
			}
		}
		if err != nil {
			return nil, errors.Join(fmt.Errorf("temporary file: %w", err), r.close())
		}
	}
}

func (r *run) close() error {
	err := r.file.Close()
	if !r.removed {
		err = errors.Join(err, os.Remove(r.file.Name()))
	}
	return err
}

type runWriter struct {
	out     *bufio.Writer
	request promwire.WriteRequest
	window  int64
	message []byte
	size    int64
}

// add adds an item. A message ends where a point has exemplars, so that they stay with it.
func (w *runWriter) add(p *item) error {
	part := &w.request.Timeseries[0]
	n := len(part.Samples) + len(part.Histograms)
	if n > 0 && (n >= runPart || len(part.Exemplars) > 0 || p.window != w.window || (p.histogram != nil) != (len(part.Histograms) > 0) ||
		p.metadata != part.Metadata || !equalLabels(p.labels, part.Labels)) {
		if err := w.flush(); err != nil {
			return err
		}
		n = 0
	}
	if n == 0 {
		w.window = p.window
		part.Labels = p.labels
		part.Metadata = p.metadata
	}
	if p.histogram != nil {
		p.histogram.Timestamp = p.sample.Timestamp
		part.Histograms = append(part.Histograms, *p.histogram)
	} else {
		part.Samples = append(part.Samples, p.sample)
	}
	part.Exemplars = append(part.Exemplars, p.exemplars...)
	return nil
}

func (w *runWriter) flush() error {
	part := &w.request.Timeseries[0]
	if len(part.Samples)+len(part.Histograms) == 0 {
		return nil
	}
	var err error
	if w.message, err = w.request.AppendProto(w.message[:0], promwire.WriteV2); err != nil {
		return err
	}
	part.Samples, part.Histograms, part.Exemplars = part.Samples[:0], part.Histograms[:0], part.Exemplars[:0]
	length := binary.AppendUvarint(nil, uint64(len(w.message)))
	w.size += int64(len(length) + len(w.message))
	if _, err := w.out.Write(length); err != nil {
		return err
	}
	_, err = w.out.Write(w.message)
	return err
}

// runCursor reads a run.
type runCursor struct {
	in      *bufio.Reader
	windows windowOf
	message []byte
	request promwire.WriteRequest
	at      int // of the next point in the part
	item
}

func (s *Sorter) openRuns(runs []*run) []cursor {
	cursors := make([]cursor, 0, len(runs)+1)
	for _, r := range runs {
		cursors = append(cursors, &runCursor{
			in: bufio.NewReaderSize(io.NewSectionReader(r.file, 0, r.size), runBuffer), windows: s.options.windowOf(),
		})
	}
	return cursors
}

func (c *runCursor) next() (*item, error) {
	if len(c.request.Timeseries) == 0 || c.at == len(c.request.Timeseries[0].Samples)+len(c.request.Timeseries[0].Histograms) {
		if err := c.read(); errors.Is(err, io.EOF) {
			return nil, nil
		} else if err != nil {
			return nil, fmt.Errorf("temporary file: %w", err)
		}
	}
	part := &c.request.Timeseries[0]
	if len(part.Histograms) > 0 {
		h := part.Histograms[c.at]
		c.histogram, c.sample = &h, promwire.Sample{Timestamp: h.Timestamp}
	} else {
		c.histogram, c.sample = nil, part.Samples[c.at]
	}
	c.at++
	if c.exemplars = nil; c.at == len(part.Samples)+len(part.Histograms) {
		c.exemplars = part.Exemplars
	}
	c.window = c.windows(c.sample.Timestamp)
	return &c.item, nil
}

// read reads the next part.
func (c *runCursor) read() error {
	length, err := binary.ReadUvarint(c.in)
	if err != nil {
		return err
	}
	if uint64(cap(c.message)) < length {
		c.message = make([]byte, length)
	}
	c.message = c.message[:length]
	if _, err := io.ReadFull(c.in, c.message); err != nil {
		return io.ErrUnexpectedEOF // also where nothing is left of it
	}
	c.request = promwire.WriteRequest{} // points of the last part may still be on their way
	if err := c.request.UnmarshalProto(c.message, promwire.WriteV2); err != nil {
		return err
	}
	part := &c.request.Timeseries[0]
	c.at, c.labels, c.metadata = 0, part.Labels, part.Metadata
	return nil
}

// equalHistograms reports whether two histograms of one time mean the same.
func equalHistograms(a, b *promwire.Histogram) bool { return same.Histogram(a, b) == "" }
