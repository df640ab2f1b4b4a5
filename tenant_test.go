package promwire_test

import (
	"testing"

	"github.com/promwire/promwire"
)

func TestTenant(t *testing.T) {
	ctx := t.Context()
	if got := promwire.TenantFromContext(ctx); got != "" {
		t.Errorf("got %q", got)
	}
	ctx = promwire.ContextWithTenant(promwire.ContextWithTenant(ctx, "a"), "b")
	if got := promwire.TenantFromContext(ctx); got != "b" {
		t.Errorf("got %q", got)
	}
}
