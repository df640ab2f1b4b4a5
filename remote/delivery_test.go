package remote

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"testing"

	"github.com/promwire/promwire"
)

// picky is a receiver that refuses the series bad0, bad1, ... in some way.
type picky struct {
	judge    func(req *promwire.WriteRequest, bad []int) (promwire.WriteStats, error)
	got      map[string]promwire.WriteStats // by metric name
	requests int
	seen     map[string]bool
	t        *testing.T
}

func isBad(ts *promwire.TimeSeries) bool { return ts.Labels.Get("bad") != "" }

func (p *picky) Write(_ context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	p.requests++
	key := string(mustProto(p.t, req))
	if p.seen[key] {
		p.t.Errorf("request %d repeats another one", p.requests)
	}
	p.seen[key] = true
	var bad []int
	for i := range req.Timeseries {
		if isBad(&req.Timeseries[i]) {
			bad = append(bad, i)
		}
	}
	return p.judge(req, bad)
}

func mustProto(t *testing.T, req *promwire.WriteRequest) []byte {
	t.Helper()
	out, err := req.AppendProto(nil, promwire.WriteV1)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// store keeps the good ones.
func (p *picky) store(req *promwire.WriteRequest) promwire.WriteStats {
	var sum promwire.WriteStats
	for i := range req.Timeseries {
		if ts := &req.Timeseries[i]; !isBad(ts) {
			p.got[ts.Labels.Get("__name__")] = ts.Stats()
			sum = sum.Add(ts.Stats())
		}
	}
	return sum
}

func answerOf(status int, text string) error {
	return &promwire.HTTPError{StatusCode: status, Body: text}
}

func seriesWithBad(n, bad int) *promwire.WriteRequest {
	req := &promwire.WriteRequest{}
	for i := range n {
		ls := promwire.Labels{{Name: "__name__", Value: "m" + strconv.Itoa(i)}}
		if i == bad {
			ls = append(ls, promwire.Label{Name: "bad", Value: "1"})
		}
		req.Timeseries = append(req.Timeseries, promwire.TimeSeries{Labels: ls, Samples: []promwire.Sample{{Timestamp: 1000, Value: float64(i)}}})
	}
	return req
}

// letterBox keeps copies of dead letters.
type letterBox struct {
	all []DeadLetter
	err error
}

func (l *letterBox) WriteDeadLetters(_ context.Context, letters []DeadLetter) error {
	for _, d := range letters {
		d.Series = d.Series.Clone()
		l.all = append(l.all, d)
	}
	return l.err
}

// Among 10,000 series one is bad: the others arrive, and it is named and in the dead letters.
func TestDeliveryFindsOneBadSeries(t *testing.T) {
	const series, bad = 10_000, 6_789
	all := func(status int, text string) func(p *picky, req *promwire.WriteRequest, bad []int) (promwire.WriteStats, error) {
		return func(p *picky, req *promwire.WriteRequest, bad []int) (promwire.WriteStats, error) {
			if len(bad) > 0 {
				return promwire.WriteStats{}, answerOf(status, text)
			}
			return p.store(req), nil
		}
	}
	tests := []struct {
		name   string
		judge  func(p *picky, req *promwire.WriteRequest, bad []int) (promwire.WriteStats, error)
		status int
		most   int // requests
	}{
		{"400", all(400, "something is bad"), 400, 32},
		{"409", all(409, "conflict"), 409, 32},
		{"422", all(422, ""), 422, 32},
		{"400 out of order, not a replay", all(400, "out of order sample"), 400, 32},
		{"400, rest stored", func(p *picky, req *promwire.WriteRequest, bad []int) (promwire.WriteStats, error) {
			n := p.store(req)
			if len(bad) == 0 {
				return n, nil
			}
			return promwire.WriteStats{}, answerOf(400, "err-mimir-label-invalid")
		}, 400, 32},
		{"400 with counts that call all written", func(p *picky, req *promwire.WriteRequest, bad []int) (promwire.WriteStats, error) {
			n := p.store(req)
			if len(bad) == 0 {
				return n, nil
			}
			n = req.Stats()
			return n, &promwire.PartialWriteError{Written: n, Err: answerOf(400, "err-mimir-sample-duplicate-timestamp")}
		}, 400, 32},
		{"400 with counts", func(p *picky, req *promwire.WriteRequest, bad []int) (promwire.WriteStats, error) {
			n := p.store(req)
			if len(bad) == 0 {
				return n, nil
			}
			if len(bad) == len(req.Timeseries) {
				return n, answerOf(400, "bad")
			}
			return n, &promwire.PartialWriteError{Written: n, Err: answerOf(400, "bad")}
		}, 400, 32},
		{"400 with names", func(p *picky, req *promwire.WriteRequest, bad []int) (promwire.WriteStats, error) {
			n := p.store(req)
			e := &promwire.PartialWriteError{Written: n, Err: answerOf(400, "bad")}
			for _, i := range bad {
				e.Refused = append(e.Refused, promwire.Refusal{Series: i, Reason: promwire.ErrInvalidName})
			}
			return n, e
		}, 400, 1},
		{"413", func(p *picky, req *promwire.WriteRequest, bad []int) (promwire.WriteStats, error) {
			if len(bad) > 0 || len(req.Timeseries) > 1000 {
				return promwire.WriteStats{}, answerOf(413, "")
			}
			return p.store(req), nil
		}, 413, 60},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := &picky{t: t, got: map[string]promwire.WriteStats{}, seen: map[string]bool{}}
			p.judge = func(req *promwire.WriteRequest, bad []int) (promwire.WriteStats, error) { return tt.judge(p, req, bad) }
			box := &letterBox{}
			d := NewDelivery(p, DeliveryOptions{MaxBisectRequests: 40, DeadLetters: box, Endpoint: "here"})
			stats, err := d.Write(context.Background(), seriesWithBad(series, bad))
			var partial *promwire.PartialWriteError
			if !errors.As(err, &partial) || len(partial.Refused) != 1 || partial.Refused[0].Series != bad || promwire.Retryable(err) {
				t.Fatalf("got %v", err)
			}
			if len(p.got) != series-1 || stats.Samples != series-1 {
				t.Errorf("%d series arrived, %d samples counted", len(p.got), stats.Samples)
			}
			if p.requests > tt.most {
				t.Errorf("took %d requests", p.requests)
			}
			if len(box.all) != 1 || box.all[0].Series.Labels.Get("bad") != "1" || box.all[0].Series.Samples[0].Value != bad ||
				box.all[0].Status != tt.status || box.all[0].Endpoint != "here" {
				t.Errorf("got letters %+v", box.all)
			}
			if c := d.Stats(); c.DeadLetters != 1 || c.Delivered.Samples != series-1 || len(c.Refused) != 1 || c.Exhausted != 0 {
				t.Errorf("got counters %+v", c)
			}
		})
	}
}

// One exemplar is bad, or all are, or metadata: samples arrive in any case.
func TestDeliveryFallsBack(t *testing.T) {
	const series = 1000
	refuse := func(why func(ts *promwire.TimeSeries) bool) func(p *picky, req *promwire.WriteRequest) (promwire.WriteStats, error) {
		return func(p *picky, req *promwire.WriteRequest) (promwire.WriteStats, error) {
			if slices.ContainsFunc(req.Timeseries, func(ts promwire.TimeSeries) bool { return why(&ts) }) {
				return promwire.WriteStats{}, answerOf(400, "no")
			}
			return p.store(req), nil
		}
	}
	badExemplar := func(ts *promwire.TimeSeries) bool {
		return slices.ContainsFunc(ts.Exemplars, func(e promwire.Exemplar) bool { return e.Value == 666 })
	}
	anyExemplar := func(ts *promwire.TimeSeries) bool { return len(ts.Exemplars) > 0 }
	metadata := func(ts *promwire.TimeSeries) bool { return ts.Metadata.Help != "" }
	tests := []struct {
		name               string
		why                func(ts *promwire.TimeSeries) bool
		bisect             int
		exemplars, refused int // exemplars written, items refused
	}{
		{"one exemplar", badExemplar, 30, series - 1, 1},
		{"one exemplar, no bisect", badExemplar, 0, 0, series},
		{"all exemplars", anyExemplar, 30, 0, series},
		{"metadata", metadata, 30, series, 0},
		{"metadata, no bisect", metadata, 0, 0, series}, // nobody knows whether exemplars would be taken
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			req := seriesWithBad(series, -1)
			for i := range req.Timeseries {
				ts := &req.Timeseries[i]
				ts.Exemplars = []promwire.Exemplar{{Labels: promwire.Labels{{Name: "id", Value: "x"}}, Timestamp: 999, Value: float64(i % 600)}}
				ts.Metadata.Help = "help"
			}
			req.Timeseries[777].Exemplars[0].Value = 666
			p := &picky{t: t, got: map[string]promwire.WriteStats{}, seen: map[string]bool{}}
			p.judge = func(req *promwire.WriteRequest, _ []int) (promwire.WriteStats, error) { return refuse(tt.why)(p, req) }
			box := &letterBox{}
			d := NewDelivery(p, DeliveryOptions{MaxBisectRequests: tt.bisect, DeadLetters: box})
			stats, err := d.Write(context.Background(), req)
			if want := (promwire.WriteStats{Samples: series, Exemplars: tt.exemplars}); stats != want {
				t.Errorf("got %+v, want %+v, error %.300v", stats, want, err)
			}
			n := 0
			for _, l := range box.all {
				n += sum(l.Series.Stats())
			}
			if n != tt.refused || (err != nil) != (tt.refused > 0) || d.Stats().Fallbacks == 0 {
				t.Errorf("%d items in letters, error %.300v, counters %+v", n, err, d.Stats())
			}
		})
	}
}

// The bound is kept, and what is undecided then is refused.
func TestDeliveryBisectBound(t *testing.T) {
	for _, bound := range []int{0, 1, 5} {
		t.Run(fmt.Sprint(bound), func(t *testing.T) {
			p := &picky{t: t, got: map[string]promwire.WriteStats{}, seen: map[string]bool{}}
			p.judge = func(req *promwire.WriteRequest, bad []int) (promwire.WriteStats, error) {
				if len(bad) > 0 {
					return promwire.WriteStats{}, answerOf(400, "no")
				}
				return p.store(req), nil
			}
			box := &letterBox{}
			d := NewDelivery(p, DeliveryOptions{MaxBisectRequests: bound, DeadLetters: box})
			stats, err := d.Write(context.Background(), seriesWithBad(1000, 3))
			var partial *promwire.PartialWriteError
			if !errors.As(err, &partial) || stats.Samples+len(partial.Refused) != 1000 || len(box.all) != len(partial.Refused) {
				t.Fatalf("%d written, %d letters, error %.300v", stats.Samples, len(box.all), err)
			}
			if p.requests != 1+bound || d.Stats().BisectRequests != bound || stats.Samples != len(p.got) {
				t.Errorf("%d requests, %+v", p.requests, d.Stats())
			}
		})
	}
}

// What a receiver calls stored already is delivered if it may have been sent before, and refused otherwise.
func TestDeliveryReplay(t *testing.T) {
	tests := []struct {
		name    string
		profile Profile
		replay  bool
		bisect  int
		answer  error
		replays int
		fresh   int // series that arrive
		err     bool
	}{
		{"Prometheus", ProfilePrometheus, true, 0, answerOf(400, "out of order sample"), 4, 0, false},
		{"Prometheus, bisect", ProfilePrometheus, true, 20, answerOf(400, "duplicate sample for timestamp"), 1, 3, false},
		{"Mimir", ProfileMimir, true, 20, answerOf(400, "x (err-mimir-sample-duplicate-timestamp). y"), 1, 3, false},
		{"Thanos", ProfileThanos, true, 20, answerOf(409, "add 1 samples: out of order sample"), 1, 3, false},
		{"Thanos, labels", ProfileThanos, true, 20, answerOf(409, "out of order labels"), 0, 3, true},
		{"other profile", ProfileThanos, true, 20, answerOf(400, "out of order sample"), 0, 3, true},
		{"VictoriaMetrics", ProfileVictoriaMetrics, true, 20, answerOf(400, "out of order sample"), 0, 3, true},
		{"generic", ProfileGeneric, true, 20, answerOf(409, "Out of order sample"), 1, 3, false},
		{"store here", ProfileGeneric, true, 20, fmt.Errorf("here: %w", promwire.ErrDuplicateTimestamp), 1, 3, false},
		{"no replay", ProfileGeneric, false, 20, answerOf(400, "out of order sample"), 0, 3, true},
		{"another reason", ProfileGeneric, true, 20, answerOf(400, "out of bounds"), 0, 3, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := &picky{t: t, got: map[string]promwire.WriteStats{}, seen: map[string]bool{}}
			p.judge = func(req *promwire.WriteRequest, bad []int) (promwire.WriteStats, error) {
				if len(bad) > 0 {
					return promwire.WriteStats{}, tt.answer
				}
				return p.store(req), nil
			}
			ctx := context.Background()
			if tt.replay {
				ctx = promwire.ContextWithReplay(ctx)
			}
			d := NewDelivery(p, DeliveryOptions{MaxBisectRequests: tt.bisect, Profile: tt.profile})
			stats, err := d.Write(ctx, seriesWithBad(4, 2))
			if d.Stats().Replays.Samples != tt.replays || len(p.got) != tt.fresh || (err != nil) != tt.err {
				t.Errorf("%d replays, %d arrived, error %v", d.Stats().Replays.Samples, len(p.got), err)
			}
			if want := 4 - len(refusalsOf(err)); stats.Samples != want {
				t.Errorf("got %d samples written, want %d", stats.Samples, want)
			}
		})
	}
}

func refusalsOf(err error) []promwire.Refusal {
	var partial *promwire.PartialWriteError
	if errors.As(err, &partial) {
		return partial.Refused
	}
	return nil
}

// "Not now" in the middle leaves everything to the caller, and nothing goes to the dead letters.
func TestDeliveryRetryableMidway(t *testing.T) {
	p := &picky{t: t, got: map[string]promwire.WriteStats{}, seen: map[string]bool{}}
	p.judge = func(req *promwire.WriteRequest, bad []int) (promwire.WriteStats, error) {
		switch {
		case p.requests == 4:
			return promwire.WriteStats{}, answerOf(503, "")
		case len(bad) > 0:
			return promwire.WriteStats{}, answerOf(400, "")
		}
		return p.store(req), nil
	}
	box := &letterBox{}
	d := NewDelivery(p, DeliveryOptions{MaxBisectRequests: 50, DeadLetters: box})
	req := seriesWithBad(64, 50)
	if _, err := d.Write(context.Background(), req); !promwire.Retryable(err) || len(box.all) != 0 {
		t.Fatalf("got %v, %d letters", err, len(box.all))
	}
	clear(p.seen) // time has passed
	_, err := d.Write(promwire.ContextWithReplay(context.Background()), req)
	if r := refusalsOf(err); len(r) != 1 || r[0].Series != 50 || len(box.all) != 1 || len(p.got) != 63 {
		t.Errorf("got %v, %d letters, %d arrived", err, len(box.all), len(p.got))
	}
}

// A sink that fails costs the letters, says so, and makes nothing retryable.
func TestDeliveryLostLetters(t *testing.T) {
	refuse := writerFunc(func(context.Context, *promwire.WriteRequest) (promwire.WriteStats, error) {
		return promwire.WriteStats{}, answerOf(401, "")
	})
	hooked := 0
	d := NewDelivery(refuse, DeliveryOptions{
		DeadLetters: &letterBox{err: promwire.ErrUnavailable}, OnRefused: func(l []DeadLetter) { hooked += len(l) },
	})
	_, err := d.Write(context.Background(), seriesWithBad(3, -1))
	if promwire.Retryable(err) || len(refusalsOf(err)) != 3 || hooked != 3 {
		t.Errorf("got %v, hook got %d", err, hooked)
	}
	if c := d.Stats(); c.LostLetters != 3 || c.Refused["answer 401"] != 3 {
		t.Errorf("got %+v", c)
	}
}

// A body passes as it is, and is taken apart only when it is refused.
func TestDeliveryBody(t *testing.T) {
	for _, bad := range []int{-1, 5} {
		t.Run(fmt.Sprint(bad), func(t *testing.T) {
			first := &firstBody{}
			r := newReceiver(t, func(w http.ResponseWriter, n int, got received) {
				for i := range got.request.Timeseries {
					if isBad(&got.request.Timeseries[i]) {
						http.Error(w, "no", http.StatusConflict)
						return
					}
				}
				good(w, n, got)
			})
			c, err := NewWriteClient(r.URL, WithHTTPClient(&http.Client{Transport: first}))
			if err != nil {
				t.Fatal(err)
			}
			message, err := seriesWithBad(8, bad).AppendProto(nil, promwire.WriteV2)
			if err != nil {
				t.Fatal(err)
			}
			encoded, err := promwire.Snappy.AppendEncoded(nil, message)
			if err != nil {
				t.Fatal(err)
			}
			var b promwire.Body
			b.Reset(encoded, promwire.EncodingSnappy, promwire.WriteV2, 1<<20)
			box := &letterBox{}
			stats, err := NewDelivery(c, DeliveryOptions{MaxBisectRequests: 10, DeadLetters: box}).WriteBody(context.Background(), &b)
			if !bytes.Equal(first.body, encoded) {
				t.Errorf("sent %x first, want the body as it came: %x", first.body, encoded)
			}
			if bad < 0 {
				if err != nil || stats.Samples != 8 {
					t.Errorf("got %+v, %v", stats, err)
				}
				return
			}
			if rs := refusalsOf(err); len(rs) != 1 || rs[0].Series != bad || stats.Samples != 7 || len(box.all) != 1 {
				t.Errorf("got %+v, %v", stats, err)
			}
		})
	}
}

type writerFunc func(context.Context, *promwire.WriteRequest) (promwire.WriteStats, error)

func (f writerFunc) Write(ctx context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	return f(ctx, req)
}

// firstBody keeps the body of the first request.
type firstBody struct{ body []byte }

func (f *firstBody) RoundTrip(req *http.Request) (*http.Response, error) {
	if f.body == nil {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		f.body, req.Body = body, io.NopCloser(bytes.NewReader(body))
	}
	return http.DefaultTransport.RoundTrip(req)
}
