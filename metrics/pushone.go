package metrics

import (
	"context"
	"fmt"

	"github.com/promwire/promwire"
)

// PushGauge sends one value to w, as of now: all that a script has to say, without a registry. Labels are pairs of name
// and value. Names follow the legacy scheme, which all receivers take. Errors are those of [Registry.Gauge], of w, and
// of a label name without a value.
func PushGauge(ctx context.Context, w promwire.Writer, name string, value float64, labels ...string) error {
	if len(labels)%2 != 0 {
		return fmt.Errorf("metrics: gauge %q: label %q has no value", name, labels[len(labels)-1])
	}
	r := NewRegistry()
	for i := 0; i < len(labels); i += 2 {
		WithConstLabel(labels[i], labels[i+1])(r)
	}
	g, err := r.Gauge(name)
	if err != nil {
		return err
	}
	g.Set(value)
	return NewPusher(r, w).Push(ctx)
}
