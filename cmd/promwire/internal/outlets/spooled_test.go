package outlets

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/spool"
)

// Names of readers are part of what lies on disk: the same place must get the same one in every version.
func TestReaderName(t *testing.T) {
	for place, want := range map[string]string{
		"http://127.0.0.1:9201/api/v1/write": "w_http___127.0.0.1_9201_api_v1_write_2eef23bf",
		"a/b":                                "w_a_b_",
		"a_b":                                "w_a_b_",
		"ä\x00\n":                            "w____",
		"":                                   "w__811c9dc5",
		strings.Repeat("x", 200):             "w_" + strings.Repeat("x", 48) + "_",
	} {
		if got := readerName(place); !strings.HasPrefix(got, want) || got != readerName(place) {
			t.Errorf("%q: got %s, want %s", place, got, want)
		}
	}
	taken := map[string]string{}
	valid := regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$`)
	for _, place := range []string{"a/b", "a_b", "a:b", "A_b", "", "_", strings.Repeat("x", 200), strings.Repeat("x", 201)} {
		name := readerName(place)
		if other, twice := taken[name]; twice || !valid.MatchString(name) {
			t.Errorf("%q: name %s, as of %q", place, name, other)
		}
		taken[name] = place
	}
}

// Two places get all, each in its own way: one as it came, one decoded; and figures say so.
func TestDeliveries(t *testing.T) {
	s := openSpool(t, t.TempDir())
	plain, body := &sink{}, &bodySink{}
	out, err := NewSpooled(s, []Place{{Name: "plain", Writer: plain}, {Name: "body", Writer: body}}, false, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	put(t, s, 3)
	put(t, s, 2)
	until(t, "deliveries", func() bool { return out.pending() == 0 })
	if want := []float64{0, 1, 2, 0, 1}; !slices.Equal(plain.values, want) {
		t.Errorf("got %v, want %v", plain.values, want)
	}
	if want := []promwire.MessageType{promwire.WriteV2, promwire.WriteV2}; !slices.Equal(body.bodies, want) {
		t.Errorf("bodies %v, want %v", body.bodies, want)
	}
	for i, f := range out.Figures() {
		if want := (Figures{Name: []string{"plain", "body"}[i], Sent: 5}); !reflect.DeepEqual(f, want) {
			t.Errorf("figures %+v, want %+v", f, want)
		}
	}
	if err := out.End(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := s.Write(t.Context(), request(1)); !errors.Is(err, spool.ErrClosed) {
		t.Errorf("the spool is not closed: %v", err)
	}
}

// What an attempt ends in is counted and logged: once, however often it fails before.
func TestFate(t *testing.T) {
	log := &record{}
	s := openSpool(t, t.TempDir())
	w := &sink{judge: func(attempt int) (promwire.WriteStats, error) {
		switch {
		case attempt < 4:
			return promwire.WriteStats{}, errors.New("no network")
		case attempt == 4:
			written := promwire.WriteStats{Samples: 1}
			answer := &promwire.HTTPError{StatusCode: http.StatusBadRequest, Body: "two are bad"}
			return written, &promwire.PartialWriteError{Written: written, Err: answer}
		}
		return promwire.WriteStats{}, nil
	}}
	place := Place{Name: "a", Writer: w, Options: spool.DeliverOptions{MinBackoff: time.Millisecond}}
	out, err := NewSpooled(s, []Place{place}, false, log.logger(slog.LevelInfo))
	if err != nil {
		t.Fatal(err)
	}
	put(t, s, 3)
	put(t, s, 2)
	until(t, "deliveries", func() bool { return out.pending() == 0 })
	if got, want := out.Figures()[0], (Figures{Name: "a", Sent: 3, Refused: 2, Retries: 3}); !reflect.DeepEqual(got, want) {
		t.Errorf("figures %+v, want %+v", got, want)
	}
	lines := log.lines()
	for i, want := range []string{
		`level=WARN msg="writing fails, and is tried again" write=a error="no network"`, `level=INFO msg="writing works again" write=a`,
		`level=ERROR msg="request is refused, what it names is dropped" write=a samples=3`,
	} {
		if len(lines) != 3 || !strings.Contains(lines[i], want) {
			t.Fatalf("the log is %q, want %q in line %d", lines, want, i+1)
		}
	}
	if !strings.Contains(lines[2], `status=400 answer="two are bad"`) {
		t.Errorf("no answer in %s", lines[2])
	}
}

func TestPlaceTwice(t *testing.T) {
	s := openSpool(t, t.TempDir())
	_, err := NewSpooled(s, []Place{{Name: "a", Writer: &sink{}}, {Name: "a", Writer: &sink{}}}, false, slog.New(slog.DiscardHandler))
	if err == nil || !strings.Contains(err.Error(), "a is there twice") {
		t.Errorf("got %v", err)
	}
	if _, err := s.Write(t.Context(), request(1)); !errors.Is(err, spool.ErrClosed) {
		t.Errorf("the spool is not closed: %v", err)
	}
}

// A place that is no more: what waits for it is an error, or is dropped if somebody says so; if nothing waits, it goes.
func TestLeftOver(t *testing.T) {
	dir := t.TempDir()
	closed := &sink{judge: func(int) (promwire.WriteStats, error) { return promwire.WriteStats{}, errors.New("away") }}
	run := func(writer promwire.Writer, dropLeftOver bool, names ...string) (*Spooled, *record, error) {
		log := &record{}
		var all []Place
		for _, n := range names {
			all = append(all, Place{Name: n, Writer: writer})
		}
		out, err := NewSpooled(openSpool(t, dir), all, dropLeftOver, log.logger(slog.LevelInfo))
		return out, log, err
	}
	out, _, err := run(closed, false, "old", "new")
	if err != nil {
		t.Fatal(err)
	}
	put(t, out.spool, 4)
	ended, end := context.WithCancel(t.Context())
	end()
	if err := out.End(ended); err != nil {
		t.Fatal(err)
	}
	if _, _, err := run(closed, false, "new"); !errors.Is(err, ErrLeftOver) || !strings.Contains(err.Error(), readerName("old")+", 4 samples") {
		t.Errorf("got %v", err)
	}
	taken := &sink{}
	out, log, err := run(taken, true, "new")
	if err != nil {
		t.Fatal(err)
	}
	if !log.has("is given up") || !log.has("samples=4") {
		t.Errorf("the log is %q", log.lines())
	}
	if err := out.End(t.Context()); err != nil || taken.got() != 4 {
		t.Errorf("%d samples for the place that stays, %v", taken.got(), err)
	}
	if out, _, err = run(taken, false, "newest"); err != nil {
		t.Fatalf("nothing waits for the other place, and yet: %v", err)
	}
	if n := len(out.spool.Stats().Readers); n != 1 {
		t.Errorf("%d readers", n)
	}
}

// At its end a delivery gets the time that its context gives, and no more; what is left is in the log and on disk.
func TestEnd(t *testing.T) {
	dir, log := t.TempDir(), &record{}
	release := make(chan struct{})
	slow := &sink{judge: func(int) (promwire.WriteStats, error) {
		<-release
		return promwire.WriteStats{}, errors.New("away")
	}}
	out, err := NewSpooled(openSpool(t, dir), []Place{{Name: "a", Writer: slow}}, false, log.logger(slog.LevelInfo))
	if err != nil {
		t.Fatal(err)
	}
	put(t, out.spool, 7)
	if f := out.Figures()[0]; f.Pending != 7 || f.Oldest <= 0 {
		t.Errorf("figures %+v", f)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- out.End(ctx) }()
	cancel()
	close(release)
	if err := <-ended; err != nil || !log.has(`msg="the rest stays in the spool" write=a samples=7`) {
		t.Errorf("%v, the log is %q", err, log.lines())
	}
	good := &sink{}
	if out, err = NewSpooled(openSpool(t, dir), []Place{{Name: "a", Writer: good}}, false, log.logger(slog.LevelInfo)); err != nil {
		t.Fatal(err)
	}
	if err := out.End(t.Context()); err != nil || good.got() != 7 {
		t.Errorf("%d samples in the next run, %v", good.got(), err)
	}
}

func TestWriteText(t *testing.T) {
	var b strings.Builder
	WriteText(&b, "p_", []Figures{
		{Name: "a", Sent: 1, Refused: 2, Dropped: 3, NotTaken: 4, Pending: 5, Retries: 6, Oldest: 1500 * time.Millisecond},
		{Name: "b\\\"\n\x7f"},
	})
	for _, want := range []string{
		"# TYPE p_sent_samples_total counter\n", `p_sent_samples_total{write="a"} 1`, `p_refused_samples_total{write="a"} 2`,
		`p_dropped_samples_total{write="a"} 7`, `p_pending_samples{write="a"} 5`, `p_oldest_pending_seconds{write="a"} 1.5`,
		`p_retries_total{write="a"} 6`, "p_retries_total{write=\"b\\\\\\\"\\n\x7f\"} 0\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in:\n%s", want, b.String())
		}
	}
	if n := strings.Count(b.String(), "# TYPE"); n != 6 {
		t.Errorf("%d families", n)
	}
	b.Reset()
	WriteMetric(&b, "m", "gauge", "Help.", 5)
	if want := "# HELP m Help.\n# TYPE m gauge\nm 5\n"; b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
}
