package remote

import (
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/promwire/promwire"
)

// retryBetterAfter is how long a client stays with what it fell back to before it tries what it prefers again.
const retryBetterAfter = time.Hour

// format is how a request goes out.
type format struct {
	message     promwire.MessageType
	compression promwire.Compression
}

// compressed says that the encoding is one that a receiver may not know.
func (f format) compressed() bool { return f.compression.ContentEncoding() != promwire.EncodingSnappy }

func (f format) String() string {
	return fmt.Sprintf("%s with %s", f.message, f.compression.ContentEncoding())
}

// freedom says what of a format may still be changed for a request.
type freedom struct{ message, encoding bool }

// tried is a format and what came of it.
type tried struct {
	format
	outcome
}

// Fallback says that an endpoint refused what the client prefers.
type Fallback struct {
	// Since is when it did, zero if it did not.
	Since time.Time
	// Until is when the client tries again.
	Until time.Time
	// Why is what it answered.
	Why string
}

// choice remembers what an endpoint takes. It is safe for concurrent use.
type choice struct {
	mu           sync.Mutex
	noV1, noV2   Fallback
	noEncoding   Fallback
	knowsV2      bool // it has shown Written headers
	tookEncoding bool // it has taken a body in the preferred encoding
}

// holds reports whether f is to be heeded.
func (f *Fallback) holds(now time.Time) bool { return now.Before(f.Until) }

func (f *Fallback) set(now time.Time, why string) {
	if f.holds(now) {
		f.Until = now.Add(retryBetterAfter) // it goes on
		return
	}
	*f = Fallback{Since: now, Until: now.Add(retryBetterAfter), Why: why}
}

// message returns what to send if want is preferred.
func (c *choice) message(now time.Time, want promwire.MessageType) promwire.MessageType {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case want == promwire.WriteV2 && c.noV2.holds(now):
		return promwire.WriteV1
	case want == promwire.WriteV1 && c.noV1.holds(now):
		return promwire.WriteV2
	}
	return want
}

// compression returns what to send if want is preferred.
func (c *choice) compression(now time.Time, want promwire.Compression) promwire.Compression {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.noEncoding.holds(now) {
		return promwire.Snappy
	}
	return want
}

// known adds to a what is known of the endpoint, and keeps what its answer shows.
func (c *choice) known(a *answer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if a.message == promwire.WriteV2 && a.written.present {
		c.knowsV2 = true
	}
	a.knowsV2, a.tookEncoding = c.knowsV2, c.tookEncoding
}

// learn keeps what the last attempt has shown about those before it, of the same request.
func (c *choice) learn(now time.Time, all []tried) {
	last := &all[len(all)-1]
	took := last.status/100 == 2 && last.action != notStored
	// Whatever else is wrong with the request, the format was understood.
	understood := last.status != 0 && last.status != http.StatusUnsupportedMediaType
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range all[:len(all)-1] {
		was := &all[i]
		why := fmt.Sprintf("answered %d to %s", was.status, was.format)
		switch {
		case was.action == otherEncoding && (took || was.certain && understood):
			c.noEncoding.set(now, why)
		case was.action != otherMessage:
		case was.message == promwire.WriteV1 && took:
			c.noV1.set(now, why)
			c.noV2 = Fallback{}
		case was.message == promwire.WriteV2 && (took || was.certain && understood):
			c.noV2.set(now, why)
			c.noV1 = Fallback{}
		}
	}
	if took && last.compressed() {
		c.tookEncoding = true
	}
}
