package tsdbstore_test

import (
	"testing"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/tsdbstore"
	"github.com/promwire/promwire/promwiretest"
)

// TestStoreConforms holds the store against the contract: all of it with the defaults, what differs without a window for
// late samples, and with start timestamps, for which chunks are encoded again.
func TestStoreConforms(t *testing.T) {
	for name, c := range map[string]struct {
		options tsdbstore.Options
		opts    []promwiretest.StorageOption
	}{
		"defaults": {tsdbstore.Options{}, []promwiretest.StorageOption{promwiretest.WithOrder(promwiretest.TakeOlder)}},
		"in order": {tsdbstore.Options{OutOfOrderWindow: -1}, []promwiretest.StorageOption{
			promwiretest.WithOrder(promwiretest.RefuseOlder), promwiretest.WithChecks("write/late", "write/other-value", "write/partial"),
		}},
		"start timestamps": {tsdbstore.Options{StartTimestamps: true}, []promwiretest.StorageOption{promwiretest.WithChecks("values", "chunks")}},
	} {
		t.Run(name, func(t *testing.T) {
			promwiretest.TestStorage(t, func() promwire.Storage {
				store, err := tsdbstore.Open(t.TempDir(), c.options)
				if err != nil {
					t.Fatal(err)
				}
				return store
			}, c.opts...)
		})
	}
}
