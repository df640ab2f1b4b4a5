package server_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/xcompress"
	"github.com/promwire/promwire/server"
)

// zeros is the Written headers of an answer that failed.
func zeros(t promwire.MessageType) string {
	if t == promwire.WriteV2 {
		return "0/0/0"
	}
	return ""
}

func TestWriteMalformedBodies(t *testing.T) {
	whole := xcompress.AppendSnappy(nil, unhex(t, vectorW1))
	tests := []struct {
		name   string
		body   []byte
		status int
		text   string
	}{
		{"no bytes", nil, 400, "snappy"},
		{"framed snappy", unhex(t, "ff060000734e61507059"), 400, "snappy"},
		{"literal cut", unhex(t, "05080102"), 400, "snappy"},
		{"copy before start", unhex(t, "0401050000"), 400, "snappy"},
		{"length announced wrong", unhex(t, "0a0061"), 400, "snappy"},
		{"trailing bytes", unhex(t, "01006162"), 400, "snappy"},
		{"announces 32 MiB + 1", unhex(t, "8180801000"), 413, "33554433"},
		{"corrupt length", unhex(t, "ffffffffff7f"), 400, "snappy"},
		{"truncated", whole[:len(whole)-3], 400, "snappy"},
		{"protobuf truncated", xcompress.AppendSnappy(nil, unhex(t, vectorW1)[:20]), 400, "decode prometheus.WriteRequest"},
		{"plain text", []byte("up 1"), 400, "snappy"},
		{"uncompressed protobuf", unhex(t, vectorW1), 400, "snappy"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for name, h := range bothRoads() {
				store, handler := h(server.WithNames(promwire.UTF8Names))
				expect(t, do(handler, rawRequest(promwire.WriteV1, tt.body)), tt.status, "", tt.text)
				expect(t, do(handler, rawRequest(promwire.WriteV2, tt.body)), tt.status, "0/0/0")
				if store.calls != 0 {
					t.Errorf("%s: the storage was called", name)
				}
			}
		})
	}
}

// Every byte with any bit flipped gives an answer of the client's fault or success, never a failure of the server.
func TestWriteFlippedBits(t *testing.T) {
	for _, version := range bothTypes {
		body := xcompress.AppendSnappy(nil, encode(t, version, many(3)))
		for name, h := range bothRoads() {
			for i := range body {
				for bit := range 8 {
					_, handler := h()
					flipped := bytes.Clone(body)
					flipped[i] ^= 1 << bit
					w := do(handler, rawRequest(version, flipped))
					if w.Code != 204 && w.Code != 400 && w.Code != 413 {
						t.Fatalf("%s, %s: bit %d of byte %d: status %d: %s", version, name, bit, i, w.Code, w.Body)
					}
				}
			}
		}
	}
}

func TestWriteBodyLimit(t *testing.T) {
	for _, version := range bothTypes {
		body := xcompress.AppendSnappy(nil, encode(t, version, many(20)))
		t.Run("announced", func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, "/", untouched{t})
			r.ContentLength = int64(len(body))
			r.Header.Set("Content-Type", version.ContentType())
			h := server.NewWriteHandler(newStore(), server.WithWriteLimits(server.WriteLimits{MaxBodyBytes: len(body) - 1}))
			expect(t, do(h, r), 413, zeros(version), "too large", "limit")
		})
		t.Run("not announced", func(t *testing.T) {
			r := rawRequest(version, body)
			r.ContentLength = -1
			h := server.NewWriteHandler(newStore(), server.WithWriteLimits(server.WriteLimits{MaxBodyBytes: len(body) - 1}))
			expect(t, do(h, r), 413, zeros(version), "more than")
		})
		t.Run("just fits", func(t *testing.T) {
			h := server.NewWriteHandler(newStore(), server.WithWriteLimits(server.WriteLimits{MaxBodyBytes: len(body)}))
			if w := do(h, rawRequest(version, body)); w.Code != 204 {
				t.Errorf("status %d: %s", w.Code, w.Body)
			}
		})
		t.Run("no limit", func(t *testing.T) {
			h := server.NewWriteHandler(newStore(), server.WithWriteLimits(server.WriteLimits{MaxBodyBytes: -1, MaxDecodedBytes: -1, MaxSeries: -1, MaxMemoryBytes: -1}))
			if w := do(h, rawRequest(version, body)); w.Code != 204 {
				t.Errorf("status %d: %s", w.Code, w.Body)
			}
		})
		t.Run("default", func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, "/", untouched{t})
			r.ContentLength = 32<<20 + 1
			expect(t, do(server.NewWriteHandler(newStore()), r), 413, "", "limit 33554432")
		})
	}
}

func TestWriteDecodedLimit(t *testing.T) {
	for _, version := range bothTypes {
		msg := encode(t, version, many(20))
		for _, h := range bothRoads() {
			_, handler := h(server.WithWriteLimits(server.WriteLimits{MaxDecodedBytes: len(msg) - 1}))
			expect(t, do(handler, request(version, msg)), 413, zeros(version), "limit")
			_, handler = h(server.WithWriteLimits(server.WriteLimits{MaxDecodedBytes: len(msg)}))
			if w := do(handler, request(version, msg)); w.Code != 204 {
				t.Errorf("status %d: %s", w.Code, w.Body)
			}
		}
	}
}

func TestWriteSeriesLimit(t *testing.T) {
	for _, version := range bothTypes {
		msg := encode(t, version, many(20))
		for _, h := range bothRoads() {
			store, handler := h(server.WithWriteLimits(server.WriteLimits{MaxSeries: 19}))
			expect(t, do(handler, request(version, msg)), 413, zeros(version), "more than 19 series")
			if store.calls != 0 {
				t.Error("the storage was called")
			}
			_, handler = h(server.WithWriteLimits(server.WriteLimits{MaxSeries: 20}))
			if w := do(handler, request(version, msg)); w.Code != 204 {
				t.Errorf("status %d: %s", w.Code, w.Body)
			}
		}
	}
}

// allocated returns how many bytes f allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func TestWriteAnnounced4GiBTakesNoMemory(t *testing.T) {
	body := append(unhex(t, "ffffffff0f"), make([]byte, 1000)...)
	for _, limits := range []server.WriteLimits{{}, {MaxDecodedBytes: 64 << 20}} {
		h := server.NewWriteHandler(newStore(), server.WithWriteLimits(limits))
		used := allocated(func() { expect(t, do(h, rawRequest(promwire.WriteV2, body)), 413, "0/0/0", "4294967295") })
		if used > 1<<20 {
			t.Errorf("took %d bytes", used)
		}
	}
}

func TestWriteContentLengthTakesNoMemory(t *testing.T) {
	r := rawRequest(promwire.WriteV1, []byte("short"))
	r.ContentLength = 32 << 20
	h := server.NewWriteHandler(newStore())
	used := allocated(func() { expect(t, do(h, r), 400, "") })
	if used > 4<<20 {
		t.Errorf("took %d bytes for a body of 5", used)
	}
}

// A small message can decode to a large one: what it would take is estimated first.
func TestWriteDenseMessagesTakeLittleMemory(t *testing.T) {
	inSeries := func(tag, field string, n int) string {
		body := strings.Repeat(field, n)
		return string(binary.AppendUvarint([]byte(tag), uint64(len(body)))) + body
	}
	tests := []struct {
		name    string
		version promwire.MessageType
		msg     string
		text    string
	}{
		{"series 1.0", promwire.WriteV1, strings.Repeat("\x0a\x00", 256<<10), "bytes of memory"},
		{"series 2.0", promwire.WriteV2, "\x22\x00" + strings.Repeat("\x2a\x00", 256<<10), "bytes of memory"},
		{"some series", promwire.WriteV1, strings.Repeat("\x0a\x00", 110_000), "more than 100000 series"},
		{"metadata", promwire.WriteV1, strings.Repeat("\x1a\x00", 768<<10), "bytes of memory"},
		{"histograms 1.0", promwire.WriteV1, inSeries("\x0a", "\x22\x00", 128<<10), "bytes of memory"},
		{"histograms 2.0", promwire.WriteV2, "\x22\x00" + inSeries("\x2a", "\x1a\x00", 128<<10), "bytes of memory"},
		{"exemplars 1.0", promwire.WriteV1, inSeries("\x0a", "\x1a\x00", 768<<10), "bytes of memory"},
		{"exemplars 2.0", promwire.WriteV2, "\x22\x00" + inSeries("\x2a", "\x22\x00", 768<<10), "bytes of memory"},
		{"exemplar labels", promwire.WriteV1, inSeries("\x0a", inSeries("\x1a", "\x0a\x00", 1536<<10), 1), "bytes of memory"},
		{"samples", promwire.WriteV1, inSeries("\x0a", "\x12\x00", 960<<10), "bytes of memory"},
		{"labels", promwire.WriteV1, inSeries("\x0a", "\x0a\x00", 1920<<10), "bytes of memory"},
		{"references", promwire.WriteV2, "\x22\x00" + inSeries("\x2a", inSeries("\x0a", "\x00", 1920<<10), 1), "bytes of memory"},
		{"symbols", promwire.WriteV2, strings.Repeat("\x22\x00", 1<<20-1), ""},
	}
	for _, tt := range tests {
		for road, h := range bothRoads() {
			t.Run(tt.name+"/"+road, func(t *testing.T) {
				_, handler := h(server.WithWriteLimits(server.WriteLimits{MaxMemoryBytes: 16 << 20}))
				r := request(tt.version, []byte(tt.msg))
				status := 413
				if tt.text == "" {
					status = 204
				}
				used := allocated(func() { expect(t, do(handler, r), status, zeros(tt.version), tt.text) })
				most := uint64(8 << 20)
				if tt.name == "some series" {
					most = 64 << 20 // each of them is refused by name until there are too many
				}
				if used > most && status == 413 {
					t.Errorf("took %d KiB for %d KiB", used>>10, len(tt.msg)>>10)
				}
			})
		}
	}
}

func TestWriteBodyFails(t *testing.T) {
	tests := []struct {
		name   string
		body   io.Reader
		status int
		text   string
	}{
		{"cut off", iotest.ErrReader(io.ErrUnexpectedEOF), 400, "body ended before its Content-Length"},
		{"slow", iotest.ErrReader(os.ErrDeadlineExceeded), 408, "reading the body"},
		{"broken", iotest.ErrReader(errors.New("line noise")), 400, "line noise"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, "/", tt.body)
			r.Header.Set("Content-Type", promwire.ContentTypeWriteV2)
			expect(t, do(server.NewWriteHandler(newStore()), r), tt.status, "0/0/0", tt.text)
		})
	}
}

func TestWriteByteByByte(t *testing.T) {
	store := newStore()
	r := httptest.NewRequest(http.MethodPost, "/", iotest.OneByteReader(bytes.NewReader(xcompress.AppendSnappy(nil, encode(t, promwire.WriteV2, many(100))))))
	r.Header.Set("Content-Type", promwire.ContentTypeWriteV2)
	expect(t, do(server.NewWriteHandler(store), r), 204, "100/0/0")
	if len(store.series) != 100 {
		t.Errorf("%d series stored", len(store.series))
	}
}
