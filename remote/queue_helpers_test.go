package remote

import (
	"context"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/promwire/promwire"
)

// sentBatch is a request as the writer behind a queue got it.
type sentBatch struct {
	at     time.Duration // since the sink was made
	tenant string
	req    *promwire.WriteRequest
}

// sink is a Writer that keeps what it takes. judge, if any, comes first: it gets the number of the call, from 0, and may
// take time.
type sink struct {
	judge func(ctx context.Context, n int, req *promwire.WriteRequest) error

	mu    sync.Mutex
	begun time.Time
	calls int
	took  []sentBatch
}

func newSink(judge func(ctx context.Context, n int, req *promwire.WriteRequest) error) *sink {
	return &sink{judge: judge, begun: time.Now()}
}

func (s *sink) Write(ctx context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	s.mu.Lock()
	n := s.calls
	s.calls++
	s.mu.Unlock()
	if s.judge != nil {
		if err := s.judge(ctx, n, req); err != nil {
			return promwire.WriteStats{}, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.took = append(s.took, sentBatch{time.Since(s.begun), promwire.TenantFromContext(ctx), req.Clone()})
	return req.Stats(), nil
}

// all returns what was taken so far.
func (s *sink) all() []sentBatch {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]sentBatch(nil), s.took...)
}

// sizes returns the samples of each batch.
func (s *sink) sizes() []int {
	var out []int
	for _, b := range s.all() {
		out = append(out, b.req.Stats().Samples)
	}
	return out
}

func newQueue(t testing.TB, w promwire.Writer, options QueueOptions) *Queue {
	t.Helper()
	q, err := NewQueue(w, options)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// closeQueue ends a queue that has a minute for it.
func closeQueue(t testing.TB, q *Queue) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if left, err := q.Shutdown(ctx); err != nil {
		t.Errorf("%d batches left: %v", len(left), err)
	}
}

func mustWrite(t testing.TB, w promwire.Writer, req *promwire.WriteRequest) {
	t.Helper()
	if _, err := w.Write(context.Background(), req); err != nil {
		t.Fatal(err)
	}
}

// points makes a request of series first, first+1, ... with one sample each.
func points(first, n int, timestamp int64) *promwire.WriteRequest {
	req := &promwire.WriteRequest{}
	for i := first; i < first+n; i++ {
		req.Timeseries = append(req.Timeseries, promwire.TimeSeries{
			Labels:  seriesLabels(i),
			Samples: []promwire.Sample{{Timestamp: timestamp, Value: float64(timestamp)}},
		})
	}
	return req
}

func seriesLabels(i int) promwire.Labels {
	return promwire.LabelsFromStrings("__name__", "queue_test_total", "i", strconv.Itoa(i), "instance", "host:9100", "job", "test")
}
