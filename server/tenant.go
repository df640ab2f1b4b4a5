package server

import (
	"fmt"
	"net/http"
)

// MaxTenantBytes bounds a tenant that [TenantFromHeader] takes, as Mimir and Cortex do.
const MaxTenantBytes = 150

// WithTenant finds out the tenant of each request: the storage gets it in the context ([promwire.TenantFromContext]).
// The tenant "" is none. A request for which of fails is answered before its body is read: with the status of a
// [promwire.HTTPError], or else with 400. of must be safe for concurrent use. Default: no tenants.
func WithTenant(of func(r *http.Request) (string, error)) SharedOption {
	return sharedOption(func(c *common) { c.tenant = of })
}

// TenantFromHeader takes the tenant from a header such as [promwire.HeaderTenant], for [WithTenant]. Whoever can set
// the header is believed: put something that authenticates in front. A request without the header has no tenant.
func TenantFromHeader(name string) func(r *http.Request) (string, error) {
	key := http.CanonicalHeaderKey(name)
	return func(r *http.Request) (string, error) {
		values := r.Header[key]
		switch {
		case len(values) == 0:
			return "", nil
		case len(values) > 1:
			return "", fmt.Errorf("header %s is there %d times", name, len(values))
		case len(values[0]) > MaxTenantBytes:
			return "", fmt.Errorf("tenant of %d bytes in header %s, limit %d", len(values[0]), name, MaxTenantBytes)
		}
		return values[0], nil
	}
}

// TenantFromUser takes the user that [WithAuth] has verified as the tenant, for [WithTenant].
func TenantFromUser() func(r *http.Request) (string, error) {
	return func(r *http.Request) (string, error) { return UserFromContext(r.Context()), nil }
}
