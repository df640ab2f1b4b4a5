package promwire

import "context"

// HeaderTenant is the header in which Mimir, Cortex and other engines expect the tenant.
const HeaderTenant = "X-Scope-OrgID"

type tenantKey struct{}

// ContextWithTenant returns a context for requests of this tenant. Server handlers make one for their storage, write
// and read clients send what they find in it.
func ContextWithTenant(ctx context.Context, tenant string) context.Context {
	return context.WithValue(ctx, tenantKey{}, tenant)
}

// TenantFromContext returns the tenant of ctx, "" if there is none.
func TenantFromContext(ctx context.Context) string {
	tenant, _ := ctx.Value(tenantKey{}).(string)
	return tenant
}
