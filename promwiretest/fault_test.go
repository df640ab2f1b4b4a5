package promwiretest_test

import (
	"errors"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/promwiretest"
	"github.com/promwire/promwire/remote"
)

// TestFaults sends one request of three series into each fault, and looks at both sides.
func TestFaults(t *testing.T) {
	odd := func(ls promwire.Labels) bool { return ls.Get("i") == "1" }
	zero, two := promwire.WriteStats{}, promwire.WriteStats{Samples: 2}
	tests := []struct {
		fault  promwiretest.Fault
		stored int  // samples that the receiver has afterwards
		told   int  // samples that the client reports as written
		status int  // of the client's error; 0 for none
		ok     bool // no error
	}{
		{promwiretest.Fault{}, 3, 3, 0, true},
		{promwiretest.Reset(0), 0, 0, 0, false},
		{promwiretest.Reset(20), 0, 0, 0, false},
		{promwiretest.Hang(time.Millisecond), 0, 0, 0, false},
		{promwiretest.SlowBody(7, time.Millisecond), 3, 3, 0, true},
		{promwiretest.SlowAnswer(10 * time.Microsecond), 3, 3, 0, true},
		{promwiretest.Status(503), 0, 0, 503, false},
		{promwiretest.Status(999), 0, 0, 999, false},
		{promwiretest.TooManyRequests("7"), 0, 0, 429, false},
		{promwiretest.Answer(500, nil, strings.Repeat("x", 1<<20)), 0, 0, 500, false},
		{promwiretest.Lie(204, false, nil), 0, 0, 0, false},
		{promwiretest.Lie(204, true, &zero), 3, 0, 0, false},
		{promwiretest.Lie(200, true, &two), 3, 2, 0, false},
		{promwiretest.LostAnswer(), 3, 0, 0, false},
		{promwiretest.Truncated(10), 3, 0, 0, false},
		{promwiretest.TooLarge(2), 0, 0, 413, false},
		{promwiretest.TooLarge(3), 3, 3, 0, true},
		{promwiretest.RefuseSeries(odd, promwiretest.RefusePart), 2, 2, 400, false},
		{promwiretest.RefuseSeries(odd, promwiretest.RefusePartSilently), 2, 0, 400, false},
		{promwiretest.RefuseSeries(odd, promwiretest.RefuseAll), 0, 0, 400, false},
	}
	for _, tt := range tests {
		t.Run(tt.fault.String(), func(t *testing.T) {
			r, c := start(t)
			r.SetScript(promwiretest.Times(1, tt.fault))
			stats, err := once(c, gauge(3, 1, 1))
			if stats.Samples != tt.told || err == nil != tt.ok {
				t.Errorf("client: %v, %v", stats, err)
			}
			var answer *promwire.HTTPError
			if errors.As(err, &answer); tt.status != 0 && (answer == nil || answer.StatusCode != tt.status) {
				t.Errorf("client got %v, want status %d", err, tt.status)
			}
			if got := r.Stats().Samples; got != tt.stored {
				t.Errorf("%d samples are stored", got)
			}
			requests := r.Requests()
			if len(requests) != 1 || requests[0].Fault != tt.fault.String() || requests[0].Stored.Samples != tt.stored {
				t.Errorf("recorded: %+v", requests)
			}
			if stats, err := once(c, gauge(3, 2, 1)); err != nil || stats.Samples != 3 {
				t.Errorf("afterwards: %v, %v", stats, err)
			}
		})
	}
}

func TestAnswersReachTheClient(t *testing.T) {
	r, c := start(t)
	r.SetScript(promwiretest.Sequence(
		promwiretest.TooManyRequests("7"),
		promwiretest.Answer(418, header("X-Test", "1"), "teapot"),
		promwiretest.Custom("own", func(w http.ResponseWriter, req *http.Request, next http.Handler) {
			w.Header().Set("X-Own", req.Header.Get("Content-Type"))
			next.ServeHTTP(w, req)
		})))
	var answer *promwire.HTTPError
	if _, err := once(c, gauge(1, 1, 1)); !errors.As(err, &answer) || answer.RetryAfter != 7*time.Second {
		t.Errorf("got %v, want Retry-After", err)
	}
	if _, err := once(c, gauge(1, 1, 1)); !errors.As(err, &answer) || answer.Body != "teapot" {
		t.Errorf("got %v, want the text", err)
	}
	if _, err := once(c, gauge(1, 1, 1)); err != nil {
		t.Errorf("own fault: %v", err)
	}
	for i, want := range []int{429, 418, 204} {
		if got := r.Requests()[i].Status; got != want {
			t.Errorf("request %d has status %d, want %d", i, got, want)
		}
	}
}

// TestHangEndsWithTheSender sees a sender give up, and the receiver stop with a request that hangs.
func TestHangEndsWithTheSender(t *testing.T) {
	r := promwiretest.NewReceiver()
	r.SetScript(promwiretest.Always(promwiretest.Hang(0)))
	if _, err := once(client(t, r, remote.WithTimeout(20*time.Millisecond)), gauge(1, 1, 1)); err == nil {
		t.Error("no error from a receiver that hangs")
	}
	failed := make(chan error)
	go func() {
		_, err := once(client(t, r), gauge(1, 2, 1))
		failed <- err
	}()
	if err := r.WaitFor(t.Context(), func() bool { return len(r.Requests()) == 2 }); err != nil {
		t.Fatal(err)
	}
	r.Close()
	if err := <-failed; err == nil {
		t.Error("no error from a receiver that stopped")
	}
}

func TestStopAndStart(t *testing.T) {
	for stopAndStart(t) != nil { // once more, with another port
	}
}

// stopAndStart returns an error if another program has taken the port of the receiver while it was free.
func stopAndStart(t *testing.T) error {
	t.Helper()
	r, c := start(t)
	for round := range 2 {
		if _, err := once(c, gauge(1, int64(2*round), 1)); err != nil {
			t.Fatal(err)
		}
		r.Stop()
		r.Stop() // no harm
		if _, err := once(c, gauge(1, int64(2*round+1), 1)); err == nil || !promwire.Retryable(err) {
			t.Fatalf("stopped: got %v", err)
		}
		if err := r.Start(); errors.Is(err, syscall.EADDRINUSE) {
			return err
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := once(c, gauge(1, 9, 1)); err != nil || len(r.Samples(labels(0))) != 3 {
		t.Fatalf("%v, samples %v", err, r.Samples(labels(0)))
	}
	return nil
}

func TestRandomScript(t *testing.T) {
	script := promwiretest.Random(1, 0.25, promwiretest.Status(500), promwiretest.Status(503))
	counts := map[string]int{}
	for n := range 10_000 {
		name := script(n, nil).String()
		if again := script(n, nil).String(); again != name {
			t.Fatalf("request %d: %q, then %q", n, name, again)
		}
		counts[name]++
	}
	for name, want := range map[string]int{"": 7500, "answer 500": 1250, "answer 503": 1250} {
		if got := counts[name]; got < want*9/10 || got > want*11/10 {
			t.Errorf("%q: %d of 10000, want about %d", name, got, want)
		}
	}
}
