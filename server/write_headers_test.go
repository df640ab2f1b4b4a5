package server_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/server"
)

// untouched is a body that must not be read.
type untouched struct{ tb testing.TB }

func (u untouched) Read([]byte) (int, error) {
	u.tb.Error("the body was read")
	return 0, errors.New("unreadable")
}

func TestWriteJudgesHeadersBeforeBody(t *testing.T) {
	tests := []struct {
		name                   string
		method, kind, encoding string
		status                 int
		text                   string
	}{
		{"get", "GET", promwire.ContentTypeProtobuf, "snappy", 405, `"GET", want POST`},
		{"put", "PUT", promwire.ContentTypeProtobuf, "snappy", 405, `"PUT", want POST`},
		{"json", "POST", "application/json", "snappy", 415, `"application/json", want "application/x-protobuf"`},
		{"image", "POST", "image/png", "snappy", 415, "application/x-protobuf"},
		{"unknown message", "POST", "application/x-protobuf;proto=io.prometheus.write.v3.Request", "snappy", 415, "io.prometheus.write.v2.Request"},
		{"garbage type", "POST", ";;;=", "snappy", 415, "application/x-protobuf"},
		{"gzip", "POST", promwire.ContentTypeWriteV2, "gzip", 415, `"gzip", want "snappy"`},
		{"zstd", "POST", promwire.ContentTypeProtobuf, "zstd", 415, `"zstd", want "snappy"`},
		{"deflate", "POST", promwire.ContentTypeProtobuf, "deflate", 415, `"snappy"`},
		{"two encodings", "POST", promwire.ContentTypeProtobuf, "gzip, snappy", 415, `"snappy"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			store := newStore()
			r := httptest.NewRequest(tt.method, "/", untouched{t})
			r.Header.Set("Content-Type", tt.kind)
			r.Header.Set("Content-Encoding", tt.encoding)
			w := do(server.NewWriteHandler(store), r)
			expect(t, w, tt.status, "", tt.text)
			if allow := w.Header().Get("Allow"); (tt.status == 405) != (allow == "POST") {
				t.Errorf("Allow: %q", allow)
			}
			if got := w.Header().Get("Content-Type"); got != "text/plain; charset=utf-8" {
				t.Errorf("Content-Type of the text: %q", got)
			}
			if store.calls != 0 {
				t.Error("the storage was called")
			}
		})
	}
}

func TestWriteRefusesRepeatedEncoding(t *testing.T) {
	r := httptest.NewRequest(http.MethodPost, "/", untouched{t})
	r.Header["Content-Encoding"] = []string{"snappy", "gzip"}
	expect(t, do(server.NewWriteHandler(newStore()), r), 415, "", `"snappy, gzip"`)
}

func TestWriteAcceptsLenientHeaders(t *testing.T) {
	tests := []struct {
		name, kind, encoding string
		version              promwire.MessageType
	}{
		{"exact 1.0", "application/x-protobuf", "snappy", promwire.WriteV1},
		{"no type", "", "snappy", promwire.WriteV1},
		{"no encoding", "application/x-protobuf", "", promwire.WriteV1},
		{"named 1.0", "application/x-protobuf;proto=prometheus.WriteRequest", "snappy", promwire.WriteV1},
		{"encoding in capitals", "application/x-protobuf", "Snappy", promwire.WriteV1},
		{"exact 2.0", "application/x-protobuf;proto=io.prometheus.write.v2.Request", "snappy", promwire.WriteV2},
		{"blank", "application/x-protobuf; proto=io.prometheus.write.v2.Request", "snappy", promwire.WriteV2},
		{"quotes", `application/x-protobuf;proto="io.prometheus.write.v2.Request"`, "snappy", promwire.WriteV2},
		{"letter case", "Application/X-Protobuf;Proto=io.prometheus.write.v2.Request", "snappy", promwire.WriteV2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			store := newStore()
			r := request(tt.version, encode(t, tt.version, many(1)))
			r.Header.Del("Content-Type")
			r.Header.Del("Content-Encoding")
			if tt.kind != "" {
				r.Header.Set("Content-Type", tt.kind)
			}
			if tt.encoding != "" {
				r.Header.Set("Content-Encoding", tt.encoding)
			}
			w := do(server.NewWriteHandler(store), r)
			written := ""
			if tt.version == promwire.WriteV2 {
				written = "1/0/0"
			}
			expect(t, w, 204, written)
			if len(store.series) != 1 {
				t.Errorf("%d series stored, want 1", len(store.series))
			}
			if got := w.Header().Get(promwire.HeaderWriteVersion); got != promwire.WriteVersionV2 {
				t.Errorf("version header %q", got)
			}
		})
	}
}
