package queryapi

import (
	"context"
	"errors"

	"github.com/prometheus/prometheus/promql"
)

// ended is a query that got no place. The API would take an error of its making for one of the expression.
type ended struct {
	promql.Query
	err error
}

// Exec implements [promql.Query].
func (e *ended) Exec(context.Context) *promql.Result { return &promql.Result{Err: timedOut(e.err)} }

// Close implements [promql.Query].
func (*ended) Close() {}

// timedOut has the API see that a query waited too long.
func timedOut(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return queueTimeout{err}
	}
	return err
}

// queueTimeout is an error that the API takes for one of the engine's.
type queueTimeout struct{ error }

// As is for [errors.As].
func (queueTimeout) As(target any) bool {
	t, ok := target.(*promql.ErrQueryTimeout)
	if ok {
		*t = "query queue"
	}
	return ok
}

// Unwrap is for [errors.Is].
func (e queueTimeout) Unwrap() error { return e.error }
