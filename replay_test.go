package promwire_test

import (
	"testing"

	"github.com/promwire/promwire"
)

func TestReplay(t *testing.T) {
	ctx := t.Context()
	if promwire.ReplayFromContext(ctx) {
		t.Error("a replay, though nobody said so")
	}
	if !promwire.ReplayFromContext(promwire.ContextWithTenant(promwire.ContextWithReplay(ctx), "a")) {
		t.Error("the mark got lost")
	}
}
