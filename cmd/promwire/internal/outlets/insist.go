package outlets

import (
	"context"
	"errors"
	"fmt"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/remote"
)

// Insist makes requests that a receiver calls written, and has not written, ones that are tried again: for what lies in
// a spool, where they wait until the receiver, or what is configured of it, is another one. It belongs in front of a
// client, below all that looks at refusals. What it returns is a [promwire.BodyWriter] if w is one.
func Insist(w promwire.Writer) promwire.Writer {
	if body, ok := w.(promwire.BodyWriter); ok {
		return insistingBody{insisting{w}, body}
	}
	return insisting{w}
}

type insisting struct{ next promwire.Writer }

type insistingBody struct {
	insisting
	body promwire.BodyWriter
}

// Write implements promwire.Writer.
func (i insisting) Write(ctx context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	stats, err := i.next.Write(ctx, req)
	return stats, insist(err)
}

// WriteBody implements promwire.BodyWriter.
func (i insistingBody) WriteBody(ctx context.Context, b *promwire.Body) (promwire.WriteStats, error) {
	stats, err := i.body.WriteBody(ctx, b)
	return stats, insist(err)
}

func insist(err error) error {
	if errors.Is(err, remote.ErrNothingWritten) {
		return fmt.Errorf("%w: %w", promwire.ErrUnavailable, err)
	}
	return err
}
