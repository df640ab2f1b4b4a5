package web

import (
	"context"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/tsdbstore"
)

// tapped shows what is written to a storage to who looks at the page, and passes it on as it came.
type tapped struct{ *tsdbstore.Store }

// WriteBody implements [promwire.BodyWriter].
func (t tapped) WriteBody(ctx context.Context, b *promwire.Body) (promwire.WriteStats, error) {
	show(ctx, b)
	return t.Store.WriteBody(ctx, b)
}

// show keeps the text of a request that is watched.
func show(ctx context.Context, b *promwire.Body) {
	if v, ok := ctx.Value(visitKey{}).(*visit); ok {
		v.text, v.more, v.series = textOf(b)
	}
}
