package formats

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/promwire/promwire/cmd/promwire/internal/exposition"
)

// Format is a kind of file.
type Format string

// The formats. Auto is decided by the name and the start of the file, and by its end if that is in sight.
const (
	Auto        Format = "auto"
	Text        Format = "text"
	OpenMetrics Format = "openmetrics"
	CSV         Format = "csv"
	JSON        Format = "json"
	Series      Format = "series"
)

// Readable are the formats that Read takes.
var Readable = []Format{Auto, Text, OpenMetrics, CSV, JSON, Series}

// Writable are the formats that NewWriter takes.
var Writable = []Format{Text, OpenMetrics, CSV, JSON}

// Parse returns the format of a name, if it is one of these.
func Parse(name string, all []Format) (Format, error) {
	if f := Format(name); slices.Contains(all, f) {
		return f, nil
	}
	names := make([]string, len(all))
	for i, f := range all {
		names[i] = string(f)
	}
	return "", fmt.Errorf("%q: want %s or %s", name, strings.Join(names[:len(names)-1], ", "), names[len(names)-1])
}

// extensions tell formats by the names of files.
var extensions = map[string]Format{
	".csv": CSV, ".json": JSON, ".jsonl": JSON, ".ndjson": JSON, ".om": OpenMetrics, ".openmetrics": OpenMetrics,
	".series": Series, ".prom": Text,
}

// ErrBinary says that a file is none of the formats.
var ErrBinary = errors.New("the file is binary")

// signatures are how compressed files begin.
var signatures = []struct{ start, text string }{
	{"\x1f\x8b", "the file is compressed by gzip: pipe it through zcat, into --file -"},
	{"\x28\xb5\x2f\xfd", "the file is compressed by zstd: pipe it through zstdcat, into --file -"},
	{"PK\x03\x04", "the file is a zip archive: unpack it first"},
	{"\xfd7zXZ\x00", "the file is compressed by xz: pipe it through xzcat, into --file -"},
	{"BZh", "the file is compressed by bzip2: pipe it through bzcat, into --file -"},
}

// Read reads a file to its end into a sink. Errors beyond those of the sink name the file: it cannot be read, is not what
// the format says, or cut off.
func Read(in io.Reader, name string, format Format, o *Options, sink Sink) error {
	head := bufio.NewReaderSize(in, blockSize)
	start, err := head.Peek(blockSize)
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("%s: %w", name, err)
	}
	if err := checkStart(start); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	s := &source{Options: o, name: name, sink: sink}
	if format == Auto {
		format = s.detect(in, start, len(start) < blockSize)
	}
	if bytes.HasPrefix(start, []byte("\xef\xbb\xbf")) {
		if _, err := head.Discard(3); err != nil {
			return err
		}
	}
	switch format {
	case OpenMetrics:
		err = s.readText(head, exposition.OpenMetrics)
	case CSV:
		err = s.readCSV(head)
	case JSON:
		err = s.readJSON(head)
	case Series:
		err = s.readSeries(head)
	default:
		err = s.readText(head, exposition.Text)
	}
	return s.explain(err)
}

// explain names the file in errors that do not.
func (s *source) explain(err error) error {
	var bad *Bad
	switch {
	case err == nil || errors.As(err, &bad):
		return err
	case errors.Is(err, exposition.ErrOpenMetrics):
		return fmt.Errorf("%s: %w: read it with --format openmetrics", s.name, err)
	default:
		return fmt.Errorf("%s: %w", s.name, err)
	}
}

func checkStart(start []byte) error {
	for _, s := range signatures {
		if bytes.HasPrefix(start, []byte(s.start)) {
			return fmt.Errorf("%w: %s", ErrBinary, s.text)
		}
	}
	if i := bytes.IndexByte(start[:min(len(start), 4096)], 0); i >= 0 {
		return fmt.Errorf("%w: there is a zero byte at %d", ErrBinary, i)
	}
	return nil
}

// detect tells the format; whole says that start is all of the file.
func (s *source) detect(in io.Reader, start []byte, whole bool) Format {
	if f, known := extensions[strings.ToLower(filepath.Ext(s.name))]; known && f != Text {
		return f
	}
	text := bytes.TrimSpace(start)
	switch {
	case len(s.CSV) > 0 || bytes.HasPrefix(text, []byte(strings.Join(csvHeader, ","))):
		return CSV
	case bytes.HasPrefix(text, []byte(`{"metric":`)) || bytes.HasPrefix(text, []byte(`{"values":`)):
		return JSON
	case whole && endsAsOpenMetrics(start) || !whole && endsAsOpenMetrics(tail(in)):
		return OpenMetrics
	default:
		return Text
	}
}

func endsAsOpenMetrics(text []byte) bool {
	return bytes.HasSuffix(bytes.TrimSpace(text), []byte("# EOF"))
}

// tail returns the end of a file, nil if it cannot be seen.
func tail(in io.Reader) []byte {
	file, ok := in.(interface {
		io.ReaderAt
		io.Seeker
	})
	if !ok {
		return nil
	}
	at, err := file.Seek(0, io.SeekCurrent)
	if err != nil {
		return nil
	}
	end, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		return nil
	}
	if _, err := file.Seek(at, io.SeekStart); err != nil {
		return nil
	}
	buf := make([]byte, min(end, 64))
	if _, err := file.ReadAt(buf, end-int64(len(buf))); err != nil && !errors.Is(err, io.EOF) {
		return nil
	}
	return buf
}
