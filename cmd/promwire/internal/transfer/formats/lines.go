package formats

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"github.com/promwire/promwire"
)

// The longest line of each kind of file, in bytes. JSON lines hold many samples of a series.
const (
	maxLine     = 1 << 20
	maxJSONLine = 16 << 20
)

// lineReader reads lines up to a bound. Longer ones take no memory: they are told, and skipped.
type lineReader struct {
	in     *bufio.Reader
	max    int
	number int // of the line read last
	long   []byte
}

func newLineReader(in io.Reader, longest int) *lineReader {
	return &lineReader{in: bufio.NewReaderSize(in, blockSize), max: longest}
}

// next returns a line without its end. The line is valid until the next call. An error that is promwire.ErrTooLarge costs
// this line only, whose start is returned; io.EOF says that there are no more.
func (r *lineReader) next() ([]byte, error) {
	line, err := r.in.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		line, err = r.rest(line)
	}
	if len(line) == 0 && err != nil {
		return nil, err
	}
	if !errors.Is(err, promwire.ErrTooLarge) && err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	r.number++
	if err != nil && !errors.Is(err, io.EOF) {
		return line[:min(len(line), maxBadText)], err
	}
	return trimEnd(line), nil
}

// rest reads on in a line that is longer than the buffer.
func (r *lineReader) rest(start []byte) ([]byte, error) {
	r.long = append(r.long[:0], start...)
	tooLong := false
	for {
		part, err := r.in.ReadSlice('\n')
		if tooLong = tooLong || len(r.long)+len(part) > r.max; !tooLong {
			r.long = append(r.long, part...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
		case tooLong && (err == nil || errors.Is(err, io.EOF)):
			return r.long, fmt.Errorf("%w: the line has more than %d bytes", promwire.ErrTooLarge, r.max)
		default:
			return r.long, err
		}
	}
}

func trimEnd(line []byte) []byte {
	if n := len(line); n > 0 && line[n-1] == '\n' {
		line = line[:n-1]
	}
	if n := len(line); n > 0 && line[n-1] == '\r' {
		line = line[:n-1]
	}
	return line
}

// eachLine calls read with each line that is not blank, and tells those that fail.
func (s *source) eachLine(in io.Reader, longest int, read func(line []byte, number int) error) error {
	r := newLineReader(in, longest)
	for {
		line, err := r.next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, promwire.ErrTooLarge):
			err = s.bad(r.number, line, err)
		case err == nil && len(line) > 0:
			err = read(line, r.number)
		}
		if err != nil {
			return err
		}
	}
}
