package promwire

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxFrame is the usual limit of a [FrameReader], that of the Prometheus client, in bytes. Servers close a frame at
// about 1 MiB.
const MaxFrame = 50_000_000

// ErrChecksum says that a frame of a streamed answer is damaged, or is no frame: servers that fail half-way may write
// the reason into the stream.
var ErrChecksum = errors.New("checksum mismatch")

// FrameReader reads the frames of a streamed remote-read answer. It is not safe for concurrent use.
type FrameReader struct {
	r      *bufio.Reader
	max    int
	data   []byte
	offset int64 // of the current frame in the stream
	read   int64 // bytes of complete frames and of what is read of the current one
	err    error
	head   []byte // of the current frame, for errors
}

// NewFrameReader returns a reader of the frames in r, which refuses frames larger than maxFrame bytes ([MaxFrame] if
// that is 0 or less).
func NewFrameReader(r io.Reader, maxFrame int) *FrameReader {
	if maxFrame <= 0 {
		maxFrame = MaxFrame
	}
	return &FrameReader{r: bufio.NewReader(r), max: maxFrame, head: make([]byte, 0, maxHead)}
}

// Next reads the next frame into c. The content of c aliases memory of f and is valid until the next call.
//
// At the end of the stream, and only if that is the end of a frame, the error is [io.EOF]. Everything else means that
// the answer is incomplete, and what was read of it must not pass for the whole: a truncated stream
// ([io.ErrUnexpectedEOF] in the error's chain), a frame over the limit ([ErrTooLarge]), a damaged one
// ([ErrChecksum]), a malformed message ([*DecodeError]), or what the underlying reader says. An error stays.
//
// Frames of length zero are skipped. Memory is taken for bytes that have arrived, not for announced ones. In steady
// state nothing is allocated.
func (f *FrameReader) Next(c *ChunkedReadResponse) error {
	for f.err == nil {
		c.Reset()
		f.offset = f.read
		if f.err = f.frame(); f.err != nil {
			break
		}
		if len(f.data) == 0 {
			continue
		}
		if err := c.UnmarshalProtoAlias(f.data); err != nil {
			f.err = fmt.Errorf("frame at byte %d: %w", f.offset, err)
			break
		}
		return nil
	}
	return f.err
}

// frame reads one frame into f.data.
func (f *FrameReader) frame() error {
	f.data, f.head = f.data[:0], f.head[:0]
	size, err := f.length()
	if err != nil {
		return err
	}
	if size > uint64(f.max) {
		return f.fail(fmt.Errorf("%w: frame announces %d bytes, limit %d", ErrTooLarge, size, f.max))
	}
	if err := f.fill(crc32.Size); err != nil {
		return err
	}
	want := binary.BigEndian.Uint32(f.data)
	f.data = f.data[:0]
	if err := f.fill(int(size)); err != nil {
		return err
	}
	if got := crc32.Checksum(f.data, castagnoli); got != want {
		return f.fail(fmt.Errorf("%w: frame of %d bytes has %08x, announces %08x", ErrChecksum, size, got, want))
	}
	return nil
}

// length reads the varint in front of a frame; io.EOF if the stream ends before it.
func (f *FrameReader) length() (uint64, error) {
	var size uint64
	for shift := 0; shift < 70; shift += 7 {
		b, err := f.r.ReadByte()
		if err == io.EOF && shift == 0 {
			return 0, err
		}
		if err != nil {
			return 0, f.fail(err)
		}
		f.read++
		f.head = append(f.head, b)
		size |= uint64(b&0x7f) << shift
		if b < 0x80 {
			return size, nil
		}
	}
	return 0, f.fail(errors.New("length is longer than ten bytes"))
}

// firstRead is how much memory is taken before the first byte of a large frame has arrived.
const firstRead = 64 << 10

// fill reads n bytes into f.data, which doubles as they arrive.
func (f *FrameReader) fill(n int) error {
	for len(f.data) < n {
		have := len(f.data)
		f.data = slices.Grow(f.data, min(n-have, max(have, firstRead)))
		got, err := io.ReadFull(f.r, f.data[have:min(n, cap(f.data))])
		f.data = f.data[:have+got]
		f.read += int64(got)
		f.head = append(f.head, f.data[have:have+min(got, maxHead-len(f.head))]...)
		if err != nil {
			return f.fail(err)
		}
	}
	return nil
}

// maxHead is how much of a frame is kept for errors.
const maxHead = 200

// fail says where err happened, and what the frame says if it is text: some servers write the reason of a failure
// into the stream. An end of the stream is unexpected here.
func (f *FrameReader) fail(err error) error {
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	where := fmt.Sprintf("frame at byte %d", f.offset)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		where += fmt.Sprintf(", truncated at byte %d", f.read)
	}
	if text := strings.TrimSpace(string(f.head)); len(text) > crc32.Size && isText(text) {
		where += fmt.Sprintf(", which reads %q", text)
	}
	return fmt.Errorf("%s: %w", where, err)
}

func isText(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r == utf8.RuneError || !unicode.IsPrint(r) && r != '\n' }) < 0
}
