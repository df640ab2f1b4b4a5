package promwire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
)

// frames returns the indices of the queries whose frames the stream holds, and how it ends.
func frames(r io.Reader, maxFrame int) (queries []int64, err error) {
	f := NewFrameReader(r, maxFrame)
	var c ChunkedReadResponse
	for {
		if err := f.Next(&c); err != nil {
			return queries, err
		}
		queries = append(queries, c.QueryIndex)
	}
}

func TestChecksum(t *testing.T) {
	if got := crc32.Checksum([]byte("123456789"), castagnoli); got != 0xe3069283 {
		t.Errorf("check value %08x", got)
	}
}

func TestFrameReader(t *testing.T) {
	f1, f2 := unhex(t, frame1Hex), unhex(t, frame2Hex)
	stream := append(bytes.Clone(f1), f2...)
	flipped := bytes.Clone(stream)
	flipped[len(flipped)-1] ^= 1
	malformed := AppendFrame(nil, &ChunkedReadResponse{QueryIndex: 1})
	malformed[6] = 0x80
	binary.BigEndian.PutUint32(malformed[1:], crc32.Checksum(malformed[5:], castagnoli))
	broken := errors.New("connection reset")
	tests := []struct {
		name string
		r    io.Reader
		max  int
		want []int64
		err  error
		text string
	}{
		{"nothing", strings.NewReader(""), 0, nil, io.EOF, "EOF"},
		{"two frames", bytes.NewReader(stream), 0, []int64{0, 1}, io.EOF, "EOF"},
		{"byte by byte", iotest.OneByteReader(bytes.NewReader(stream)), 0, []int64{0, 1}, io.EOF, "EOF"},
		{"end together with data", iotest.DataErrReader(bytes.NewReader(stream)), 0, []int64{0, 1}, io.EOF, "EOF"},
		{"frame at the limit", bytes.NewReader(stream), 50, []int64{0, 1}, io.EOF, "EOF"},
		{"frame over the limit", bytes.NewReader(stream), 49, []int64{0}, ErrTooLarge, "frame at byte 53: too large: frame announces 50 bytes, limit 49"},
		{"frame over a small limit", bytes.NewReader(stream), 10, nil, ErrTooLarge, "limit 10"},
		{"flipped bit", bytes.NewReader(flipped), 0, []int64{0}, ErrChecksum, "frame at byte 53: checksum mismatch"},
		{"malformed message", bytes.NewReader(malformed), 0, nil, nil, "frame at byte 0: decode prometheus.ChunkedReadResponse"},
		{"frames of length 0", io.MultiReader(strings.NewReader("\x00\x00\x00\x00\x00"), bytes.NewReader(f2), strings.NewReader("\x00\x00\x00\x00\x00")), 0, []int64{1}, io.EOF, "EOF"},
		{"length 0 with a wrong checksum", strings.NewReader("\x00\x00\x00\x00\x01"), 0, nil, ErrChecksum, ""},
		{"only zero bytes of length", strings.NewReader("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00"), 0, nil, nil, "length is longer than ten bytes"},
		{"huge length", strings.NewReader("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), 0, nil, ErrTooLarge, "18446744073709551615"},
		{"failing reader", io.MultiReader(bytes.NewReader(f1), iotest.ErrReader(broken)), 0, []int64{0}, broken, "frame at byte 53: connection reset"},
		{"reader that fails in a frame", io.MultiReader(bytes.NewReader(stream[:60]), iotest.ErrReader(broken)), 0, []int64{0}, broken, "frame at byte 53: connection reset"},
		{
			"error text in the stream", io.MultiReader(bytes.NewReader(f1), strings.NewReader("query processing would load too many samples\n")), 0,
			[]int64{0},
			io.ErrUnexpectedEOF, `frame at byte 53, truncated at byte 98, which reads "query processing would load too many samples"`,
		},
		{
			"long error text in the stream", strings.NewReader(strings.Repeat("error ", 100)), 0,
			nil, ErrChecksum, `which reads "error error`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := frames(tt.r, tt.max)
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("frames of queries %v, want %v", got, tt.want)
			}
			if tt.err != nil && !errors.Is(err, tt.err) || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("error %v, want %v with %q", err, tt.err, tt.text)
			}
			if tt.err != io.EOF && errors.Is(err, io.EOF) {
				t.Errorf("%v passes for a clean end", err)
			}
		})
	}
}

// A stream that ends anywhere but between frames is truncated, right after the length included.
func TestFrameReaderTruncated(t *testing.T) {
	stream := append(unhex(t, frame1Hex), unhex(t, frame2Hex)...)
	long := AppendFrame(nil, &ChunkedReadResponse{ChunkedSeries: []ChunkedSeries{{Chunks: []Chunk{{Data: make([]byte, 300)}}}}})
	for name, s := range map[string][]byte{"two frames": stream, "length of two bytes": long} {
		for n := 1; n < len(s); n++ {
			_, err := frames(bytes.NewReader(s[:n]), 0)
			if n == 53 && name == "two frames" {
				if err != io.EOF {
					t.Errorf("%s cut to %d bytes: %v, want a clean end", name, n, err)
				}
				continue
			}
			if !errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
				t.Errorf("%s cut to %d bytes: %v, want a truncated stream", name, n, err)
			}
		}
	}
}

func TestFrameReaderErrorStays(t *testing.T) {
	f := NewFrameReader(io.MultiReader(strings.NewReader("\x30"), bytes.NewReader(unhex(t, frame1Hex))), 0)
	var c ChunkedReadResponse
	first := f.Next(&c)
	if first == nil || len(c.ChunkedSeries) != 0 {
		t.Fatalf("got %v, %+v", first, c)
	}
	if second := f.Next(&c); second != first {
		t.Errorf("second error %v, first %v", second, first)
	}
}

// A frame that announces much and brings little takes little.
func TestFrameReaderMemory(t *testing.T) {
	stream := binary.AppendUvarint(nil, 40_000_000)
	stream = append(stream, make([]byte, 300_000)...)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := frames(bytes.NewReader(stream), 0)
	runtime.ReadMemStats(&after)
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("error %v", err)
	}
	if taken := after.TotalAlloc - before.TotalAlloc; taken > 3<<20 {
		t.Errorf("took %d bytes for a stream of %d", taken, len(stream))
	}
}

func TestFrameReaderLargeFrame(t *testing.T) {
	data := bytes.Repeat([]byte("0123456789"), 100_000)
	c := ChunkedReadResponse{ChunkedSeries: []ChunkedSeries{{Chunks: []Chunk{{Data: data}}}}}
	stream := append(AppendFrame(nil, &c), unhex(t, frame2Hex)...)
	f := NewFrameReader(iotest.HalfReader(bytes.NewReader(stream)), 0)
	var got ChunkedReadResponse
	if err := f.Next(&got); err != nil || !bytes.Equal(got.ChunkedSeries[0].Chunks[0].Data, data) {
		t.Fatalf("error %v", err)
	}
	if err := f.Next(&got); err != nil || !reflect.DeepEqual(got, upFrame(t, 1)) {
		t.Fatalf("then %+v, %v", got, err)
	}
}

// loop reads the same bytes again and again.
type loop struct {
	data []byte
	at   int
}

func (l *loop) Read(p []byte) (int, error) {
	n := copy(p, l.data[l.at:])
	l.at = (l.at + n) % len(l.data)
	return n, nil
}

func TestFrameReaderAllocations(t *testing.T) {
	f := NewFrameReader(&loop{data: append(unhex(t, frame1Hex), unhex(t, frame2Hex)...)}, 0)
	var c ChunkedReadResponse
	if n := testing.AllocsPerRun(100, func() {
		if err := f.Next(&c); err != nil || len(c.ChunkedSeries) != 1 {
			t.Error(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations per frame, want 0", n)
	}
}

func FuzzChunkedFrames(f *testing.F) {
	f1, f2 := unhex(f, frame1Hex), unhex(f, frame2Hex)
	f.Add(append(bytes.Clone(f1), f2...))
	f.Add(f1[:3])
	f.Add([]byte("\x00\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"))
	f.Fuzz(func(t *testing.T, stream []byte) {
		// As a message: what decodes survives encoding.
		var c, again ChunkedReadResponse
		if err := c.UnmarshalProtoAlias(stream); err == nil {
			encoded := c.AppendProto(nil)
			if err := again.UnmarshalProtoAlias(encoded); err != nil || !bytes.Equal(again.AppendProto(nil), encoded) {
				t.Fatalf("%x encoded as %x: %v", stream, encoded, err)
			}
			// In a frame of its own it reads back whole, and no cut of it passes for a clean end.
			frame := AppendFrame(nil, &c)
			if len(frame) > 0 {
				if got, err := frames(bytes.NewReader(frame), 0); len(got) != 1 || err != io.EOF {
					t.Fatalf("frame %x: %v, %v", frame, got, err)
				}
				if _, err := frames(bytes.NewReader(frame[:len(frame)-1]), 0); !errors.Is(err, io.ErrUnexpectedEOF) {
					t.Fatalf("frame %x cut: %v", frame, err)
				}
			}
		} else if d := (*DecodeError)(nil); !errors.As(err, &d) || d.Err == errMalformed {
			t.Fatalf("%x: %v", stream, err)
		}
		// As a stream: it ends, with a reason.
		if _, err := frames(bytes.NewReader(stream), 1<<20); err == nil {
			t.Fatal("no end")
		}
	})
}
