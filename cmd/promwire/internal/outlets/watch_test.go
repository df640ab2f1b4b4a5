package outlets

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/promwiretest"
	"github.com/promwire/promwire/remote"
)

func TestLimiter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l Limiter
		for minute := range 3 {
			allowed := 0
			for i := range 2 * perMinute {
				skipped, ok := l.Allow()
				if ok {
					allowed++
				}
				want := 0
				if i == 0 && minute > 0 {
					want = perMinute
				}
				if skipped != want {
					t.Errorf("minute %d, line %d: %d skipped, want %d", minute, i, skipped, want)
				}
				time.Sleep(time.Second)
			}
			if allowed != perMinute {
				t.Errorf("minute %d: %d lines", minute, allowed)
			}
			time.Sleep(time.Minute)
		}
	})
}

// Each trouble is one warning and one end, whatever happens in between.
func TestWatch(t *testing.T) {
	log := &record{}
	w := &Watch{Name: "a", Logger: log.logger(slog.LevelDebug)}
	w.Recovered()
	for range 2 {
		for range 3 {
			w.Retrying(errors.New("away"))
		}
		w.Recovered()
		w.Recovered()
	}
	var got []string
	for _, line := range log.lines() {
		_, rest, _ := strings.Cut(line, "level=")
		level, _, _ := strings.Cut(rest, " ")
		got = append(got, level)
	}
	if want := "[WARN DEBUG DEBUG INFO WARN DEBUG DEBUG INFO]"; fmt.Sprint(got) != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

func TestRefusedIsLimited(t *testing.T) {
	log := &record{}
	w := &Watch{Logger: log.logger(slog.LevelDebug)}
	err := &promwire.HTTPError{StatusCode: 400, Body: strings.Repeat("ä", 500)}
	for range perMinute + 5 {
		w.Refused(promwire.WriteStats{Samples: 2, Histograms: 1}, err)
	}
	lines := log.lines()
	if len(lines) != perMinute || !strings.Contains(lines[0], "samples=3") || !strings.Contains(lines[0], "status=400 answer="+err.Body) {
		t.Errorf("%d lines, the first is %s", len(lines), lines[0])
	}
	if text := brief(err); len(text) > 403 || !utf8.ValidString(text) || !strings.HasSuffix(text, "...") {
		t.Errorf("an error of %d bytes is cut to %q", len(err.Error()), text)
	}
	if text := brief(errors.New("short")); text != "short" {
		t.Errorf("got %q", text)
	}
}

// Warnings and errors are limited together, whatever logger they come from; what is below is not.
func TestLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &record{}
		l := Limited(log.logger(slog.LevelDebug))
		named := l.With("a", 1).WithGroup("g")
		for range perMinute {
			l.Warn("w")
			named.Error("e", "b", 2)
			l.Info("i")
			l.Debug("d")
		}
		count := map[string]int{}
		for _, line := range log.lines() {
			_, rest, _ := strings.Cut(line, " ")
			count[rest]++
		}
		want := map[string]int{"level=WARN msg=w": 5, "level=ERROR msg=e a=1 g.b=2": 5, "level=INFO msg=i": 10, "level=DEBUG msg=d": 10}
		if fmt.Sprint(count) != fmt.Sprint(want) {
			t.Errorf("got %v, want %v", count, want)
		}
		time.Sleep(2 * time.Minute)
		l.Warn("later")
		if !log.has("msg=later not_logged=10") {
			t.Errorf("the log is %q", log.lines())
		}
	})
}

func TestErrors(t *testing.T) {
	log := &record{}
	l := Errors(log.logger(slog.LevelDebug))
	for _, l := range []*slog.Logger{l, l.With("a", 1), l.WithGroup("g")} {
		l.Warn("w")
		l.Error("e")
	}
	if got := log.lines(); len(got) != 3 || log.has("msg=w") {
		t.Errorf("the log is %q", got)
	}
	if l.Enabled(t.Context(), slog.LevelWarn) || !l.Enabled(t.Context(), slog.LevelError) {
		t.Error("it says otherwise before")
	}
}

// A receiver that claims to have written what it has not is asked again; no other error changes, nor do requests.
func TestInsist(t *testing.T) {
	for _, c := range []struct {
		err   error
		again bool
	}{
		{nil, false},
		{remote.ErrNothingWritten, true},
		{fmt.Errorf("remote write: %w", remote.ErrNothingWritten), true},
		{promwire.ErrUnsupported, false},
		{&promwire.HTTPError{StatusCode: 415}, false},
		{&promwire.HTTPError{StatusCode: 503}, true},
	} {
		judge := func(int) (promwire.WriteStats, error) { return promwire.WriteStats{}, c.err }
		plain, body := Insist(&sink{judge: judge}), Insist(&bodySink{sink: sink{judge: judge}})
		_, err := plain.Write(t.Context(), request(1))
		b := &promwire.Body{}
		b.Reset(nil, promwire.EncodingIdentity, promwire.WriteV1, 1)
		_, ofBody := body.(promwire.BodyWriter).WriteBody(t.Context(), b)
		for _, err := range []error{err, ofBody} {
			if promwire.Retryable(err) != c.again || !errors.Is(err, c.err) {
				t.Errorf("%v: got %v, to be tried again: %t", c.err, err, promwire.Retryable(err))
			}
		}
		if _, is := plain.(promwire.BodyWriter); is {
			t.Error("a writer that takes no bodies became one")
		}
	}
}

// TestRefusedOnce demands that an answer is in the line of a refusal once, bisected or not.
func TestRefusedOnce(t *testing.T) {
	for _, style := range []promwiretest.RefusalStyle{promwiretest.RefusePart, promwiretest.RefusePartSilently, promwiretest.RefuseAll} {
		r := promwiretest.NewReceiver()
		defer r.Close()
		r.SetScript(promwiretest.Always(promwiretest.RefuseSeries(func(ls promwire.Labels) bool { return ls.Get("i") == "3" }, style)))
		c, err := remote.NewWriteClient(r.URL)
		if err != nil {
			t.Fatal(err)
		}
		for _, bisect := range []int{0, 40} {
			log := &record{}
			stats, err := remote.NewDelivery(c, remote.DeliveryOptions{MaxBisectRequests: bisect}).Write(t.Context(), request(5))
			(&Watch{Logger: log.logger(slog.LevelInfo)}).Refused(stats, err)
			line := strings.ReplaceAll(log.lines()[0], `\"`, "")
			var answer *promwire.HTTPError
			if !errors.As(err, &answer) {
				t.Fatal(err)
			}
			first, _, _ := strings.Cut(strings.TrimSpace(strings.ReplaceAll(answer.Body, `"`, "")), "\n")
			if n := strings.Count(line, first); n != 1 {
				t.Errorf("style %d, bisect %d: %q is there %d times: %s", style, bisect, first, n, line)
			}
		}
	}
}
