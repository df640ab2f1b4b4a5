package outlets

import (
	"context"
	"log/slog"
)

// Limited returns a logger that lets a few warnings and errors a minute through, see [Limiter], and everything below: for
// what is logged request by request. The first line after some that were held back says how many.
func Limited(logger *slog.Logger) *slog.Logger {
	return slog.New(limited{logger.Handler(), new(Limiter)})
}

type limited struct {
	slog.Handler
	limiter *Limiter
}

// Handle implements slog.Handler.
func (h limited) Handle(ctx context.Context, r slog.Record) error {
	if r.Level >= slog.LevelWarn {
		n, ok := h.limiter.Allow()
		if !ok {
			return nil
		}
		if n > 0 {
			r = r.Clone()
			r.AddAttrs(slog.Int("not_logged", n))
		}
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler. The limit is for all that come from one logger.
func (h limited) WithAttrs(attrs []slog.Attr) slog.Handler {
	return limited{h.Handler.WithAttrs(attrs), h.limiter}
}

// WithGroup implements slog.Handler, likewise.
func (h limited) WithGroup(name string) slog.Handler {
	return limited{h.Handler.WithGroup(name), h.limiter}
}

// Errors returns a Limited logger of errors alone: for a spool, whose warnings are logged here for each place already.
func Errors(logger *slog.Logger) *slog.Logger {
	return slog.New(errorsOnly{Limited(logger).Handler()})
}

type errorsOnly struct{ slog.Handler }

// Enabled implements slog.Handler.
func (h errorsOnly) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelError && h.Handler.Enabled(ctx, level)
}

// WithAttrs implements slog.Handler.
func (h errorsOnly) WithAttrs(attrs []slog.Attr) slog.Handler {
	return errorsOnly{h.Handler.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (h errorsOnly) WithGroup(name string) slog.Handler { return errorsOnly{h.Handler.WithGroup(name)} }
