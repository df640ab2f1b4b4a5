package promwire

import "context"

type replayKey struct{}

// ContextWithReplay returns a context for requests that may have been written before: what is sent again after a crash,
// or after an answer got lost. Senders that see "stored already" in the answer to one may count it as delivered.
func ContextWithReplay(ctx context.Context) context.Context {
	return context.WithValue(ctx, replayKey{}, true)
}

// ReplayFromContext reports whether requests with ctx may have been written before.
func ReplayFromContext(ctx context.Context) bool {
	replay, _ := ctx.Value(replayKey{}).(bool)
	return replay
}
