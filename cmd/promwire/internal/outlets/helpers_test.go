package outlets

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/spool"
)

// record keeps what a logger writes.
type record struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (r *record) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(b)
}

func (r *record) logger(level slog.Level) *slog.Logger {
	return slog.New(slog.NewTextHandler(r, &slog.HandlerOptions{Level: level}))
}

func (r *record) lines() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Split(strings.TrimSuffix(r.text.String(), "\n"), "\n")
}

func (r *record) has(text string) bool { return strings.Contains(strings.Join(r.lines(), "\n"), text) }

// sink is a writer that keeps values, after judge, if any, agrees.
type sink struct {
	judge func(attempt int) (promwire.WriteStats, error)

	mu       sync.Mutex
	attempts int
	values   []float64
}

func (s *sink) Write(_ context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.attempts++
	if s.judge != nil {
		if stats, err := s.judge(s.attempts); err != nil {
			return stats, err
		}
	}
	for _, ts := range req.Timeseries {
		for _, p := range ts.Samples {
			s.values = append(s.values, p.Value)
		}
	}
	return req.Stats(), nil
}

func (s *sink) got() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.values)
}

// bodySink takes bodies, too.
type bodySink struct {
	sink
	bodies []promwire.MessageType
}

func (s *bodySink) WriteBody(_ context.Context, b *promwire.Body) (promwire.WriteStats, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.attempts++
	if s.judge != nil {
		if stats, err := s.judge(s.attempts); err != nil {
			return stats, err
		}
	}
	s.bodies = append(s.bodies, b.Type)
	return b.Stats()
}

func openSpool(t *testing.T, dir string) *spool.Spool {
	t.Helper()
	s, err := spool.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// request has so many samples of series of their own.
func request(samples int) *promwire.WriteRequest {
	req := &promwire.WriteRequest{}
	for i := range samples {
		req.Timeseries = append(req.Timeseries, promwire.TimeSeries{
			Labels:  promwire.LabelsFromStrings("__name__", "m", "i", fmt.Sprint(i)),
			Samples: []promwire.Sample{{Timestamp: 1, Value: float64(i)}},
		})
	}
	return req
}

func put(t *testing.T, s *spool.Spool, samples int) {
	t.Helper()
	if _, err := s.Write(t.Context(), request(samples)); err != nil {
		t.Fatal(err)
	}
}

// until waits for a condition.
func until(t *testing.T, what string, condition func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	end := time.After(30 * time.Second)
	for !condition() {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("no %s", what)
		}
	}
}
