package remote

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"testing"
	"time"

	"github.com/promwire/promwire"
)

const (
	v1 = promwire.WriteV1
	v2 = promwire.WriteV2
)

// reply is a canned answer.
type reply struct {
	status  int
	headers map[string]string
}

func (r reply) write(w http.ResponseWriter) {
	for name, value := range r.headers {
		w.Header().Set(name, value)
	}
	w.WriteHeader(r.status)
}

func counts(samples, histograms, exemplars string) map[string]string {
	return map[string]string{
		promwire.HeaderSamplesWritten: samples, promwire.HeaderHistogramsWritten: histograms,
		promwire.HeaderExemplarsWritten: exemplars,
	}
}

// The outcomes of Remote Write 2.0, "Response" and its table of what a sender does, end to end. The request has 4
// samples and 2 exemplars.
func TestNegotiation(t *testing.T) {
	all := promwire.WriteStats{Samples: 4, Exemplars: 2}
	none := promwire.WriteStats{}
	full, zeros := counts("4", "0", "2"), counts("0", "0", "0")
	tests := []struct {
		name    string
		pin     promwire.MessageType
		replies []reply
		sent    []promwire.MessageType
		stats   promwire.WriteStats
		status  int  // of the HTTPError, 0 for none
		partial bool // PartialWriteError
		lie     bool // ErrUnsupported
		next    promwire.MessageType
	}{
		{name: "counts match", replies: []reply{{204, full}}, sent: []promwire.MessageType{v2}, stats: all, next: v2},
		{
			name: "200 instead of 204", replies: []reply{{200, full}}, sent: []promwire.MessageType{v2}, stats: all, next: v2,
		},
		{
			name: "counts above what was sent", replies: []reply{{204, counts("99", "9", "9999999999999")}},
			sent: []promwire.MessageType{v2}, stats: all, next: v2,
		},
		{
			name: "2xx, counts lower", replies: []reply{{204, counts("3", "0", "2")}}, sent: []promwire.MessageType{v2},
			stats: promwire.WriteStats{Samples: 3, Exemplars: 2}, partial: true, next: v2,
		},
		{
			name: "2xx, one header missing", replies: []reply{{204, map[string]string{promwire.HeaderSamplesWritten: "4"}}},
			sent: []promwire.MessageType{v2}, stats: promwire.WriteStats{Samples: 4}, partial: true, next: v2,
		},
		{
			name: "2xx without headers: a 1.0 receiver", replies: []reply{{204, nil}, {204, nil}},
			sent: []promwire.MessageType{v2, v1}, stats: all, next: v1,
		},
		{
			name: "202 without headers", replies: []reply{{202, nil}, {202, nil}},
			sent: []promwire.MessageType{v2, v1}, stats: all, next: v1,
		},
		{
			name: "2xx without headers, pinned", pin: v2, replies: []reply{{204, nil}},
			sent: []promwire.MessageType{v2}, stats: none, lie: true, next: v2,
		},
		{
			name: "2xx, all zero, 1.0 accepted", replies: []reply{{204, zeros}, {204, nil}},
			sent: []promwire.MessageType{v2, v1}, stats: all, next: v1,
		},
		{
			name: "2xx, all zero, 1.0 refused", replies: []reply{{204, zeros}, {400, nil}},
			sent: []promwire.MessageType{v2, v1}, stats: none, status: 400, next: v2,
		},
		{
			name: "2xx, all zero, pinned", pin: v2, replies: []reply{{200, zeros}},
			sent: []promwire.MessageType{v2}, stats: none, lie: true, next: v2,
		},
		{
			name: "202, all zero: not the elected replica", replies: []reply{{202, zeros}},
			sent: []promwire.MessageType{v2}, stats: all, next: v2,
		},
		{
			name: "header not a number is proof of 2.0", replies: []reply{{204, counts("many", "", "-1")}},
			sent: []promwire.MessageType{v2}, stats: all, next: v2,
		},
		{
			name: "4xx, header not a number", replies: []reply{{400, counts("many", "0", "2")}},
			sent: []promwire.MessageType{v2}, stats: promwire.WriteStats{Exemplars: 2}, partial: true, status: 400, next: v2,
		},
		{
			name: "4xx with headers", replies: []reply{{400, counts("1", "0", "1")}}, sent: []promwire.MessageType{v2},
			stats: promwire.WriteStats{Samples: 1, Exemplars: 1}, partial: true, status: 400, next: v2,
		},
		{
			name: "5xx with headers", replies: []reply{{503, counts("1", "0", "0")}}, sent: []promwire.MessageType{v2},
			stats: promwire.WriteStats{Samples: 1}, partial: true, status: 503, next: v2,
		},
		{
			name: "4xx with zeros", replies: []reply{{400, zeros}}, sent: []promwire.MessageType{v2},
			stats: none, status: 400, next: v2,
		},
		{
			name: "4xx without headers", replies: []reply{{409, nil}}, sent: []promwire.MessageType{v2},
			stats: none, status: 409, next: v2,
		},
		{
			name: "5xx without headers", replies: []reply{{500, nil}}, sent: []promwire.MessageType{v2},
			stats: none, status: 500, next: v2,
		},
		{
			name: "415, 1.0 accepted", replies: []reply{{415, nil}, {200, nil}}, sent: []promwire.MessageType{v2, v1},
			stats: all, next: v1,
		},
		{
			name: "415, 1.0 unavailable", replies: []reply{{415, nil}, {503, nil}}, sent: []promwire.MessageType{v2, v1},
			stats: none, status: 503, next: v1,
		},
		{
			name: "415 to both", replies: []reply{{415, nil}, {415, nil}}, sent: []promwire.MessageType{v2, v1},
			stats: none, status: 415, next: v2,
		},
		{
			name: "415, pinned", pin: v2, replies: []reply{{415, nil}}, sent: []promwire.MessageType{v2},
			stats: none, status: 415, next: v2,
		},
		{
			name: "400 without headers, 1.0 accepted", replies: []reply{{400, nil}, {204, nil}},
			sent: []promwire.MessageType{v2, v1}, stats: all, next: v1,
		},
		{
			name: "400 without headers, 1.0 refused", replies: []reply{{400, nil}, {400, nil}},
			sent: []promwire.MessageType{v2, v1}, stats: none, status: 400, next: v2,
		},
		{
			name: "400 without headers, pinned", pin: v2, replies: []reply{{400, nil}}, sent: []promwire.MessageType{v2},
			stats: none, status: 400, next: v2,
		},
		{name: "1.0, 2xx", pin: v1, replies: []reply{{204, nil}}, sent: []promwire.MessageType{v1}, stats: all, next: v1},
		{name: "1.0, 202", pin: v1, replies: []reply{{202, nil}}, sent: []promwire.MessageType{v1}, stats: all, next: v1},
		{
			name: "1.0, zeros are not read", pin: v1, replies: []reply{{204, zeros}}, sent: []promwire.MessageType{v1},
			stats: all, next: v1,
		},
		{
			name: "1.0, 400", pin: v1, replies: []reply{{400, nil}}, sent: []promwire.MessageType{v1},
			stats: none, status: 400, next: v1,
		},
		{
			name: "1.0, 415, pinned", pin: v1, replies: []reply{{415, nil}}, sent: []promwire.MessageType{v1},
			stats: none, status: 415, next: v1,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newReceiver(t, func(w http.ResponseWriter, n int, _ received) { tt.replies[n].write(w) })
			opts := []WriteOption{WithoutRetry()}
			if tt.pin != "" {
				opts = append(opts, WithMessageType(tt.pin))
			}
			c := newWriteClient(t, r.URL, opts...)
			stats, err := c.Write(context.Background(), request("m", 2))
			if stats != tt.stats {
				t.Errorf("stats: got %+v, want %+v", stats, tt.stats)
			}
			checkWriteError(t, err, tt.stats, tt.status, tt.partial, tt.lie)
			if got := r.messages(); !reflect.DeepEqual(got, tt.sent) {
				t.Errorf("sent: got %v, want %v", got, tt.sent)
			}
			if got := c.MessageType(); got != tt.next {
				t.Errorf("next message: got %v, want %v", got, tt.next)
			}
		})
	}
}

func checkWriteError(t *testing.T, err error, stats promwire.WriteStats, status int, partial, lie bool) {
	t.Helper()
	if (err != nil) != (status != 0 || partial || lie) {
		t.Fatalf("error: got %v", err)
	}
	var answer *promwire.HTTPError
	if got := errors.As(err, &answer); got != (status != 0) || got && answer.StatusCode != status {
		t.Errorf("HTTPError: got %v, want status %d", err, status)
	}
	var part *promwire.PartialWriteError
	if got := errors.As(err, &part); got != partial || got && part.Written != stats {
		t.Errorf("PartialWriteError: got %v, want %v with %+v", err, partial, stats)
	}
	if got := errors.Is(err, promwire.ErrUnsupported); got != lie {
		t.Errorf("ErrUnsupported: got %v, want %v", err, lie)
	}
}

// The data are the same in both messages, and the choice sticks until its time is over.
func TestFallbackIsRememberedForAWhile(t *testing.T) {
	var speaksV2 bool
	r := newReceiver(t, func(w http.ResponseWriter, n int, got received) {
		switch {
		case speaksV2:
			good(w, n, got)
		case got.message == v2:
			w.WriteHeader(http.StatusUnsupportedMediaType)
		}
	})
	c := newWriteClient(t, r.URL)
	now := time.Unix(1_700_000_000, 0)
	c.now = func() time.Time { return now }
	write := func(want ...promwire.MessageType) {
		t.Helper()
		before := len(r.messages())
		if _, err := c.Write(context.Background(), request("m", 2)); err != nil {
			t.Fatal(err)
		}
		if got := r.messages()[before:]; !reflect.DeepEqual(got, want) {
			t.Fatalf("sent %v, want %v", got, want)
		}
	}
	write(v2, v1)
	write(v1)
	now = now.Add(retryBetterAfter - time.Nanosecond)
	write(v1)
	now = now.Add(time.Nanosecond)
	write(v2, v1)
	write(v1)
	now, speaksV2 = now.Add(retryBetterAfter), true
	write(v2)
	write(v2)

	for _, got := range r.all {
		for i, ts := range got.request.Timeseries {
			want := request("m", 2).Timeseries[i]
			if !ts.Labels.Equal(want.Labels) || len(ts.Samples) != 2 || ts.Samples[1].Value != want.Samples[1].Value ||
				ts.Samples[1].Timestamp != want.Samples[1].Timestamp || len(ts.Exemplars) != 1 {
				t.Errorf("%s: got %+v, want %+v", got.message, ts, want)
			}
		}
	}
}

// An endpoint that stops taking 1.0 while 1.0 is remembered is tried with 2.0 at once.
func TestReceiverUpgrade(t *testing.T) {
	wants := v1
	r := newReceiver(t, func(w http.ResponseWriter, n int, got received) {
		if got.message != wants {
			w.WriteHeader(http.StatusUnsupportedMediaType)
			return
		}
		good(w, n, got)
	})
	c := newWriteClient(t, r.URL)
	for _, wants = range []promwire.MessageType{v1, v1, v2, v2} {
		stats, err := c.Write(context.Background(), request("m", 2))
		if err != nil || stats.Samples != 4 {
			t.Fatalf("%s: got %+v, %v", wants, stats, err)
		}
	}
	if got, want := r.messages(), []promwire.MessageType{v2, v1, v1, v1, v2, v2}; !reflect.DeepEqual(got, want) {
		t.Errorf("sent %v, want %v", got, want)
	}
}

// Once a receiver has shown Written headers, 400 without them is about the data, not about the message.
func TestNoFallbackOn400OnceTheReceiverIsKnown(t *testing.T) {
	replies := []reply{{204, counts("4", "0", "2")}, {400, nil}}
	r := newReceiver(t, func(w http.ResponseWriter, n int, _ received) { replies[n].write(w) })
	c := newWriteClient(t, r.URL)
	if _, err := c.Write(context.Background(), request("m", 2)); err != nil {
		t.Fatal(err)
	}
	_, err := c.Write(context.Background(), request("m", 2))
	checkWriteError(t, err, promwire.WriteStats{}, 400, false, false)
	if got, want := r.messages(), []promwire.MessageType{v2, v2}; !reflect.DeepEqual(got, want) {
		t.Errorf("sent %v, want %v", got, want)
	}
}

// judge needs no more than an answer: an empty request proves nothing about the receiver.
func TestJudgeEmptyRequest(t *testing.T) {
	for _, w := range []written{{}, {present: true}} {
		if got := judge(answer{message: v2, status: 204, free: true, written: w}); got.action != accepted {
			t.Errorf("%+v: got action %d, want accepted", w, got.action)
		}
	}
}
