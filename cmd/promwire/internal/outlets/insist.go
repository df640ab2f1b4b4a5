package outlets

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/remote"
)

// CredentialPatience is how long requests wait for credentials that the receiver takes again.
const CredentialPatience = time.Hour

// maxTenants bounds the tenants that are remembered.
const maxTenants = 10_000

// Insistence makes some answers ones that are tried again, for what lies in a spool, where it waits until the receiver, or
// what is configured of it, is another one:
//
//   - the receiver calls a request written, and has not written it ([remote.ErrNothingWritten]);
//   - the answer is 401 or 403, and the receiver has taken requests of that tenant before: credentials have changed, on
//     one side. After [CredentialPatience] it is an answer for good. A tenant that was never taken is refused at once, as
//     others wait behind it.
//
// The zero value is ready; it is safe for concurrent use. Kept across reloads, it remembers who was taken.
type Insistence struct {
	mu    sync.Mutex
	taken map[string]time.Time // tenants, and since when they are refused again
}

// Insist is an Insistence for one writer.
func Insist(w promwire.Writer) promwire.Writer { return new(Insistence).Before(w) }

// Before puts it in front of a client, below all that looks at refusals. What it returns is a [promwire.BodyWriter] if w
// is one.
func (i *Insistence) Before(w promwire.Writer) promwire.Writer {
	if body, ok := w.(promwire.BodyWriter); ok {
		return insistingBody{insisting{w, i}, body}
	}
	return insisting{w, i}
}

type insisting struct {
	next promwire.Writer
	*Insistence
}

type insistingBody struct {
	insisting
	body promwire.BodyWriter
}

// Write implements promwire.Writer.
func (i insisting) Write(ctx context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	stats, err := i.next.Write(ctx, req)
	return stats, i.judge(promwire.TenantFromContext(ctx), err)
}

// WriteBody implements promwire.BodyWriter.
func (i insistingBody) WriteBody(ctx context.Context, b *promwire.Body) (promwire.WriteStats, error) {
	stats, err := i.body.WriteBody(ctx, b)
	return stats, i.judge(promwire.TenantFromContext(ctx), err)
}

func (i *Insistence) judge(tenant string, err error) error {
	var answer *promwire.HTTPError
	switch {
	case err == nil:
		i.took(tenant)
		return nil
	case errors.Is(err, remote.ErrNothingWritten),
		errors.As(err, &answer) && (answer.StatusCode == http.StatusUnauthorized || answer.StatusCode == http.StatusForbidden) && i.waits(tenant):
		return fmt.Errorf("%w: %w", promwire.ErrUnavailable, err)
	}
	return err
}

// took notes that a request of a tenant was taken.
func (i *Insistence) took(tenant string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.taken == nil {
		i.taken = map[string]time.Time{}
	}
	if _, known := i.taken[tenant]; known || len(i.taken) < maxTenants {
		i.taken[tenant] = time.Time{}
	}
}

// waits reports whether the credentials for a tenant may become good again.
func (i *Insistence) waits(tenant string) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	since, known := i.taken[tenant]
	switch {
	case !known:
		return false
	case since.IsZero():
		i.taken[tenant] = time.Now()
	case time.Since(since) > CredentialPatience:
		delete(i.taken, tenant)
		return false
	}
	return true
}
