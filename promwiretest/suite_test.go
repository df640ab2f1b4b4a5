package promwiretest_test

import (
	"testing"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/promwiretest"
)

func TestMemoryConforms(t *testing.T) {
	t.Run("refuses older", func(t *testing.T) {
		promwiretest.TestStorage(t, func() promwire.Storage { return promwiretest.NewMemory(promwiretest.RefuseOlder) },
			promwiretest.WithOrder(promwiretest.RefuseOlder))
	})
	t.Run("takes older", func(t *testing.T) {
		promwiretest.TestStorage(t, func() promwire.Storage { return promwiretest.NewMemory(promwiretest.TakeOlder) },
			promwiretest.WithOrder(promwiretest.TakeOlder))
	})
}
