package remote

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/promwire/promwire"
)

// WriteOption configures a [WriteClient].
type WriteOption interface {
	applyWrite(c *WriteClient) error
}

// Option configures either client.
type Option func(*endpoint) error

func (o Option) applyWrite(c *WriteClient) error { return o(&c.endpoint) }

type writeOption func(*WriteClient) error

func (o writeOption) applyWrite(c *WriteClient) error { return o(c) }

// WithHTTPClient sends through c: its transport, cookie jar and timeout. Its CheckRedirect is asked only about redirects that keep POST
// and body. The default is a client with connections of its own and the settings of [http.DefaultTransport].
func WithHTTPClient(c *http.Client) Option {
	return func(e *endpoint) error {
		if c == nil {
			return errors.New("remote: WithHTTPClient: client is nil")
		}
		e.client = c
		return nil
	}
}

// WithTimeout bounds the wait for the server: for a write the time of one request, 30 seconds by default; for a read
// the time without any progress, 1 minute by default, so that a long stream may take as long as it needs. The time
// that the reading program spends between two series does not count. 0 means no bound but the context's.
func WithTimeout(d time.Duration) Option {
	return func(e *endpoint) error {
		if d < 0 {
			return fmt.Errorf("remote: WithTimeout: %v is negative", d)
		}
		e.timeout = d
		return nil
	}
}

// WithUserAgent puts the application's own name and version, such as "billing/1.4", in front of promwire's in the
// User-Agent header.
func WithUserAgent(application string) Option {
	return func(e *endpoint) error {
		if application == "" || !validHeaderValue(application) {
			return fmt.Errorf("remote: WithUserAgent: %q is not a header value", application)
		}
		e.header.Set("User-Agent", application+" promwire/"+promwire.Version)
		return nil
	}
}

// reservedHeaders belong to the protocol or the connection.
var reservedHeaders = []string{
	"Host", "Content-Encoding", "Content-Length", "Content-Type", "User-Agent", "Connection", "Keep-Alive",
	"Accept-Encoding", "Proxy-Authenticate", "Proxy-Authorization", "Www-Authenticate", "Transfer-Encoding", "Trailer",
	promwire.HeaderWriteVersion, promwire.HeaderReadVersion,
}

// WithHeader adds a header to every request; a second value for the same name replaces the first. Headers that the
// protocol or the connection owns (content type and encoding, lengths, versions, User-Agent, Host and the like) are
// refused: the client could not work, or would not send them. Redirects to another host or scheme are not followed then:
// the header may hold an API key.
func WithHeader(name, value string) Option {
	return func(e *endpoint) error {
		canonical := http.CanonicalHeaderKey(name)
		if !validHeaderName(name) || !validHeaderValue(value) {
			return fmt.Errorf("remote: WithHeader: %q is not a valid header name, or its value is not valid", name)
		}
		if slices.Contains(reservedHeaders, canonical) {
			return fmt.Errorf("remote: WithHeader: %q is reserved for the protocol", name)
		}
		e.header.Set(canonical, value)
		return nil
	}
}

// WithMessageType sends this message only. By default the client tries Remote Write 2.0 and falls back to 1.0, see
// [WriteClient].
func WithMessageType(t promwire.MessageType) WriteOption {
	return writeOption(func(c *WriteClient) error {
		if t != promwire.WriteV1 && t != promwire.WriteV2 {
			return fmt.Errorf("remote: WithMessageType: unknown message %q", t)
		}
		c.pinned = t
		return nil
	})
}

// WithCompression sets how bodies are compressed, such as zstd.Codec{} of package compress/zstd, or [promwire.Identity].
// The client falls back to snappy, the default, where a receiver refuses it, see [WriteClient].
func WithCompression(compression promwire.Compression) WriteOption {
	return writeOption(func(c *WriteClient) error {
		if compression == nil {
			return errors.New("remote: WithCompression: nil")
		}
		c.compression = compression
		return nil
	})
}

// WithLogger makes a client log what it repeats: retries as warnings, fallbacks to another format as information.
// Default, and for nil: it logs nothing.
func WithLogger(l *slog.Logger) Option {
	return func(e *endpoint) error {
		e.logs = nil
		if l != nil {
			e.logs = l.Log
		}
		return nil
	}
}

// validHeaderName reports whether s is a token (RFC 9110, section 5.6.2).
func validHeaderName(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter := c|0x20 >= 'a' && c|0x20 <= 'z'
		if !letter && (c < '0' || c > '9') && !strings.ContainsRune("!#$%&'*+-.^_`|~", rune(c)) {
			return false
		}
	}
	return s != ""
}

// validHeaderValue reports whether s holds no control characters, line breaks above all.
func validHeaderValue(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f })
}
