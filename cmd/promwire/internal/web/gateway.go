package web

import (
	"context"
	"time"

	"github.com/promwire/promwire"
)

// Gateway is how a gateway before an engine is. Times are in milliseconds, sizes in bytes.
type Gateway struct {
	Engine     string `json:"engine"` // its kind and address
	Dir        string `json:"dir"`
	SpoolBytes int64  `json:"spoolBytes"`
	SpoolMax   int64  `json:"spoolMax"`
	Pending    int64  `json:"pending"` // samples and histograms
	Oldest     int64  `json:"oldest"`  // how long the oldest of them waits
	Sent       int64  `json:"sent"`
	Refused    int64  `json:"refused"`
	Retries    int64  `json:"retries"`
}

// NewGateway returns the page of a gateway.
func NewGateway(state func() Gateway) *UI {
	u := &UI{now: time.Now, gateway: state, files: embedded()}
	u.begin()
	return u
}

// BodyWriter is a writer that takes requests as they come.
type BodyWriter interface {
	promwire.Writer
	promwire.BodyWriter
}

// Tap returns w, shown to those who look at the page.
func (u *UI) Tap(w BodyWriter) promwire.Writer { return tap{w} }

type tap struct{ BodyWriter }

// WriteBody implements [promwire.BodyWriter].
func (t tap) WriteBody(ctx context.Context, b *promwire.Body) (promwire.WriteStats, error) {
	show(ctx, b)
	return t.BodyWriter.WriteBody(ctx, b)
}
