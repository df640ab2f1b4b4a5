package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/promwire/promwire"
)

// canned is what a scripted transport answers: a status with headers, or an error.
type canned struct {
	status  int
	headers []string
	err     error
}

func status(code int, headers ...string) canned { return canned{status: code, headers: headers} }

var (
	errGone = errors.New("gone")
	gone    = canned{err: errGone}
)

type answers = []canned

// scripted is a transport that answers from a list, and keeps when it was asked and what for.
type scripted struct {
	answers answers // the last one is repeated
	begun   time.Time
	at      []time.Duration
	header  []http.Header
	bodies  []string
}

func (s *scripted) RoundTrip(req *http.Request) (*http.Response, error) {
	defer req.Body.Close()
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	answer := s.answers[min(len(s.at), len(s.answers)-1)]
	s.at = append(s.at, time.Since(s.begun))
	s.header = append(s.header, req.Header)
	s.bodies = append(s.bodies, string(body))
	if answer.err != nil {
		return nil, answer.err
	}
	h := http.Header{}
	for i := 0; i+1 < len(answer.headers); i += 2 {
		h.Set(answer.headers[i], answer.headers[i+1])
	}
	return &http.Response{StatusCode: answer.status, Header: h, Body: http.NoBody}, nil
}

// near reports whether got is want, give or take the jitter of every pause in it.
func near(got, want time.Duration) bool {
	return got >= want-want/20 && got <= want+want/20
}

func TestRetryTiming(t *testing.T) {
	const ms = time.Millisecond
	date := time.Date(2000, 1, 1, 0, 0, 7, 0, time.UTC).Format(http.TimeFormat) // a bubble begins with the year 2000
	endless := RetryOptions{MaxAttempts: -1, MaxElapsed: -1}
	tests := []struct {
		name    string
		options RetryOptions
		limit   time.Duration // of the context, 0 for none
		answers answers
		at      []time.Duration // about when requests came
		status  int             // of the error, 0 for success, -1 for another one
	}{
		{"success is final", RetryOptions{}, 0, answers{status(204)}, []time.Duration{0}, 0},
		{"5xx", RetryOptions{}, 0, answers{status(503), status(503), status(503), status(204)}, []time.Duration{0, 30 * ms, 90 * ms, 210 * ms}, 0},
		{"four attempts", RetryOptions{}, 0, answers{status(500)}, []time.Duration{0, 30 * ms, 90 * ms, 210 * ms}, 500},
		{"network", RetryOptions{}, 0, answers{gone, status(204)}, []time.Duration{0, 30 * ms}, 0},
		{"408", RetryOptions{}, 0, answers{status(408, "Retry-After", "9"), status(204)}, []time.Duration{0, 30 * ms}, 0},
		{"429", RetryOptions{}, 0, answers{status(429), status(204)}, []time.Duration{0, 30 * ms}, 0},
		{"429, returned", RetryOptions{ReturnRateLimit: true}, 0, answers{status(429)}, []time.Duration{0}, 429},
		{"529", RetryOptions{}, 0, answers{status(529), status(204)}, []time.Duration{0, 30 * ms}, 0},
		{"501", RetryOptions{}, 0, answers{status(501)}, []time.Duration{0}, 501},
		{"400", RetryOptions{}, 0, answers{status(400)}, []time.Duration{0}, 400},
		{"401", RetryOptions{}, 0, answers{status(401)}, []time.Duration{0}, 401},
		{"409", RetryOptions{}, 0, answers{status(409)}, []time.Duration{0}, 409},
		{"999", RetryOptions{}, 0, answers{status(999)}, []time.Duration{0}, 999},
		{"redirect", RetryOptions{}, 0, answers{status(302, "Location", "/x")}, []time.Duration{0}, 302},
		{
			"seconds",
			RetryOptions{},
			0,
			answers{status(429, "Retry-After", "2"), status(503, "Retry-After", "3"), status(204)},
			[]time.Duration{0, 2000 * ms, 5000 * ms},
			0,
		},
		{"date", RetryOptions{}, 0, answers{status(503, "Retry-After", date), status(204)}, []time.Duration{0, 7000 * ms}, 0},
		{"unreadable", RetryOptions{}, 0, answers{status(503, "Retry-After", "soon"), status(204)}, []time.Duration{0, 30 * ms}, 0},
		{"past", RetryOptions{}, 0, answers{status(503, "Retry-After", "-5"), status(204)}, []time.Duration{0, 30 * ms}, 0},
		{
			"cut",
			RetryOptions{MaxRetryAfter: time.Second},
			0,
			answers{status(503, "Retry-After", "99999999"), status(204)},
			[]time.Duration{0, 1000 * ms},
			0,
		},
		{"longer than patience", RetryOptions{}, 0, answers{status(429, "Retry-After", "31")}, []time.Duration{0}, 429},
		{"longer than the deadline", endless, time.Second, answers{status(429, "Retry-After", "2")}, []time.Duration{0}, 429},
		{
			"within the deadline", endless, 3 * time.Second,
			answers{status(429, "Retry-After", "2")},
			[]time.Duration{0, 2000 * ms},
			429,
		},
		{
			"doubles up to its bound",
			RetryOptions{MinBackoff: time.Second, MaxAttempts: 6, MaxElapsed: time.Minute},
			0,
			answers{gone},
			[]time.Duration{0, 1000 * ms, 3000 * ms, 7000 * ms, 12_000 * ms, 17_000 * ms},
			-1,
		},
		{
			"elapsed",
			RetryOptions{MinBackoff: time.Second, MaxBackoff: time.Second, MaxAttempts: -1, MaxElapsed: 2500 * ms},
			0,
			answers{gone},
			[]time.Duration{0, 1000 * ms, 2000 * ms},
			-1,
		},
		{"none", RetryOptions{MaxAttempts: 1}, 0, answers{gone}, []time.Duration{0}, -1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx := t.Context()
				if tt.limit > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, tt.limit)
					defer cancel()
				}
				s := &scripted{answers: tt.answers, begun: time.Now()}
				var hooked []Retry
				tt.options.OnRetry = func(r Retry) { hooked = append(hooked, r) }
				c := newWriteClient(t, "http://host/write", WithMessageType(v1), WithRetry(tt.options),
					WithHTTPClient(&http.Client{Transport: s}))
				_, err := c.Write(ctx, request("m", 1))
				if len(s.at) != len(tt.at) || len(hooked) != len(tt.at)-1 {
					t.Fatalf("requests at %v with %v, want %v", s.at, hooked, tt.at)
				}
				for i := range tt.at {
					if !near(s.at[i], tt.at[i]) {
						t.Errorf("requests at %v, want about %v", s.at, tt.at)
					}
					if got, want := s.header[i].Get("Retry-Attempt"), fmt.Sprint(i); got != want && (i > 0 || got != "") {
						t.Errorf("Retry-Attempt %q, want %q", got, want)
					}
					if s.bodies[i] != s.bodies[0] {
						t.Error("the body changed between attempts")
					}
				}
				var answer *promwire.HTTPError
				errors.As(err, &answer)
				if tt.status == 0 && err != nil || tt.status == -1 && !errors.Is(err, errGone) ||
					tt.status > 0 && (answer == nil || answer.StatusCode != tt.status) {
					t.Errorf("got %v, want status %d", err, tt.status)
				}
			})
		})
	}
}

func TestRetryReasons(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{answers: answers{gone, status(503), status(429), status(204)}}
		var got []string
		c := newWriteClient(t, "http://host/write?secret=1", WithMessageType(v1), WithHTTPClient(&http.Client{Transport: s}),
			WithRetry(RetryOptions{OnRetry: func(r Retry) { got = append(got, fmt.Sprint(r.Attempt, " ", r.Reason)) }}))
		if _, err := c.Write(t.Context(), request("m", 1)); err != nil {
			t.Fatal(err)
		}
		if want := []string{"1 no answer", "2 answer 503", "3 answer 429"}; !reflect.DeepEqual(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		state := c.State()
		if state.Requests != 4 || state.Retries != 3 || !reflect.DeepEqual(state.Statuses, map[int]int64{0: 1, 503: 1, 429: 1, 204: 1}) {
			t.Errorf("state %+v", state)
		}
	})
}

// A context that ends during a pause ends it, and both errors can be found.
func TestRetryPauseEndsWithContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{answers: answers{status(503, "Retry-After", "20")}, begun: time.Now()}
		c := newWriteClient(t, "http://host/write", WithMessageType(v1), WithHTTPClient(&http.Client{Transport: s}))
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		_, err := c.Write(ctx, request("m", 1))
		var answer *promwire.HTTPError
		if !errors.Is(err, context.Canceled) || !errors.As(err, &answer) || answer.RetryAfter != 20*time.Second {
			t.Errorf("got %v", err)
		}
		if took := time.Since(s.begun); took != time.Second || len(s.at) != 1 {
			t.Errorf("%d requests in %v", len(s.at), took)
		}
	})
}

// The batch that finds out what the endpoint takes survives failures in between.
func TestRetryAndFallbackTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{answers: answers{status(503), status(415), gone, status(503), status(204)}}
		c := newWriteClient(t, "http://host/write", WithRetry(RetryOptions{MaxAttempts: 5}), WithHTTPClient(&http.Client{Transport: s}))
		stats, err := c.Write(t.Context(), request("m", 2))
		if err != nil || stats.Samples != 4 || c.MessageType() != v1 {
			t.Errorf("got %+v, %v; next %s", stats, err, c.MessageType())
		}
		state := c.State()
		if state.Fallbacks != 1 || state.Retries != 3 || !strings.Contains(state.NoV2.Why, "415") {
			t.Errorf("state %+v", state)
		}
	})
}

func TestWithRetryRefuses(t *testing.T) {
	for _, o := range []RetryOptions{{MinBackoff: -1}, {MaxBackoff: -1}, {MaxRetryAfter: -1}, {MinBackoff: 2, MaxBackoff: 1}} {
		if _, err := NewWriteClient("http://host/", WithRetry(o)); err == nil || !strings.Contains(err.Error(), "WithRetry") {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

// What is repeated is logged, without what is secret in the URL; a nil logger is none.
func TestWithLogger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		for _, l := range []*slog.Logger{nil, slog.New(slog.NewTextHandler(&out, nil))} {
			s := &scripted{answers: answers{status(503), status(415), status(204)}}
			c := newWriteClient(t, "http://u:hidden@host/write?key=hidden", WithHTTPClient(&http.Client{Transport: s}), WithLogger(l))
			if _, err := c.Write(t.Context(), request("m", 1)); err != nil {
				t.Fatal(err)
			}
		}
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		if len(lines) != 2 || !strings.Contains(lines[0], `level=WARN`) || !strings.Contains(lines[0], `reason="answer 503" attempt=1`) ||
			!strings.Contains(lines[1], `level=INFO`) || !strings.Contains(lines[1], "status=415") || strings.Contains(out.String(), "hidden") {
			t.Errorf("logged %s", out.String())
		}
	})
}
