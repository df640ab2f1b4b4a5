package queryapi

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"

	"github.com/promwire/promwire/cmd/promwire/internal/memory"
)

// maxWork bounds how often points of a subquery are looked at: each step of what is around it takes all of its points again,
// and nothing ends that before a series is done.
const maxWork = 1_000_000_000

// boundedEngine refuses queries of too many steps, for which the engine would take memory before it counts them, and answers that
// there is no memory for.
type boundedEngine struct {
	*promql.Engine
	maxSteps int // of the subqueries of a query together
	memory   *memory.Guard
}

// NewInstantQuery implements [promql.QueryEngine].
func (e boundedEngine) NewInstantQuery(ctx context.Context, q storage.Queryable, opts promql.QueryOpts, text string, ts time.Time) (promql.Query, error) {
	reserved := &reserving{Queryable: q, memory: e.memory}
	query, err := e.Engine.NewInstantQuery(ctx, reserved, opts, text, ts)
	return e.check(ctx, query, reserved, err)
}

// NewRangeQuery implements [promql.QueryEngine].
func (e boundedEngine) NewRangeQuery(ctx context.Context, q storage.Queryable, opts promql.QueryOpts, text string, start, end time.Time, interval time.Duration) (promql.Query, error) {
	reserved := &reserving{Queryable: q, memory: e.memory}
	query, err := e.Engine.NewRangeQuery(ctx, reserved, opts, text, start, end, interval)
	return e.check(ctx, query, reserved, err)
}

func (e boundedEngine) check(ctx context.Context, q promql.Query, reserved *reserving, err error) (promql.Query, error) {
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return &ended{err: err}, nil
	}
	if err != nil {
		return nil, err
	}
	stmt, ok := q.Statement().(*parser.EvalStmt)
	if !ok {
		return nil, fmt.Errorf("a statement of type %T", q.Statement())
	}
	s := stepping{span: float64(stmt.End.Sub(stmt.Start)), interval: float64(stmt.Interval), total: new(float64)}
	if err := s.walk(stmt.Expr, float64(e.maxSteps)); err != nil {
		q.Close()
		return nil, err
	}
	reserved.made, _ = madeOf(stmt.Expr) // the parser would have refused it
	return &weighed{Query: q, reserved: reserved}, nil
}

// stepping is how an expression is evaluated: at steps of a time, or once if the interval is 0. Times are in nanoseconds; floats do
// not overflow.
type stepping struct {
	span, interval float64
	total          *float64 // steps of all subqueries
}

func (s stepping) steps() float64 {
	if s.interval == 0 {
		return 1
	}
	return math.Floor(s.span/s.interval) + 1
}

// walk counts the steps of subqueries.
func (s stepping) walk(n parser.Node, most float64) error {
	switch e := n.(type) {
	case *parser.StepInvariantExpr:
		s.span, s.interval = 0, 0
	case *parser.SubqueryExpr:
		within := stepping{float64(e.Range), float64(cmp.Or(e.Step, defaultSubqueryStep)), s.total}
		if work := s.steps() * within.steps(); work > maxWork {
			return fmt.Errorf("%.0f points of a subquery would be looked at, limit %d: ask for longer steps or less time", work, maxWork)
		}
		s = stepping{s.span + within.span, within.interval, s.total}
		if *s.total += s.steps(); *s.total > most {
			return fmt.Errorf("subqueries of %.0f steps, limit %.0f: ask for longer steps or less time", *s.total, most)
		}
	}
	for child := range parser.ChildrenIter(n) {
		if err := s.walk(child, most); err != nil {
			return err
		}
	}
	return nil
}
