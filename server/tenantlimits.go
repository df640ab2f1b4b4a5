package server

import (
	"fmt"
	"math"
	"sync"
	"sync/atomic"
)

// WithTenantLimits gives tenants limits of their own ([WithTenant] says whose a request is; the tenant "" is asked for
// too). of returns those of a tenant; a field that is 0 is that of the handler ([WithWriteLimits]), a negative one sets
// no limit. MaxConcurrent and MaxBytesInFlight bound the requests of that tenant from their arrival on, besides those of
// all: beyond them the answer is 503 with Retry-After at once, before the body is read or when it has grown too large.
//
// of is called for each request, and must be fast and safe for concurrent use: limits may change at any time. State is
// kept for tenants with requests in work only. Default: the limits of the handler hold for each tenant.
func WithTenantLimits(of func(tenant string) WriteLimits) WriteOption {
	return writeOption(func(c *writeConfig) { c.tenantLimits = of })
}

// or returns l with what it does not say from base.
func (l WriteLimits) or(base *WriteLimits) WriteLimits {
	pick := func(given, fallback int) int { return limit(given, fallback) }
	if l.MaxBodyTime == 0 {
		l.MaxBodyTime = base.MaxBodyTime
	}
	return WriteLimits{
		MaxBodyBytes:       pick(l.MaxBodyBytes, base.MaxBodyBytes),
		MaxDecodedBytes:    pick(l.MaxDecodedBytes, base.MaxDecodedBytes),
		MaxSeries:          pick(l.MaxSeries, base.MaxSeries),
		MaxSamples:         pick(l.MaxSamples, base.MaxSamples),
		MaxExemplars:       pick(l.MaxExemplars, base.MaxExemplars),
		MaxLabels:          pick(l.MaxLabels, base.MaxLabels),
		MaxLabelNameBytes:  pick(l.MaxLabelNameBytes, base.MaxLabelNameBytes),
		MaxLabelValueBytes: pick(l.MaxLabelValueBytes, base.MaxLabelValueBytes),
		MaxMemoryBytes:     pick(l.MaxMemoryBytes, base.MaxMemoryBytes),
		MaxLabelBytes:      pick(l.MaxLabelBytes, base.MaxLabelBytes),
		MaxConcurrent:      pick(l.MaxConcurrent, math.MaxInt), // those of all hold in any case
		MaxBytesInFlight:   pick(l.MaxBytesInFlight, math.MaxInt),
		MaxBodyTime:        l.MaxBodyTime,
	}
}

// tenants counts the work for those with limits of their own.
type tenants struct {
	mu   sync.Mutex
	work map[string]*tenantWork
	free []*tenantWork
}

// tenantWork is what a tenant has in work.
type tenantWork struct {
	tenant   string
	requests int // under the lock of tenants
	limit    atomic.Int64
	used     atomic.Int64 // bytes
}

// maxFree bounds the idle states that are kept.
const maxFree = 64

// enter counts a request, which leaves when it is done. It returns nil for a tenant without limits.
func (t *tenants) enter(tenant string, l *WriteLimits) (*tenantWork, error) {
	if l.MaxConcurrent == math.MaxInt && l.MaxBytesInFlight == math.MaxInt {
		return nil, nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	work := t.work[tenant]
	if work != nil && work.requests >= l.MaxConcurrent {
		return nil, fmt.Errorf("%w: tenant %.100q has %d in work, limit %d", errBusy, tenant, work.requests, l.MaxConcurrent)
	}
	if work == nil {
		work = t.idle()
		work.tenant = tenant
		t.work[tenant] = work
	}
	work.requests++
	work.limit.Store(int64(l.MaxBytesInFlight))
	return work, nil
}

// idle returns a state for another tenant.
func (t *tenants) idle() *tenantWork {
	if n := len(t.free); n > 0 {
		work := t.free[n-1]
		t.free = t.free[:n-1]
		return work
	}
	if t.work == nil {
		t.work = map[string]*tenantWork{}
	}
	return new(tenantWork)
}

func (t *tenants) leave(work *tenantWork) {
	if work == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	work.requests--
	if work.requests > 0 {
		return
	}
	delete(t.work, work.tenant)
	work.tenant = ""
	if len(t.free) < maxFree {
		t.free = append(t.free, work)
	}
}

// claim takes n bytes for a request that holds some already. One that is alone gets what it asks for.
func (w *tenantWork) claim(n, held int64) error {
	limit := w.limit.Load()
	if used := w.used.Add(n); used > limit && used != n+held {
		w.used.Add(-n)
		return fmt.Errorf("%w: %d bytes for the body, of %d for this tenant", errBusy, n, limit)
	}
	return nil
}
