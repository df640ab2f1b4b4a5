package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/server"
)

type store struct {
	down    atomic.Bool
	samples atomic.Int64
	ready   context.CancelFunc
}

func (s *store) Write(_ context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	if s.down.Load() {
		s.ready()
		return promwire.WriteStats{}, &promwire.HTTPError{StatusCode: http.StatusServiceUnavailable}
	}
	s.samples.Add(int64(req.Stats().Samples))
	return req.Stats(), nil
}

func TestRun(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := &store{ready: cancel} // the first run ends when it was refused
	s.down.Store(true)
	srv := httptest.NewServer(server.NewWriteHandler(s))
	defer srv.Close()
	dir, now := t.TempDir(), time.Now()
	if err := run(ctx, dir, srv.URL, now.Add(-time.Minute)); err != nil {
		t.Fatal(err)
	}
	if n := s.samples.Load(); n != 0 {
		t.Errorf("%d samples while it is down", n)
	}
	s.down.Store(false)
	if err := run(t.Context(), dir, srv.URL, now); err != nil {
		t.Fatal(err)
	}
	if n := s.samples.Load(); n != 2 {
		t.Errorf("%d samples, want those of both runs", n)
	}
}
