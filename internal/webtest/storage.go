package webtest

import (
	"context"
	"fmt"
	"iter"

	"github.com/promwire/promwire"
)

// storage is made of functions; what is missing does nothing.
type storage struct {
	write func(ctx context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error)
	read  func(ctx context.Context, yield func(promwire.TimeSeries, error) bool)
}

func (s *storage) Write(ctx context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	if s.write == nil {
		return req.Stats(), nil
	}
	return s.write(ctx, req)
}

func (s *storage) Read(ctx context.Context, _ promwire.Query) iter.Seq2[promwire.TimeSeries, error] {
	return func(yield func(promwire.TimeSeries, error) bool) {
		if s.read != nil {
			s.read(ctx, yield)
		}
	}
}

// part is series i of a long answer: a thousand samples, 9 kB as chunks.
func part(i int) promwire.TimeSeries {
	ts := promwire.TimeSeries{Labels: promwire.LabelsFromStrings("__name__", "m", "i", fmt.Sprintf("%06d", i))}
	for k := range 1000 {
		ts.Samples = append(ts.Samples, promwire.Sample{Timestamp: int64(k+1) * 1000, Value: float64(k*k%97) + 0.1})
	}
	return ts
}

// yieldParts yields n parts and reports whether the reader wants more.
func yieldParts(n int, yield func(promwire.TimeSeries, error) bool) bool {
	for i := range n {
		if !yield(part(i), nil) {
			return false
		}
	}
	return true
}
