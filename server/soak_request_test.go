package server_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"github.com/promwire/promwire"
	ourgzip "github.com/promwire/promwire/compress/gzip"
	"github.com/promwire/promwire/compress/zstd"
	"github.com/promwire/promwire/internal/xcompress"
)

// soakCompressions are what the handlers of the soak take besides snappy.
var soakCompressions = []promwire.Compression{zstd.Codec{}, ourgzip.Codec{}, promwire.Identity}

// hostile is a request of the soak. It can be sent several times.
type hostile struct {
	method string
	header http.Header
	length int64
	body   []byte
}

var soakURL = &url.URL{Path: "/"}

func (h *hostile) request() *http.Request {
	return &http.Request{
		Method: h.method, URL: soakURL, Header: h.header, ContentLength: h.length, Body: rewinding{bytes.NewReader(h.body)},
	}
}

// String is enough to send it again.
func (h *hostile) String() string {
	return fmt.Sprintf("%s, length %d, header %q, body %x", h.method, h.length, h.header, h.body)
}

// hostile wraps a message as requests are, and mostly as they have to be.
func (m *mutator) hostile(msg []byte, contentType string) hostile {
	h := hostile{method: http.MethodPost, header: http.Header{}}
	if m.chance(200) {
		h.method = []string{"GET", "PUT", "HEAD", "", "post", "\x00"}[m.rng.IntN(6)]
	}
	encoding := promwire.EncodingSnappy
	if m.chance(12) {
		c := soakCompressions[m.rng.IntN(len(soakCompressions))]
		encoding = c.ContentEncoding()
		h.body, _ = c.AppendEncoded(nil, msg) // none of them fails
	} else if m.chance(1000) {
		h.body = m.bomb()
	} else {
		h.body = xcompress.AppendSnappy(nil, msg)
	}
	for m.chance(8) {
		h.body = m.bytes(h.body)
	}
	h.header["Content-Encoding"] = []string{m.text(encoding)}
	h.header["Content-Type"] = []string{m.text(contentType)}
	h.length = int64(len(h.body))
	if m.chance(20) {
		h.length = []int64{-1, 0, 1, h.length - 1, h.length + 1, 1 << 40}[m.rng.IntN(6)]
	}
	return h
}

// text returns the value of a header, seldom another one.
func (m *mutator) text(value string) string {
	if !m.chance(50) {
		return value
	}
	others := []string{
		"", "snappy", "zstd", "gzip", "identity", "br", "snappy, gzip", promwire.ContentTypeProtobuf, promwire.ContentTypeWriteV2,
		"application/x-protobuf;proto=prometheus.WriteRequest", "application/x-protobuf;proto=x", "text/plain", "application/json",
		promwire.ContentTypeWriteV2 + ";charset=utf-8", "application/x-protobuf;;;", "\xff",
	}
	if m.chance(3) {
		return string(m.bytes([]byte(value)))
	}
	return others[m.rng.IntN(len(others))]
}

// bomb is a snappy block of a few kB that holds, or announces, up to two MiB: a few bytes again and again.
func (m *mutator) bomb() []byte {
	patterns := []string{"\x0a\x00", "\x22\x00", "\x2a\x00", "\x1a\x00", "\x0a\x02\x1a\x00", "\x0a\x02\x22\x00", "\x2a\x02\x1a\x00", "\x2a\x02\x0a\x00", "\x00"}
	pattern := patterns[m.rng.IntN(len(patterns))]
	size := 1 << (10 + m.rng.IntN(12))
	block := binary.AppendUvarint(nil, uint64(size))
	block = append(append(block, byte(len(pattern)-1)<<2), pattern...)
	for have := len(pattern); have < size; {
		n := min(64, size-have)
		block = append(block, byte(n-1)<<2|2, byte(len(pattern)), 0) // a copy of the last bytes
		have += n
	}
	return slices.Clip(block)
}
