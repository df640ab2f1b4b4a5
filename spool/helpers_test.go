package spool_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/spool"
)

// request has samples of one series; value and time are n.
func request(n int, more ...int) *promwire.WriteRequest {
	req := &promwire.WriteRequest{}
	for _, n := range append([]int{n}, more...) {
		req.Timeseries = append(req.Timeseries, promwire.TimeSeries{
			Labels:  promwire.LabelsFromStrings("__name__", "m", "pad", "some label that takes a little room", "n", fmt.Sprint(n)),
			Samples: []promwire.Sample{{Timestamp: int64(n), Value: float64(n)}},
		})
	}
	return req
}

// encoded is a request as it comes from a sender.
func encoded(t testing.TB, req *promwire.WriteRequest, m promwire.MessageType) *promwire.Body {
	t.Helper()
	msg, err := req.AppendProto(nil, m)
	if err != nil {
		t.Fatal(err)
	}
	enc, err := promwire.Snappy.AppendEncoded(nil, msg)
	if err != nil {
		t.Fatal(err)
	}
	b := &promwire.Body{}
	b.Reset(enc, promwire.EncodingSnappy, m, 1<<20)
	return b
}

// target takes bodies or requests, and keeps the values in order.
type target struct {
	mu       sync.Mutex
	values   []int
	tenants  []string
	replays  []bool
	requests int
	fail     func(attempt int, values []int) error
	got      chan int // the number of values, after each request; may be nil
}

func (w *target) Write(ctx context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	values := []int{}
	for _, ts := range req.Timeseries {
		for _, s := range ts.Samples {
			values = append(values, int(s.Value))
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.requests++
	w.tenants = append(w.tenants, promwire.TenantFromContext(ctx))
	w.replays = append(w.replays, promwire.ReplayFromContext(ctx))
	if w.fail != nil {
		if err := w.fail(w.requests, values); err != nil {
			return promwire.WriteStats{}, err
		}
	}
	w.values = append(w.values, values...)
	if w.got != nil {
		w.got <- len(w.values)
	}
	return req.Stats(), nil
}

// bodyTarget is a target that prefers bodies.
type bodyTarget struct{ target }

func (w *bodyTarget) WriteBody(ctx context.Context, b *promwire.Body) (promwire.WriteStats, error) {
	msg, err := b.Decoded()
	if err != nil {
		return promwire.WriteStats{}, err
	}
	var req promwire.WriteRequest
	if err := req.UnmarshalProto(msg, b.Type); err != nil {
		return promwire.WriteStats{}, err
	}
	return w.Write(ctx, &req)
}

func open(t testing.TB, dir string, opts ...spool.Option) *spool.Spool {
	t.Helper()
	s, err := spool.Open(dir, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func reader(t testing.TB, s *spool.Spool, name string) *spool.Reader {
	t.Helper()
	r, err := s.Reader(name)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func write(t testing.TB, s *spool.Spool, from, to int) {
	t.Helper()
	for n := from; n < to; n++ {
		if stats, err := s.Write(t.Context(), request(n)); err != nil || stats.Samples != 1 {
			t.Fatalf("write %d: %+v, %v", n, stats, err)
		}
	}
}

func drain(t testing.TB, r *spool.Reader, w promwire.Writer) spool.Counts {
	t.Helper()
	c, err := r.Drain(t.Context(), w, spool.DeliverOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func closeSpool(t testing.TB, s *spool.Spool) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func checkValues(t testing.TB, got []int, from, to int) {
	t.Helper()
	if len(got) != to-from {
		t.Fatalf("got %d values, want %d: %v", len(got), to-from, got)
	}
	for i, v := range got {
		if v != from+i {
			t.Fatalf("value %d is %d, want %d", i, v, from+i)
		}
	}
}

var errRefused = errors.New("refused")

// keeper keeps bodies.
type keeper struct {
	target
	bodies []keptBody
}

type keptBody struct {
	encoded []byte
	items   promwire.WriteStats
}

func (w *keeper) WriteBody(_ context.Context, b *promwire.Body) (promwire.WriteStats, error) {
	items, err := b.Stats()
	if err == nil {
		_, err = b.Decoded()
	}
	w.bodies = append(w.bodies, keptBody{append([]byte(nil), b.Encoded...), items})
	return items, err
}
