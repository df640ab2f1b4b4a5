package spool_test

import (
	"context"
	"testing"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/spool"
)

// numbers is a target that keeps the values it gets, and says when it has enough.
type numbers struct {
	got  []float64
	want int
	full context.CancelFunc
}

func (n *numbers) Write(_ context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	for _, ts := range req.Timeseries {
		n.got = append(n.got, ts.Samples[0].Value)
	}
	if len(n.got) == n.want {
		n.full()
	}
	return req.Stats(), nil
}

// A reader that had everything when the spool was closed gets what is appended to the same segment by the next run, from
// the first record on.
func TestReaderThatHadEverythingResumes(t *testing.T) {
	dir := t.TempDir()
	write := func(s *spool.Spool, value float64) {
		t.Helper()
		_, err := s.Write(t.Context(), &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{{
			Labels: promwire.LabelsFromStrings("__name__", "a"), Samples: []promwire.Sample{{Timestamp: int64(value), Value: value}},
		}}})
		if err != nil {
			t.Fatal(err)
		}
	}
	for run := range 3 {
		s, err := spool.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Reader("slow"); err != nil { // keeps the segment
			t.Fatal(err)
		}
		r, err := s.Reader("fast")
		if err != nil {
			t.Fatal(err)
		}
		write(s, float64(10*run+1))
		write(s, float64(10*run+2))
		ctx, cancel := context.WithCancel(t.Context())
		target := &numbers{want: 2, full: cancel}
		if _, err := r.Drain(ctx, target, spool.DeliverOptions{}); err != nil && ctx.Err() == nil {
			t.Fatal(err)
		}
		cancel()
		if len(target.got) != 2 || target.got[0] != float64(10*run+1) || r.Stats().Lost != 0 || r.Stats().Pending.Records != 0 {
			t.Errorf("run %d: got %v, %+v", run, target.got, r.Stats())
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
