package server_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"
	"testing"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/server"
)

// recorder keeps what handlers report.
type recorder struct {
	mu    sync.Mutex
	begun int
	done  []server.RequestStats
}

func (m *recorder) RequestBegun(server.Operation) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.begun++
}

func (m *recorder) RequestDone(s server.RequestStats) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.done = append(m.done, s)
}

// last returns the report of the last request, of as many as have begun.
func (m *recorder) last(t *testing.T) server.RequestStats {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.begun != len(m.done) || m.begun == 0 {
		t.Fatalf("%d requests have begun, %d are done", m.begun, len(m.done))
	}
	s := m.done[len(m.done)-1]
	if s.Duration <= 0 {
		t.Errorf("duration %v", s.Duration)
	}
	if s.Cause != "" && !slices.Contains(server.Causes(), s.Cause) {
		t.Errorf("cause %q is none of %q", s.Cause, server.Causes())
	}
	return s
}

func TestWriteMetrics(t *testing.T) {
	var m recorder
	store := newStore()
	h := server.NewWriteHandler(store, server.WithMetrics(&m), server.WithTenant(server.TenantFromHeader("T")))
	req := many(10)
	req.Timeseries[3].Labels = promwire.Labels{{Name: "no", Value: "name"}}
	msg := encode(t, promwire.WriteV2, req)
	r := request(promwire.WriteV2, msg)
	r.Header.Set("T", "team")
	size := int(r.ContentLength)
	expect(t, do(h, r), 400, "9/0/0")
	s := m.last(t)
	var partial *promwire.PartialWriteError
	if s.Operation != server.OperationWrite || s.Message != promwire.WriteV2 || s.Tenant != "team" || s.Status != 400 || s.Cause != "partial" ||
		s.BodyBytes != size || s.DecodedBytes != len(msg) || s.Written.Samples != 9 || s.Series != 10 || !errors.As(s.Err, &partial) || len(partial.Refused) != 1 {
		t.Errorf("%+v", s)
	}
	expect(t, write(t, h, promwire.WriteV1, many(4)), 204, "")
	if s := m.last(t); s.Status != 204 || s.Cause != "" || s.Err != nil || s.Written.Samples != 4 || s.Series != 4 || s.Message != promwire.WriteV1 {
		t.Errorf("%+v", s)
	}
	bad := request(promwire.WriteV1, nil)
	bad.Method = http.MethodGet
	do(h, bad)
	if s := m.last(t); s.Status != 405 || s.Cause != "method" || s.BodyBytes != 0 || s.Series != 0 || s.DecodedBytes != 0 {
		t.Errorf("%+v", s)
	}
}

func TestReadMetrics(t *testing.T) {
	var m recorder
	store := newStore()
	write(t, server.NewWriteHandler(store), promwire.WriteV2, many(5))
	h := server.NewReadHandler(store, server.WithMetrics(&m))
	for _, types := range [][]promwire.ResponseType{nil, {promwire.ResponseStreamedXORChunks}} {
		w := do(h, readRequest(types, all))
		if w.Code != 200 {
			t.Fatalf("%d: %s", w.Code, w.Body)
		}
		s := m.last(t)
		if s.Operation != server.OperationRead || s.Queries != 1 || s.Series != 5 || s.AnswerBytes != w.Body.Len() || s.BodyBytes == 0 || s.DecodedBytes == 0 || s.Status != 200 {
			t.Errorf("%+v", s)
		}
		if types == nil && s.Samples != 5 || types != nil && s.Chunks != 5 {
			t.Errorf("%+v", s)
		}
	}
	store.fail = errors.New("disk")
	if w := do(h, readRequest(nil, all)); w.Code != 500 {
		t.Fatalf("%d: %s", w.Code, w.Body)
	}
	if s := m.last(t); s.Status != 500 || s.Cause != "storage" {
		t.Errorf("%+v", s)
	}
}

func TestMetricsOfPanic(t *testing.T) {
	var m recorder
	h := server.NewWriteHandler(writerFunc(func(context.Context, *promwire.WriteRequest) (promwire.WriteStats, error) {
		panic("storage bug")
	}), server.WithMetrics(&m))
	func() {
		defer func() { _ = recover() }()
		write(t, h, promwire.WriteV2, many(1))
	}()
	if s := m.last(t); s.Status != 500 || s.Cause != "panic" {
		t.Errorf("%+v", s)
	}
}

type spanKey struct{}

func TestTrace(t *testing.T) {
	var events []string
	trace := func(ctx context.Context, op server.Operation, r *http.Request) (context.Context, func(server.RequestStats)) {
		events = append(events, "begin "+string(op)+" "+r.Header.Get("Traceparent"))
		return context.WithValue(ctx, spanKey{}, "span"), func(s server.RequestStats) { events = append(events, "end "+http.StatusText(s.Status)) }
	}
	h := server.NewWriteHandler(writerFunc(func(ctx context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
		events = append(events, "write in "+ctx.Value(spanKey{}).(string))
		return req.Stats(), nil
	}), server.WithTrace(trace))
	r := request(promwire.WriteV2, encode(t, promwire.WriteV2, many(1)))
	r.Header.Set("Traceparent", "00-1-2-01")
	do(h, r)
	if want := []string{"begin write 00-1-2-01", "write in span", "end No Content"}; !slices.Equal(events, want) {
		t.Errorf("%q, want %q", events, want)
	}
	none := func(ctx context.Context, _ server.Operation, _ *http.Request) (context.Context, func(server.RequestStats)) {
		return ctx, nil
	}
	expect(t, write(t, server.NewWriteHandler(discard, server.WithTrace(none)), promwire.WriteV2, many(1)), 204, "1/0/0")
}
