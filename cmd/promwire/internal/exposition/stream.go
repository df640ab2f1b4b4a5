package exposition

import (
	"bytes"
	"errors"
	"fmt"
)

// maxRemembered bounds the bytes of lines that are remembered of a text that comes in blocks.
const maxRemembered = 16 << 20

// ErrOpenMetrics says that a text which is read as text 0.0.4 ends as OpenMetrics does: its times would be a thousand
// times too small.
var ErrOpenMetrics = errors.New("the text ends with # EOF: it is OpenMetrics")

// Stream reads a text of any length in constant memory, in blocks of whole lines: the files that people push, which hold
// many samples of a series, each with its time. A start timestamp holds for the lines in the block of its _created line.
//
// Beyond the formats it takes the values stale and nan:BITS (see Extended).
type Stream struct {
	r     *Reader
	state textState
	ended bool
}

// NewStream returns a Stream for Text or OpenMetrics.
func NewStream(format Format) *Stream {
	s := &Stream{r: NewReader(Options{Extended: true})}
	s.r.format = format
	s.r.round = 1
	return s
}

// Next reads the lines that follow those of the last call. The result is valid until the next one; errors are for good.
func (s *Stream) Next(lines []byte) (*Result, error) {
	r := s.r
	r.result = Result{Points: r.result.Points[:0], Bad: r.result.Bad[:0]}
	if r.keyBytes > maxRemembered {
		family := r.family
		r.Forget()
		r.family = family
	}
	r.last = nil
	if s.ended && len(lines) > 0 {
		return &r.result, errBeyondEnd
	}
	if r.format == Text && endsAsOpenMetrics(lines) {
		return &r.result, ErrOpenMetrics
	}
	ended, err := r.textLines(lines, &s.state)
	if s.ended = ended; err != nil {
		return &r.result, err
	}
	r.setStarts()
	return &r.result, nil
}

// Skip counts a line that is not there.
func (s *Stream) Skip() { s.state.place++ }

// End says whether the text was complete.
func (s *Stream) End() error {
	if s.r.format == OpenMetrics && !s.ended {
		return errEnd
	}
	return nil
}

func endsAsOpenMetrics(lines []byte) bool {
	return bytes.HasSuffix(bytes.TrimSuffix(lines, []byte("\n")), []byte("\n# EOF")) || string(lines) == "# EOF\n" || string(lines) == "# EOF"
}

// SeriesOf returns the labels that a text line would have with this series in it, for whoever wants to know whether the
// format can carry them.
func SeriesOf(series []byte, format Format) (*Series, error) {
	r := NewReader(Options{})
	body := append(append([]byte(nil), series...), " 1\n"...)
	if format == OpenMetrics {
		body = append(body, "# EOF\n"...)
	}
	found, err := r.Read(body, format)
	switch {
	case err != nil:
		return nil, err
	case found.BadCount > 0:
		return nil, found.Bad[0].Err
	case len(found.Points) != 1:
		return nil, fmt.Errorf("%w: %d samples", errNotASample, len(found.Points))
	}
	return found.Points[0].Series, nil
}
