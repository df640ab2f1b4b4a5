package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/compress/zstd"
	"github.com/promwire/promwire/server"
)

// site is a page with its handler, at a time that stands still.
type site struct {
	t   *testing.T
	ui  *UI
	h   http.Handler
	now time.Time
}

func newSite(t *testing.T) *site {
	s := &site{t: t, ui: newUI(t), now: time.Now()}
	s.ui.now = func() time.Time { return s.now }
	s.h = s.ui.Handler(server.NewHandler(s.ui.Storage(), s.ui.Option()))
	return s
}

// live is what the page gets.
type live struct {
	Requests []shown
	Traffic  snapshot
}

func (s *site) live(query string) live {
	s.t.Helper()
	var l live
	if err := json.NewDecoder(do(s.t, s.h, http.MethodGet, "/ui/live"+query).Body).Decode(&l); err != nil {
		s.t.Fatal(err)
	}
	return l
}

func (s *site) push(r *promwire.WriteRequest, t promwire.MessageType, agent string) int {
	s.t.Helper()
	msg, err := r.AppendProto(nil, t)
	if err != nil {
		s.t.Fatal(err)
	}
	body, err := promwire.Snappy.AppendEncoded(nil, msg)
	if err != nil {
		s.t.Fatal(err)
	}
	req := httptest.NewRequest(http.MethodPost, server.WritePath, bytes.NewReader(body))
	req.Header.Set("Content-Type", t.ContentType())
	req.Header.Set("Content-Encoding", "snappy")
	req.Header.Set("User-Agent", agent)
	w := httptest.NewRecorder()
	s.h.ServeHTTP(w, req)
	return w.Code
}

func (s *site) series(name string, value float64, labels ...string) promwire.TimeSeries {
	return promwire.TimeSeries{
		Labels:  promwire.LabelsFromStrings(append([]string{"__name__", name}, labels...)...),
		Samples: []promwire.Sample{{Timestamp: s.now.UnixMilli(), Value: value}},
	}
}

// TestTap shows a request in the debug format while somebody looks, and one a second when nobody does.
func TestTap(t *testing.T) {
	for _, mt := range []promwire.MessageType{promwire.WriteV1, promwire.WriteV2} {
		s := newSite(t)
		r := &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{s.series("a_total", 1, "x", "<b>"), s.series("b", 2)}}
		r.Timeseries[0].Metadata = promwire.Metadata{Type: promwire.TypeCounter, Help: "As."}
		want := string(r.AppendText(nil, promwire.TextOptions{}))
		push := func(later time.Duration) {
			s.now = s.now.Add(later)
			for i := range r.Timeseries {
				r.Timeseries[i].Samples[0].Timestamp = s.now.UnixMilli()
			}
			if code := s.push(r, mt, "agent/1"); code != http.StatusNoContent {
				t.Fatalf("push: %d", code)
			}
		}
		push(time.Second)
		push(0)
		if l := s.live("?tap=0"); len(l.Requests) != 1 || l.Requests[0].Text != want || l.Traffic.Totals.Writes != 2 {
			t.Fatalf("unwatched, in one second: %+v", l)
		}
		push(time.Second)
		push(0)
		if l := s.live(""); len(l.Requests) != 2 {
			t.Errorf("the figures alone have more requests written down: %+v", l.Requests)
		}
		push(time.Second)
		push(0)
		l := s.live("")
		if len(l.Requests) != 4 {
			t.Fatalf("watched: %d requests, want 4", len(l.Requests))
		}
		got := l.Requests[3]
		if got.Text != want {
			t.Errorf("%s: shown as\n%swant\n%s", mt, got.Text, want)
		}
		if got.Version != versionOf(mt) || got.IP != "192.0.2.1" || got.Agent != "agent/1" || got.Samples != 2 || got.Series != 2 || got.Status != 204 {
			t.Errorf("request %+v", got)
		}
		if more := s.live(fmt.Sprintf("?since=%d", got.Seq)); len(more.Requests) != 0 {
			t.Errorf("nothing new, and %d requests", len(more.Requests))
		}
		push(watchTime)
		push(0)
		if l := s.live("?tap=0"); len(l.Requests) != 5 {
			t.Errorf("%d requests after the watcher has left, want 5", len(l.Requests))
		}
	}
}

// TestTapIsBounded fills what there is to fill.
func TestTapIsBounded(t *testing.T) {
	s := newSite(t)
	s.live("")
	for i := range 3 * maxShown {
		if i%shownPerSecond == 0 {
			s.now = s.now.Add(time.Second)
			s.live("?since=1000000")
		}
		s.push(&promwire.WriteRequest{Timeseries: []promwire.TimeSeries{s.series("m", float64(i), "i", fmt.Sprint(i))}}, promwire.WriteV2, fmt.Sprintf("agent/%d", i))
	}
	l := s.live("")
	if len(l.Requests) != maxShown || l.Requests[0].Seq != 2*maxShown+1 {
		t.Errorf("%d requests from number %d on, want the last %d", len(l.Requests), l.Requests[0].Seq, maxShown)
	}
	if len(l.Traffic.Senders) != maxSenders {
		t.Errorf("%d senders, want %d", len(l.Traffic.Senders), maxSenders)
	}
	for range 2 * shownPerSecond { // all in one second
		s.push(&promwire.WriteRequest{Timeseries: []promwire.TimeSeries{s.series("m", 1)}}, promwire.WriteV2, strings.Repeat("x", 1000))
	}
	l = s.live(fmt.Sprintf("?since=%d", l.Requests[len(l.Requests)-1].Seq))
	if len(l.Requests) > shownPerSecond {
		t.Errorf("%d requests of one second, want at most %d", len(l.Requests), shownPerSecond)
	}
	for _, who := range l.Traffic.Senders {
		if len(who.Agent) > maxAgent {
			t.Errorf("a User-Agent of %d bytes", len(who.Agent))
		}
	}
}

// TestTextIsBounded shows requests that would be long.
func TestTextIsBounded(t *testing.T) {
	s := newSite(t)
	many := &promwire.WriteRequest{}
	for i := range 5000 {
		many.Timeseries = append(many.Timeseries, s.series("m", 1, "i", fmt.Sprint(i)))
	}
	wide := s.series("wide", 1, "x", strings.Repeat("y", 40_000))
	h := promwire.Histogram{Timestamp: s.now.UnixMilli(), Count: 2000, PositiveSpans: []promwire.BucketSpan{{Length: 2000}}, PositiveDeltas: make([]int64, 2000)}
	h.PositiveDeltas[0] = 1
	odd := s.series("odd", 1)
	odd.Labels = append(odd.Labels, promwire.Label{Name: "x", Value: "\xff\xfe</script>\u2028"})
	for name, r := range map[string]*promwire.WriteRequest{
		"many": many, "wide": {Timeseries: []promwire.TimeSeries{wide}}, "odd": {Timeseries: []promwire.TimeSeries{odd}},
		"buckets": {Timeseries: []promwire.TimeSeries{{Labels: promwire.LabelsFromStrings("__name__", "h"), Histograms: []promwire.Histogram{h}}}},
	} {
		s.live("")
		s.push(r, promwire.WriteV2, "")
		l := s.live("")
		got := l.Requests[len(l.Requests)-1]
		if got.Text == "" || len(got.Text) > maxText+10 {
			t.Errorf("%s: text of %d bytes, want 1 to %d", name, len(got.Text), maxText)
		}
		if name == "many" && (got.Series != 5000 || got.More != 5000-maxTextSeries) {
			t.Errorf("%d series, %d of them not shown", got.Series, got.More)
		}
	}
}

// TestRefusals counts by reason, with an example, whoever looks.
func TestRefusals(t *testing.T) {
	s := newSite(t)
	old := s.series("m", 1)
	old.Samples[0].Timestamp -= (48 * time.Hour).Milliseconds()
	s.push(&promwire.WriteRequest{Timeseries: []promwire.TimeSeries{s.series("m", 1)}}, promwire.WriteV2, "a")
	if code := s.push(&promwire.WriteRequest{Timeseries: []promwire.TimeSeries{old, {}, s.series("n", 1)}}, promwire.WriteV2, "a"); code != http.StatusBadRequest {
		t.Fatalf("status %d", code)
	}
	r := httptest.NewRequest(http.MethodPost, server.WritePath, nil)
	r.Header.Set("Content-Encoding", zstd.Codec{}.ContentEncoding())
	s.h.ServeHTTP(httptest.NewRecorder(), r)
	l := s.live("")
	reasons := map[string]refusalCounts{}
	for _, c := range l.Traffic.Refusals {
		reasons[c.Reason] = c
	}
	for reason, want := range map[string]refusalCounts{
		promwire.ErrTooOld.Error(): {Items: 1}, promwire.ErrNoMetricName.Error(): {Items: 1}, "unsupported": {Requests: 1},
	} {
		got := reasons[reason]
		if got.Items != want.Items || got.Requests != want.Requests || got.Example == "" {
			t.Errorf("%s: %+v, want %+v and an example", reason, got, want)
		}
	}
	if got := l.Traffic.Totals; got.Refused != 2 || got.Failed != 2 || got.Writes != 3 || got.V2 != 2 {
		t.Errorf("totals %+v", got)
	}
	if n := len(l.Requests); n != 3 || l.Requests[1].Error == "" || l.Requests[1].Refused != 2 || l.Requests[2].Cause != "unsupported" {
		t.Errorf("behind the first request, failures are shown whoever looks: %+v", l.Requests)
	}
}
