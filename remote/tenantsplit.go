package remote

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/promwire/promwire"
)

// DefaultMaxTenants bounds the tenants of one request, see [TenantSplitOptions].
const DefaultMaxTenants = 100

// maxTenantBytes bounds the name of a tenant, as engines do.
const maxTenantBytes = 150

// TenantSplitOptions are the settings of a [TenantSplit].
type TenantSplitOptions struct {
	// Label is the label whose value is the tenant. It must be given.
	Label string
	// Keep leaves the label on the series. By default it is taken off.
	Keep bool
	// Default is the tenant of series without the label, and of family metadata. By default they keep the tenant of the
	// request, which may be none.
	Default string
	// MaxTenants bounds the tenants of one request: each costs a request of its own. Default 100. A request with more
	// fails as a whole with [promwire.ErrTooLarge], so that its sender splits it.
	MaxTenants int
}

// TenantSplit cuts requests by the value of a label and writes each part for that tenant
// ([promwire.ContextWithTenant]); it is a [promwire.Writer]. It is safe for concurrent use.
//
// A tenant is 1 to 150 visible ASCII characters, as it has to fit into a header. Series with another value are refused
// ([promwire.ErrInvalidName]), the rest is written. A part that fails does not stop the others.
type TenantSplit struct {
	w       promwire.Writer
	options TenantSplitOptions
}

var _ promwire.Writer = (*TenantSplit)(nil)

// NewTenantSplit makes a TenantSplit in front of w. It fails without a label, for a default that is no tenant, and if
// it would have to take the metric's name off.
func NewTenantSplit(w promwire.Writer, options TenantSplitOptions) (*TenantSplit, error) {
	options.MaxTenants = orDefault(options.MaxTenants, DefaultMaxTenants)
	switch {
	case options.Label == "":
		return nil, errors.New("remote: NewTenantSplit: there is no label")
	case options.Label == promwire.MetricName && !options.Keep:
		return nil, errors.New("remote: NewTenantSplit: a series can't go without its name")
	case options.Default != "" && !validTenant(options.Default):
		return nil, fmt.Errorf("remote: NewTenantSplit: %q is not a tenant", options.Default)
	case options.MaxTenants < 0:
		return nil, fmt.Errorf("remote: NewTenantSplit: MaxTenants %d is negative", options.MaxTenants)
	}
	return &TenantSplit{w: w, options: options}, nil
}

// Write implements [promwire.Writer]. It returns when all parts are written or have failed, with the sum of their
// counts. The error is a [*TargetsError], a [*promwire.PartialWriteError] if only series without a valid tenant were
// refused, or nil; refusals have the indices of req.
func (t *TenantSplit) Write(ctx context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	p := newPartition()
	defer p.release()
	for i := range req.Timeseries {
		ls := req.Timeseries[i].Labels
		tenant := ls.Get(t.options.Label)
		if tenant != "" && !validTenant(tenant) {
			p.put(-1)
			p.refused = append(p.refused, promwire.Refusal{
				Series: i, Labels: ls.Clone(),
				Reason: fmt.Errorf("%w: label %s: %.200q is not a tenant", promwire.ErrInvalidName, t.options.Label, tenant),
			})
			continue
		}
		p.put(t.route(ctx, p, tenant))
		if len(p.routes) > t.options.MaxTenants {
			return promwire.WriteStats{}, fmt.Errorf("tenant split: %w: request has series of more than %d tenants",
				promwire.ErrTooLarge, t.options.MaxTenants)
		}
	}
	if len(req.Metadata) > 0 {
		n := t.route(ctx, p, "")
		p.routes[n].req.Metadata = req.Metadata
	}
	p.cut(req)
	if !t.options.Keep {
		t.takeOff(p)
	}
	return p.send()
}

// route returns the number of the tenant's route.
func (t *TenantSplit) route(ctx context.Context, p *partition, tenant string) int {
	if tenant == "" {
		tenant = t.options.Default
	}
	if n, ok := p.numbers[tenant]; ok {
		return n
	}
	name := strings.Clone(tenant) // errors and contexts may stay longer than the request
	if tenant != "" {
		ctx = promwire.ContextWithTenant(ctx, name)
	} else {
		name = promwire.TenantFromContext(ctx)
	}
	n := p.add(ctx, name, t.w)
	p.numbers[tenant] = n
	return n
}

// takeOff gives each series labels without the tenant.
func (t *TenantSplit) takeOff(p *partition) {
	total := 0
	for i := range p.series {
		total += len(p.series[i].Labels)
	}
	p.labels = resize(p.labels, total)[:0]
	for i := range p.series {
		from := len(p.labels)
		for _, l := range p.series[i].Labels {
			if l.Name != t.options.Label {
				p.labels = append(p.labels, l)
			}
		}
		p.series[i].Labels = promwire.Labels(p.labels[from:len(p.labels):len(p.labels)])
	}
}

// validTenant reports whether a tenant can stand in a header as it is.
func validTenant(s string) bool {
	if len(s) == 0 || len(s) > maxTenantBytes {
		return false
	}
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}
