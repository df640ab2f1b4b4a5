package formats

import (
	"errors"
	"io"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/exposition"
)

// blockSize is how many bytes are read at once.
const blockSize = 256 << 10

// readText reads text 0.0.4 or OpenMetrics, in blocks of whole lines.
func (s *source) readText(in io.Reader, format exposition.Format) error {
	t := &textReader{source: s, stream: exposition.NewStream(format)}
	lines := newLineReader(in, maxLine)
	for {
		line, err := lines.next()
		switch {
		case errors.Is(err, io.EOF):
			if err := t.flush(); err != nil {
				return err
			}
			return t.stream.End()
		case errors.Is(err, promwire.ErrTooLarge):
			if err := t.flush(); err != nil {
				return err
			}
			t.stream.Skip()
			if err := s.bad(lines.number, line, err); err != nil {
				return err
			}
			continue
		case err != nil:
			return err
		}
		t.block = append(append(t.block, line...), '\n')
		if len(t.block) >= blockSize {
			if err := t.flush(); err != nil {
				return err
			}
		}
	}
}

type textReader struct {
	*source
	stream *exposition.Stream
	block  []byte
}

// flush reads the lines that were collected.
func (t *textReader) flush() error {
	found, err := t.stream.Next(t.block)
	t.block = t.block[:0]
	if err != nil {
		return err
	}
	for i := range found.Points {
		if err := t.point(&found.Points[i]); err != nil {
			return err
		}
	}
	for i, b := range found.Bad {
		n := 1
		if i == len(found.Bad)-1 {
			n += found.BadCount - len(found.Bad)
		}
		if err := t.sink.Bad(&Bad{t.name, b.Place, b.Text, b.Err}, n); err != nil {
			return err
		}
	}
	return nil
}

// textLabels are the labels of a series with those of all series.
type textLabels struct {
	labels promwire.Labels
	err    error
}

func (t *textReader) point(p *exposition.Point) error {
	ls, known := p.Series.Data.(*textLabels)
	if !known {
		ls = &textLabels{}
		ls.labels, ls.err = t.labels(p.Series.Labels...)
		p.Series.Data = ls
	}
	if ls.err != nil {
		return t.bad(p.Place, []byte(p.Series.Labels.String()), ls.err)
	}
	out := Point{Labels: ls.labels, Sample: promwire.Sample{Timestamp: t.Now, Value: p.Value}}
	if p.HasTimestamp {
		out.Sample.Timestamp = p.Timestamp
	}
	if p.Start <= out.Sample.Timestamp {
		out.Sample.StartTimestamp = p.Start
	}
	if p.Family != nil {
		out.Metadata = p.Family.Metadata
	}
	for _, e := range p.Exemplars {
		if !e.HasTime {
			e.Timestamp = out.Sample.Timestamp
		}
		out.Exemplars = append(out.Exemplars, e.Exemplar)
	}
	return t.sink.Point(&out)
}
