package scrape_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"google.golang.org/protobuf/encoding/protodelim"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/exposition"
	"github.com/promwire/promwire/cmd/promwire/internal/scrape"
)

// answer is what a target says: a body, or an error, after a while.
type answer struct {
	body  string
	err   error
	delay time.Duration
	code  int

	contentType string // text/plain if empty
}

// world is what a manager runs in: targets, a sink, a log. It is for use inside of synctest.
type world struct {
	mu      sync.Mutex
	targets []scrape.Target
	answer  answer
	asked   []time.Time
	written [][]promwire.TimeSeries
	log     bytes.Buffer
	job     scrape.Job
}

func (w *world) RoundTrip(req *http.Request) (*http.Response, error) {
	w.mu.Lock()
	w.asked = append(w.asked, time.Now())
	a := w.answer
	w.mu.Unlock()
	select {
	case <-time.After(a.delay):
	case <-req.Context().Done():
		return nil, req.Context().Err()
	}
	if a.err != nil {
		return nil, a.err
	}
	return &http.Response{
		StatusCode: max(a.code, 200), Status: fmt.Sprint(max(a.code, 200)),
		Header: http.Header{"Content-Type": {cmp.Or(a.contentType, "text/plain")}}, Body: io.NopCloser(strings.NewReader(a.body)),
	}, nil
}

func (w *world) say(a answer) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.answer = a
}

// times returns when the target was asked.
func (w *world) times() []time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.asked)
}

// requests returns what was written since the last take.
func (w *world) requests() [][]promwire.TimeSeries {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.written)
}

func (w *world) find() ([]scrape.Target, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.targets, nil
}

func (w *world) aim(targets ...scrape.Target) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.targets = targets
}

// take returns what was written since the last call, one text a request, without the reports.
func (w *world) take() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []string
	for _, series := range w.written {
		text := ""
		for _, ts := range series {
			name := ts.Labels.Get("__name__")
			if strings.HasPrefix(name, "scrape_") {
				continue
			}
			labels := slices.DeleteFunc(slices.Clone(ts.Labels), func(l promwire.Label) bool { return l.Name == "job" || l.Name == "instance" })
			for _, s := range ts.Samples {
				value := fmt.Sprint(s.Value)
				if promwire.IsStaleNaN(s.Value) {
					value = "stale"
				}
				text += fmt.Sprintf("%s %s @%d; ", labels, value, s.Timestamp-epoch)
			}
		}
		out = append(out, strings.TrimSuffix(text, "; "))
	}
	w.written = nil
	return out
}

// epoch is when time begins in synctest, in milliseconds.
var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()

var target = scrape.Target{
	URL: "http://user:pass@host:1/metrics", Labels: promwire.LabelsFromStrings("instance", "i", "job", "j"),
	Interval: 10 * time.Second, Timeout: 5 * time.Second,
}

// run runs a manager in a bubble, and test beside it.
func run(t *testing.T, w *world, test func(*scrape.Manager)) {
	synctest.Test(t, func(t *testing.T) {
		w.job.Name, w.job.Find, w.job.Client = "j", w.find, &http.Client{Transport: w}
		m := scrape.NewManager(scrape.Config{
			Jobs: []*scrape.Job{&w.job}, Logger: slog.New(slog.NewTextHandler(&w.log, nil)),
			Sink: func(series []promwire.TimeSeries) {
				w.mu.Lock()
				defer w.mu.Unlock()
				w.written = append(w.written, (&promwire.WriteRequest{Timeseries: series}).Clone().Timeseries)
			},
		})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			m.Run(ctx)
			close(done)
		}()
		synctest.Wait()
		test(m)
		cancel()
		<-done
	})
}

func expect(t *testing.T, w *world, want ...string) {
	t.Helper()
	if got := w.take(); !slices.Equal(got, want) {
		t.Errorf("got\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

// slot returns the time of the first regular scrape after the one at the start.
func slot(t *testing.T, w *world) int64 {
	t.Helper()
	time.Sleep(15 * time.Second)
	synctest.Wait()
	asked := w.times()
	if len(asked) < 2 {
		t.Fatal("no second scrape within one and a half intervals")
	}
	return asked[1].UnixMilli() - epoch
}

func TestTimes(t *testing.T) {
	w := &world{answer: answer{body: "a 1\n", delay: 3 * time.Second}, targets: []scrape.Target{target}}
	run(t, w, func(*scrape.Manager) {
		time.Sleep(200 * time.Second)
		synctest.Wait()
		asked := w.times()
		if d := asked[0].UnixMilli() - epoch; d != 0 {
			t.Errorf("the first scrape is %d ms late", d)
		}
		if first := asked[1].Sub(asked[0]); first < 5*time.Second || first > 15*time.Second {
			t.Errorf("the second scrape is %v after the first", first)
		}
		for i := 2; i < len(asked); i++ {
			if d := asked[i].Sub(asked[i-1]); d != 10*time.Second {
				t.Errorf("scrape %d is %v after the one before", i, d)
			}
		}
		if len(asked) < 19 {
			t.Errorf("%d scrapes", len(asked))
		}
	})
}

func TestStaleness(t *testing.T) {
	w := &world{answer: answer{body: "a 1\nb{x=\"1\"} 2\nc 3 946684800000\n"}, targets: []scrape.Target{target}}
	run(t, w, func(m *scrape.Manager) {
		expect(t, w, `a 1 @0; b{x="1"} 2 @0; c 3 @0; up 1 @0`)
		w.say(answer{body: "a 2\n"})
		s := slot(t, w)
		expect(t, w, fmt.Sprintf(`a 2 @%d; b{x="1"} stale @%d; up 1 @%d`, s, s, s))
		w.say(answer{err: errors.New("refused")})
		time.Sleep(10 * time.Second)
		synctest.Wait()
		expect(t, w, fmt.Sprintf("a stale @%d; up 0 @%d", s+10000, s+10000))
		if m.Stats().Up.Load() != 0 || m.Stats().Down.Load() != 1 {
			t.Error("the target is not down")
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		expect(t, w, fmt.Sprintf("up 0 @%d", s+20000))
		w.say(answer{body: "a 3\nb 4\n"})
		time.Sleep(10 * time.Second)
		synctest.Wait()
		expect(t, w, fmt.Sprintf("a 3 @%d; b 4 @%d; up 1 @%d", s+30000, s+30000, s+30000))
		w.aim() // the target vanishes, and is marked when its next scrape would be
		time.Sleep(10 * time.Second)
		synctest.Wait()
		expect(t, w, fmt.Sprintf("a stale @%d; b stale @%d; up stale @%d", s+40000, s+40000, s+40000))
		time.Sleep(time.Minute)
		synctest.Wait()
		expect(t, w)
		if m.Stats().Up.Load() != 0 || m.Stats().Down.Load() != 0 {
			t.Error("a target that is gone still counts")
		}
	})
	if log := w.log.String(); strings.Count(log, "scrape failed") != 1 || !strings.Contains(log, "up again") || strings.Contains(log, "pass") {
		t.Errorf("log:\n%s", log)
	}
}

// A target that comes back before its next scrape was not away.
func TestTargetFlaps(t *testing.T) {
	slow := target
	slow.Interval = time.Minute
	w := &world{answer: answer{body: "a 1\n"}, targets: []scrape.Target{slow}}
	run(t, w, func(*scrape.Manager) {
		for len(w.times()) < 2 {
			time.Sleep(time.Second)
			synctest.Wait()
		}
		w.take()
		w.aim()
		time.Sleep(11 * time.Second) // long enough to be noticed
		w.aim(slow)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if got := w.take(); len(got) != 2 || strings.Contains(fmt.Sprint(got), "stale") {
			t.Errorf("got %q", got)
		}
	})
}

// An exemplar is written once, though targets expose it until there is a newer one.
func TestExemplars(t *testing.T) {
	w := &world{targets: []scrape.Target{target}}
	const openMetrics = "application/openmetrics-text"
	w.answer.contentType = openMetrics
	take := func() (got string) {
		for _, ts := range w.requests()[len(w.requests())-1] {
			for _, e := range ts.Exemplars {
				got += fmt.Sprintf("%s %v @%d;", e.Labels, e.Value, e.Timestamp-w.times()[len(w.times())-1].UnixMilli())
			}
		}
		return got
	}
	body := "# TYPE a counter\na_total 1 # {t=\"1\"} 1 946684799\na_total{x=\"1\"} 1 # {t=\"2\"} 1\n# EOF\n"
	w.answer.body = body
	run(t, w, func(*scrape.Manager) {
		if got := take(); got != `{t="1"} 1 @-1000;{t="2"} 1 @0;` {
			t.Errorf("first: %s", got)
		}
		slot(t, w)
		if got := take(); got != "" {
			t.Errorf("the same: %s", got)
		}
		w.say(answer{contentType: openMetrics, body: strings.ReplaceAll(strings.ReplaceAll(body, "{t", "{u"), " 946684799", "")})
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if got := take(); got != `{u="1"} 1 @0;{u="2"} 1 @0;` {
			t.Errorf("others: %s", got)
		}
		w.say(answer{contentType: openMetrics, body: strings.ReplaceAll(body, "\"} 1", strings.Repeat("x", 130)+"\"} 1")})
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if got := take(); got != "" {
			t.Errorf("too long: %s", got)
		}
	})
}

// The buckets of a native histogram may have exemplars of the same time: all are new once, in whatever order they come.
func TestExemplarsOfOneTime(t *testing.T) {
	const at = 946684799 // a second before the tests begin
	exemplar := func(value float64, seconds int64) *dto.Exemplar {
		return &dto.Exemplar{Value: &value, Timestamp: &timestamppb.Timestamp{Seconds: seconds}}
	}
	say := func(es ...*dto.Exemplar) answer {
		family := &dto.MetricFamily{Name: proto.String("h"), Type: dto.MetricType_HISTOGRAM.Enum(), Metric: []*dto.Metric{{Histogram: &dto.Histogram{
			SampleCount: proto.Uint64(3), SampleSum: proto.Float64(6), Schema: proto.Int32(0), ZeroThreshold: proto.Float64(0.01), ZeroCount: proto.Uint64(3),
			Exemplars: es,
		}}}}
		var b bytes.Buffer
		if _, err := protodelim.MarshalTo(&b, family); err != nil {
			t.Fatal(err)
		}
		return answer{contentType: string(expfmt.NewFormat(expfmt.TypeProtoDelim)), body: b.String()}
	}
	w := &world{answer: say(exemplar(100, at), exemplar(0.3, at), exemplar(7, at-1)), targets: []scrape.Target{target}}
	take := func() (got []float64) {
		for _, ts := range w.requests()[len(w.requests())-1] {
			for _, e := range ts.Exemplars {
				got = append(got, e.Value)
			}
		}
		return got
	}
	run(t, w, func(*scrape.Manager) {
		if got := take(); !slices.Equal(got, []float64{7, 0.3, 100}) {
			t.Errorf("first: %v", got)
		}
		slot(t, w)
		if got := take(); got != nil {
			t.Errorf("the same: %v", got)
		}
		w.say(say(exemplar(0.3, at), exemplar(200, at), exemplar(5, at+1)))
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if got := take(); !slices.Equal(got, []float64{200, 5}) {
			t.Errorf("two more: %v", got)
		}
	})
}

// The end of the program says nothing of the targets.
func TestEndMarksNothing(t *testing.T) {
	w := &world{answer: answer{body: "a 1\n"}, targets: []scrape.Target{target}}
	run(t, w, func(*scrape.Manager) {
		w.say(answer{body: "a 2\n", delay: 4 * time.Second})
		for len(w.times()) < 2 { // in the middle of a scrape
			time.Sleep(time.Second)
			synctest.Wait()
		}
		w.take()
	})
	expect(t, w)
}

func TestTimeout(t *testing.T) {
	w := &world{answer: answer{body: "a 1\n", delay: time.Hour}, targets: []scrape.Target{target}}
	run(t, w, func(*scrape.Manager) {
		time.Sleep(6 * time.Second)
		synctest.Wait()
		expect(t, w, "up 0 @0")
	})
	if !strings.Contains(w.log.String(), "no answer within 5s") {
		t.Errorf("log:\n%s", w.log.String())
	}
}

func TestProblems(t *testing.T) {
	for _, c := range []struct {
		name string
		job  scrape.Job
		say  answer
		want string
		log  string
	}{
		{"bad line", scrape.Job{}, answer{body: "a 1\nb{ 2\nc 3\n"}, "a 1 @0; c 3 @0; up 1 @0", "line=2"},
		{"repeated", scrape.Job{}, answer{body: "a 1\na 2\n"}, "a 1 @0; up 1 @0", "samples=1"},
		{"repeated by spelling", scrape.Job{}, answer{body: "a{x=\"1\",y=\"2\"} 1\na{y=\"2\",x=\"1\"} 2\n"}, `a{x="1",y="2"} 1 @0; up 1 @0`, "samples=1"},
		{"a report exposed", scrape.Job{}, answer{body: "up 7\n"}, "up 1 @0", "samples=1"},
		{"own time", scrape.Job{}, answer{body: "a 1 946684799000\na 2 946684799500\n"}, "a 1 @-1000; a 2 @-500; up 1 @0", ""},
		{"times ignored", scrape.Job{IgnoreTimestamps: true}, answer{body: "a 1 946684799000\n"}, "a 1 @0; up 1 @0", ""},
		{"status", scrape.Job{}, answer{body: "a 1\n", code: 503}, "up 0 @0", "target answered 503"},
		{"samples", scrape.Job{Limits: scrape.Limits{Samples: 1}}, answer{body: "a 1\nb 1\n"}, "up 0 @0", "2 samples, the limit is 1"},
		{"labels", scrape.Job{Limits: scrape.Limits{Labels: 3}}, answer{body: "a{x=\"1\"} 1\n"}, "up 0 @0", "has 4 labels, the limit is 3"},
		{"label value", scrape.Job{Limits: scrape.Limits{LabelValue: 2}}, answer{body: "a{x=\"123\"} 1\n"}, "up 0 @0", "has 3 bytes, the limit is 2"},
		{"label name", scrape.Job{Limits: scrape.Limits{LabelName: 8}}, answer{body: "a{x23456789=\"1\"} 1\n"}, "up 0 @0", "has 9 bytes, the limit is 8"},
		{"body", scrape.Job{Limits: scrape.Limits{Body: 5}}, answer{body: "a 1\nb 1\n"}, "up 0 @0", "more than 5 bytes"},
		{"conflict", scrape.Job{}, answer{body: "a{job=\"x\",exported_job=\"y\"} 1\n"}, `a{exported_exported_job="x",exported_job="y"} 1 @0; up 1 @0`, ""},
		{
			"relabelled", scrape.Job{Relabel: func(ls promwire.Labels) promwire.Labels {
				if ls.Get("__name__") == "a" {
					return nil
				}
				return ls
			}}, answer{body: "a 1\nb 1\n"}, "b 1 @0; up 1 @0", "",
		},
		{
			"relabelled to no name",
			scrape.Job{Relabel: func(ls promwire.Labels) promwire.Labels { return ls[1:] }},
			answer{body: "a 1\n"},
			"up 1 @0", "no metric name",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := &world{answer: c.say, targets: []scrape.Target{target}, job: c.job}
			run(t, w, func(*scrape.Manager) { expect(t, w, c.want) })
			if !strings.Contains(w.log.String(), c.log) || c.log == "" && w.log.Len() > 0 {
				t.Errorf("log: %s", w.log.String())
			}
		})
	}
}

func TestHonorLabels(t *testing.T) {
	w := &world{answer: answer{body: "a{job=\"x\"} 1\nb{job=\"\"} 1\n"}, targets: []scrape.Target{target}, job: scrape.Job{HonorLabels: true}}
	run(t, w, func(*scrape.Manager) {
		if a, b := w.requests()[0][0].Labels.String(), w.requests()[0][1].Labels.String(); a != `a{instance="i",job="x"}` || b != `b{instance="i"}` {
			t.Errorf("got %s, %s", a, b)
		}
	})
}

// The reports say how many there were, also of a scrape that failed.
func TestReports(t *testing.T) {
	w := &world{answer: answer{body: "a 1\nb 2\n", delay: 250 * time.Millisecond}, targets: []scrape.Target{target}}
	w.job.Relabel = func(ls promwire.Labels) promwire.Labels {
		if ls.Get("__name__") == "a" {
			return nil
		}
		return ls
	}
	run(t, w, func(*scrape.Manager) {
		w.say(answer{body: "a 1\nb 2\nc 3\n"})
		slot(t, w)
		for i, want := range []string{"1 0.25 2 1 1", "1 0 3 2 1"} {
			got := ""
			for _, ts := range w.requests()[i] {
				if name := ts.Labels.Get("__name__"); name == "up" || strings.HasPrefix(name, "scrape_") {
					got += fmt.Sprint(" ", ts.Samples[0].Value)
				}
			}
			if got[1:] != want {
				t.Errorf("scrape %d: %s, want %s", i, got, want)
			}
		}
	})
}

// Memory follows what a target exposes now, not what it ever exposed.
func TestSeriesChurn(t *testing.T) {
	w := &world{targets: []scrape.Target{target}}
	n := 0
	w.job.Formats = exposition.Options{}
	say := func() {
		var b strings.Builder
		b.WriteString("stays 1\n")
		for range 500 {
			fmt.Fprintf(&b, "a{n=\"%d\"} 1\n", n)
			n++
		}
		w.say(answer{body: b.String()})
	}
	say()
	run(t, w, func(*scrape.Manager) {
		for range 20 {
			say()
			time.Sleep(10 * time.Second)
			synctest.Wait()
		}
		texts := w.take()
		for i, text := range texts[1:] {
			if strings.Contains(text, "stays stale") || strings.Count(text, "stale") > 500 || i > 2 && !strings.Contains(text, "stale") {
				t.Errorf("scrape %d: %.200s", i, text)
			}
		}
	})
}
