package cli

import (
	"context"
	"fmt"
	"testing"

	"github.com/promwire/promwire"
)

// What is unavailable for another reason than a full disk gets no hint about the disk, above all an interrupt.
func TestNoHintOfDisks(t *testing.T) {
	for _, err := range []error{
		fmt.Errorf("%w: %w", promwire.ErrUnavailable, context.Canceled),
		fmt.Errorf("the engine can't be read: %w: unexpected EOF", promwire.ErrUnavailable),
	} {
		if hint := hintFor(err); hint != "" {
			t.Errorf("%v: %s", err, hint)
		}
	}
}
