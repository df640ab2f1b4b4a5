package remote

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/promwire/promwire"
)

func TestNewWriteClientRefuses(t *testing.T) {
	const url = "http://host:9090/api/v1/write"
	tests := []struct {
		name, url string
		option    WriteOption
		want      string
	}{
		{"empty URL", "", nil, "scheme"},
		{"no scheme", "host:9090/api/v1/write", nil, "scheme"},
		{"path only", "/api/v1/write", nil, "scheme"},
		{"wrong scheme", "ftp://host/x", nil, `"ftp"`},
		{"no host", "http:///api/v1/write", nil, "no host"},
		{"port only", "http://:9090/api/v1/write", nil, "no host"},
		{"bad escape", "http://host/%zz", nil, "invalid URL"},
		{"nil client", url, WithHTTPClient(nil), "nil"},
		{"negative timeout", url, WithTimeout(-time.Second), "negative"},
		{"empty user agent", url, WithUserAgent(""), "WithUserAgent"},
		{"user agent with line break", url, WithUserAgent("a\r\nX-Evil: 1"), "WithUserAgent"},
		{"header with blank", url, WithHeader("X Y", "v"), "not a valid header"},
		{"header without name", url, WithHeader("", "v"), "not a valid header"},
		{"header value with line break", url, WithHeader("X-Y", "v\nw"), "not a valid header"},
		{"unknown message", url, WithMessageType("prometheus.Other"), "unknown message"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var opts []WriteOption
			if tt.option != nil {
				opts = append(opts, tt.option)
			}
			c, err := NewWriteClient(tt.url, opts...)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, %v, want an error with %q", c, err, tt.want)
			}
		})
	}
}

// Remote Write 1.0, "Protocol": senders must not let users override the headers of the protocol.
func TestWithHeaderRefusesReserved(t *testing.T) {
	for _, name := range []string{
		"Host", "Content-Encoding", "content-length", "Content-Type", "USER-AGENT", "Connection", "Keep-Alive",
		"Accept-Encoding", "Proxy-Authenticate", "Proxy-Authorization", "WWW-Authenticate",
		"X-Prometheus-Remote-Write-Version", "x-prometheus-remote-read-version", "Transfer-Encoding", "Trailer",
	} {
		if _, err := NewWriteClient("http://host/", WithHeader(name, "x")); err == nil || !strings.Contains(err.Error(), "reserved") {
			t.Errorf("write, %s: got %v, want a refusal", name, err)
		}
	}
	if _, err := NewWriteClient("http://host/", WithHeader("Authorization", "Bearer x"), WithHeader("X-Scope-OrgID", "1")); err != nil {
		t.Errorf("allowed headers: %v", err)
	}
}

func TestURLErrorsHideThePassword(t *testing.T) {
	if _, err := NewWriteClient("http://user:secret@host/%zz"); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("invalid URL: got %v", err)
	}
	r := newReceiver(t, func(w http.ResponseWriter, _ int, _ received) { http.Error(w, "no", http.StatusForbidden) })
	url := strings.Replace(r.URL, "http://", "http://user:secret@", 1) + "/write?p=secret"
	c := newWriteClient(t, url)
	_, err := c.Write(context.Background(), request("m", 1))
	if err == nil || strings.Contains(err.Error(), "secret") || !strings.Contains(err.Error(), r.URL+"/write") {
		t.Errorf("status: got %v", err)
	}
	if user, password, ok := basicAuth(r.all[0].header); !ok || user != "user" || password != "secret" {
		t.Errorf("basic authentication: got %q, %q, %v", user, password, ok)
	}
	r.Close()
	_, err = c.Write(context.Background(), request("m", 1))
	if err == nil || strings.Contains(err.Error(), "secret") || !strings.Contains(err.Error(), r.URL+"/write") {
		t.Errorf("no server: got %v", err)
	}
}

func basicAuth(h http.Header) (user, password string, ok bool) {
	return (&http.Request{Header: h}).BasicAuth()
}

func TestRequestHeaders(t *testing.T) {
	tests := []struct {
		message                     promwire.MessageType
		contentType, version, agent string
		options                     []WriteOption
	}{
		{
			promwire.WriteV1, "application/x-protobuf", "0.1.0", "promwire/" + promwire.Version, nil,
		},
		{
			promwire.WriteV2, "application/x-protobuf;proto=io.prometheus.write.v2.Request", "2.0.0",
			"billing/1.4 promwire/" + promwire.Version,
			[]WriteOption{WithUserAgent("billing/1.4")},
		},
	}
	for _, tt := range tests {
		t.Run(string(tt.message), func(t *testing.T) {
			r := newReceiver(t, good)
			opts := append(tt.options, WithMessageType(tt.message), WithHeader("x-scope-orgid", "7"))
			c := newWriteClient(t, r.URL+"/a/b%2Fc?db=x&p=1", opts...)
			for range 2 {
				if _, err := c.Write(context.Background(), request("m", 1)); err != nil {
					t.Fatal(err)
				}
			}
			for _, got := range r.all {
				want := map[string]string{
					"Content-Type": tt.contentType, "Content-Encoding": "snappy", "User-Agent": tt.agent,
					"X-Prometheus-Remote-Write-Version": tt.version, "X-Scope-Orgid": "7",
				}
				for name, value := range want {
					if h := got.header[name]; len(h) != 1 || h[0] != value {
						t.Errorf("%s: got %q, want %q", name, h, value)
					}
				}
				if got.header.Get("Content-Length") == "" || got.method != "POST" || got.uri != "/a/b%2Fc?db=x&p=1" {
					t.Errorf("got %s %s, length %q", got.method, got.uri, got.header.Get("Content-Length"))
				}
			}
		})
	}
}
