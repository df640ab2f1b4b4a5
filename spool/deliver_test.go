package spool_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/spool"
)

func TestJoin(t *testing.T) {
	s := open(t, t.TempDir())
	r := reader(t, s, "a")
	for n := range 20 {
		ctx, m := t.Context(), promwire.WriteV1
		if n >= 10 && n < 15 {
			ctx = promwire.ContextWithTenant(ctx, "b")
		}
		if n >= 17 {
			m = promwire.WriteV2
		}
		if _, err := s.WriteBody(ctx, encoded(t, request(n), m)); err != nil {
			t.Fatal(err)
		}
	}
	w := &bodyTarget{}
	if c, err := r.Drain(t.Context(), w, spool.DeliverOptions{JoinSamples: 4}); err != nil || c.Records != 20 {
		t.Fatalf("%+v, %v", c, err)
	}
	checkValues(t, w.values, 0, 20)
	// 4+4+2, 4+1 of the other tenant, 2, and three of 2.0.
	if want := []string{"", "", "", "b", "b", "", "", "", ""}; !slices.Equal(w.tenants, want) {
		t.Errorf("tenants of the requests: %q", w.tenants)
	}
}

// TestJoinRefused lets the target refuse whatever holds one value: the others arrive, the bad one is named.
func TestJoinRefused(t *testing.T) {
	for _, status := range []int{http.StatusBadRequest, http.StatusRequestEntityTooLarge} {
		s := open(t, t.TempDir())
		r := reader(t, s, "a")
		for n := range 10 {
			if _, err := s.WriteBody(t.Context(), encoded(t, request(n), promwire.WriteV1)); err != nil {
				t.Fatal(err)
			}
		}
		w := &bodyTarget{target{fail: func(_ int, values []int) error {
			if slices.Contains(values, 4) {
				return &promwire.HTTPError{StatusCode: status}
			}
			return nil
		}}}
		letters := &target{}
		var named []int
		c, err := r.Drain(t.Context(), w, spool.DeliverOptions{DeadLetters: letters, OnRefused: func(r spool.Refused) {
			named = append(named, int(r.Request.Timeseries[0].Samples[0].Value))
		}})
		if err != nil || c.Records != 9 || !slices.Equal(named, []int{4}) || !slices.Equal(letters.values, []int{4}) {
			t.Errorf("%+v, %v, refused %v, dead letters %v", c, err, named, letters.values)
		}
		if !slices.Equal(w.values, []int{0, 1, 2, 3, 5, 6, 7, 8, 9}) {
			t.Errorf("%v", w.values)
		}
		if st := r.Stats(); st.Refused.Records != 1 || st.Pending.Records != 0 {
			t.Errorf("%+v", st)
		}
	}
}

func TestPartialWrite(t *testing.T) {
	s := open(t, t.TempDir())
	r := reader(t, s, "a")
	if _, err := s.Write(t.Context(), request(1, 2, 3)); err != nil {
		t.Fatal(err)
	}
	write(t, s, 4, 5)
	w := &target{fail: func(_ int, values []int) error {
		if len(values) == 3 {
			return &promwire.PartialWriteError{
				Written: promwire.WriteStats{Samples: 2}, Refused: []promwire.Refusal{{Series: 1, Reason: promwire.ErrTooOld}},
			}
		}
		return nil
	}}
	letters := &target{fail: func(int, []int) error { return errRefused }}
	var got []int
	letters.fail = func(_ int, values []int) error { got = append(got, values...); return errRefused }
	if _, err := r.Drain(t.Context(), w, spool.DeliverOptions{DeadLetters: letters}); err != nil {
		t.Fatal(err)
	}
	st := r.Stats()
	if !slices.Equal(got, []int{2}) || !slices.Equal(w.values, []int{4}) || st.DeadLettersFailed != 1 || st.Refused.Records != 1 {
		t.Errorf("dead letters %v, delivered %v, %+v", got, w.values, st)
	}
}

// TestInvalidSeries checks that a body with an invalid series gives a target without bodies the others.
func TestInvalidSeries(t *testing.T) {
	s := open(t, t.TempDir())
	r := reader(t, s, "a")
	req := request(1, 2, 3)
	req.Timeseries[1].Labels = promwire.LabelsFromStrings("no", "name")
	if _, err := s.WriteBody(t.Context(), encoded(t, req, promwire.WriteV2)); err != nil {
		t.Fatal(err)
	}
	w := &target{}
	var refused error
	_, err := r.Drain(t.Context(), w, spool.DeliverOptions{OnRefused: func(r spool.Refused) { refused = r.Err }})
	if err != nil || !slices.Equal(w.values, []int{1, 3}) || !errors.Is(refused, promwire.ErrNoMetricName) {
		t.Errorf("%v, %v, %v", w.values, refused, err)
	}
}

// TestRetry checks pauses, the mark of replays, and the end of ctx.
func TestRetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, t.TempDir())
		r := reader(t, s, "a")
		write(t, s, 0, 2)
		w := &target{fail: func(attempt int, _ []int) error {
			switch attempt {
			case 1:
				return &promwire.HTTPError{StatusCode: http.StatusTooManyRequests, RetryAfter: time.Minute}
			case 2, 3:
				return promwire.ErrUnavailable
			}
			return nil
		}}
		start := time.Now()
		drain(t, r, w)
		took := time.Since(start)
		if low, high := time.Minute+(54+108)*time.Millisecond, time.Minute+180*time.Millisecond; took < low || took > high {
			t.Errorf("took %s, want %s to %s", took, low, high)
		}
		checkValues(t, w.values, 0, 2)
		if want := []bool{false, true, true, true, false}; !slices.Equal(w.replays, want) {
			t.Errorf("replays %v", w.replays)
		}
		if st := r.Stats(); st.Retries != 3 || st.Requests != 5 || st.LastError != "" {
			t.Errorf("%+v", st)
		}
		write(t, s, 2, 3)
		w.fail = func(int, []int) error { return promwire.ErrUnavailable }
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := r.Drain(ctx, w, spool.DeliverOptions{}); !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, promwire.ErrUnavailable) {
			t.Errorf("got %v", err)
		}
		ctx, cancel = context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := r.Deliver(ctx, w, spool.DeliverOptions{}); err != nil {
			t.Errorf("got %v", err)
		}
		w.fail, w.replays = nil, nil
		write(t, s, 3, 4)
		drain(t, r, w)
		checkValues(t, w.values, 0, 4)
		if want := []bool{true, false}; !slices.Equal(w.replays, want) {
			t.Errorf("what was interrupted is a replay, and nothing else: %v", w.replays)
		}
	})
}

// TestGather checks that what comes soon after something has arrived goes out with it, and at once when it has to.
func TestGather(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, t.TempDir(), spool.WithMessageType(promwire.WriteV1))
		r := reader(t, s, "a")
		w := &bodyTarget{}
		ctx, cancel := context.WithCancel(t.Context())
		ended, hurry := make(chan error, 1), make(chan struct{})
		write(t, s, 0, 1)
		go func() { ended <- r.Deliver(ctx, w, spool.DeliverOptions{Gather: time.Second, Hurry: hurry}) }()
		after := func(pause time.Duration, want int, why string) {
			t.Helper()
			time.Sleep(pause)
			synctest.Wait()
			if w.requests != want {
				t.Errorf("%d requests, want %d: %s", w.requests, want, why)
			}
		}
		after(0, 1, "what is there at the beginning does not wait")
		time.Sleep(2 * time.Second)
		write(t, s, 1, 2)
		after(800*time.Millisecond, 1, "it waits")
		write(t, s, 2, 4)
		after(200*time.Millisecond, 2, "all of it is one request")
		checkValues(t, w.values, 0, 4)
		write(t, s, 4, 5)
		after(900*time.Millisecond, 2, "it waits again")
		close(hurry)
		after(0, 3, "nothing waits any more")
		write(t, s, 5, 6)
		after(0, 4, "nor does what comes now")
		checkValues(t, w.values, 0, 6)
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		ctx, cancel = context.WithCancel(t.Context())
		go func() { ended <- r.Deliver(ctx, w, spool.DeliverOptions{Gather: time.Second}) }()
		synctest.Wait()
		write(t, s, 6, 7)
		after(0, 4, "it waits")
		cancel() // nobody waits longer than for ctx
		if err := <-ended; err != nil {
			t.Error(err)
		}
		before := time.Now()
		drain(t, r, w)
		checkValues(t, w.values, 0, 7)
		if time.Since(before) > 0 {
			t.Error("a drain waits")
		}
	})
}

// TestGatherEnough checks that what is a full request waits no longer.
func TestGatherEnough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, t.TempDir())
		r := reader(t, s, "a")
		w := &bodyTarget{}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- r.Deliver(ctx, w, spool.DeliverOptions{Gather: time.Minute, MergeSamples: 3}) }()
		synctest.Wait()
		write(t, s, 0, 2)
		time.Sleep(30 * time.Second)
		if w.requests != 0 {
			t.Errorf("%d requests of less than what may wait", w.requests)
		}
		write(t, s, 2, 4)
		time.Sleep(200 * time.Millisecond)
		synctest.Wait()
		if checkValues(t, w.values, 0, 4); w.requests != 2 {
			t.Errorf("%d requests", w.requests)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func TestMaxAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, t.TempDir(), spool.WithMaxAge(time.Hour))
		r := reader(t, s, "a")
		for n := range 24 {
			write(t, s, n, n+1)
			time.Sleep(10 * time.Minute)
		}
		w := &target{}
		drain(t, r, w)
		checkValues(t, w.values, 24-len(w.values), 24)
		dropped := uint64(24 - len(w.values))
		if st := s.Stats(); len(w.values) < 5 || len(w.values) > 8 || st.DroppedAge.Records != dropped || st.DroppedAge.Samples != dropped {
			t.Errorf("%d left, %+v", len(w.values), st)
		}
		write(t, s, 24, 25)
		time.Sleep(3 * time.Hour)
		write(t, s, 25, 26)
		w.values = nil
		drain(t, r, w)
		checkValues(t, w.values, 25, 26)
	})
}

func TestSyncInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, t.TempDir(), spool.WithSyncInterval(time.Minute))
		write(t, s, 0, 1) // forces at once: the last time is long ago
		write(t, s, 1, 10)
		if n := s.Stats().Fsyncs; n != 1 {
			t.Errorf("%d fsyncs", n)
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if n := s.Stats().Fsyncs; n != 2 {
			t.Errorf("%d fsyncs after the interval", n)
		}
		closeSpool(t, s)
	})
	s := open(t, t.TempDir(), spool.WithSync(spool.SyncNone))
	write(t, s, 0, 10)
	if n := s.Stats().Fsyncs; n != 0 {
		t.Errorf("%d fsyncs without syncing", n)
	}
}
