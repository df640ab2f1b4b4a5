package transfer_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/transfer"
	"github.com/promwire/promwire/internal/native"
	"github.com/promwire/promwire/promwiretest"
	"github.com/promwire/promwire/remote"
)

// data are parts of series in the order of sending: n series with 10 samples in each of two windows, some histograms.
func data(n int) []promwire.TimeSeries {
	var out []promwire.TimeSeries
	for w := range 2 {
		for i := range n {
			ts := promwire.TimeSeries{Labels: promwire.LabelsFromStrings("__name__", "m", "i", fmt.Sprintf("%03d", i))}
			for k := range 10 {
				at := int64(1700000000000 + w*1_800_000 + k*1000)
				if i%10 == 9 {
					ts.Histograms = append(ts.Histograms, native.Int(at))
				} else {
					ts.Samples = append(ts.Samples, promwire.Sample{Timestamp: at, Value: float64(k)})
				}
			}
			out = append(out, ts)
		}
	}
	return out
}

func all(parts []promwire.TimeSeries) iter.Seq2[promwire.TimeSeries, error] {
	return func(yield func(promwire.TimeSeries, error) bool) {
		for _, p := range parts {
			if !yield(p, nil) {
				return
			}
		}
	}
}

func journal(t *testing.T, path string) *transfer.Journal {
	t.Helper()
	j, err := transfer.OpenJournal(path, "task", 1)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func client(t *testing.T, url string, mt promwire.MessageType) promwire.Writer {
	t.Helper()
	c, err := remote.NewWriteClient(url, remote.WithMessageType(mt), remote.WithoutRetry())
	if err != nil {
		t.Fatal(err)
	}
	return transfer.NewCareful(c)
}

// stopping fails after some requests.
type stopping struct {
	next promwire.Writer
	left int
	lost bool // the one that fails is written all the same
}

var errStopped = errors.New("stopped")

func (s *stopping) Write(ctx context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	if s.left--; s.left < 0 {
		if s.lost {
			_, _ = s.next.Write(ctx, req)
		}
		return promwire.WriteStats{}, errStopped
	}
	return s.next.Write(ctx, req)
}

// An interrupted transfer goes on with what is not acknowledged, wherever it was interrupted, in the order of each series.
func TestResume(t *testing.T) {
	parts := data(30)
	for requests := range 10 {
		for _, lost := range []bool{false, true} {
			store := promwiretest.NewMemory(promwiretest.RefuseOlder)
			r := promwiretest.NewReceiver(promwiretest.WithStorage(store))
			path := filepath.Join(t.TempDir(), "journal")
			w := client(t, r.URL, promwire.WriteV1)
			first := transfer.Sender{Writer: &stopping{w, requests, lost}, Journal: journal(t, path), Batch: 75}
			err := first.Send(t.Context(), 0, all(parts))
			if done := err == nil; done != (requests >= 9) || !done && !errors.Is(err, errStopped) {
				t.Fatalf("%d requests: %v", requests, err)
			}
			before := len(r.Requests())
			second := transfer.Sender{Writer: w, Journal: journal(t, path), Batch: 75}
			if err := second.Send(t.Context(), 0, all(parts)); err != nil {
				t.Fatal(err)
			}
			j := journal(t, path)
			if n := j.Written; n.Samples != 540 || n.Histograms != 60 || j.Refused.Total() != 0 || store.Stats() != n {
				t.Errorf("%d requests, lost %v: %+v written, %+v refused, %+v stored", requests, lost, n, j.Refused, store.Stats())
			}
			if again := len(r.Requests()) - before; again > 9-min(requests, 9) {
				t.Errorf("%d requests were done, and %d sent", requests, again)
			}
			r.Close()
		}
	}
}

// Data that are not what was sent before are noticed, and nothing is sent.
func TestResumeOtherData(t *testing.T) {
	for name, change := range map[string]func([]promwire.TimeSeries) []promwire.TimeSeries{
		"a value":  func(p []promwire.TimeSeries) []promwire.TimeSeries { p[0].Samples[3].Value = 7; return p },
		"a series": func(p []promwire.TimeSeries) []promwire.TimeSeries { return p[1:] },
		"the end":  func(p []promwire.TimeSeries) []promwire.TimeSeries { return p[:2] },
	} {
		path := filepath.Join(t.TempDir(), "journal")
		store := promwiretest.NewMemory(promwiretest.TakeOlder)
		s := transfer.Sender{Writer: &stopping{store, 2, false}, Journal: journal(t, path), Batch: 50}
		if err := s.Send(t.Context(), 0, all(data(30))); !errors.Is(err, errStopped) {
			t.Fatal(err)
		}
		s = transfer.Sender{Writer: &stopping{}, Journal: journal(t, path), Batch: 50}
		if err := s.Send(t.Context(), 0, all(change(data(30)))); !errors.Is(err, transfer.ErrChanged) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What is refused costs itself only, and is counted by reason, whatever the receiver says of it.
func TestRefusals(t *testing.T) {
	bad := func(ls promwire.Labels) bool { return ls.Get("i") == "004" }
	for _, c := range []struct {
		style promwiretest.RefusalStyle
		mt    promwire.MessageType
	}{{promwiretest.RefusePart, promwire.WriteV2}, {promwiretest.RefuseAll, promwire.WriteV1}} {
		store := promwiretest.NewMemory(promwiretest.RefuseOlder)
		r := promwiretest.NewReceiver(promwiretest.WithStorage(store))
		r.SetScript(promwiretest.Always(promwiretest.RefuseSeries(bad, c.style)))
		j := journal(t, "")
		s := transfer.Sender{Writer: client(t, r.URL, c.mt), Journal: j, Batch: 100}
		if err := s.Send(t.Context(), 0, all(data(30))); err != nil {
			t.Fatal(err)
		}
		if n := j.Written; n.Samples != 520 || n.Histograms != 60 || j.Refused.Total() != 20 || store.Stats() != n {
			t.Errorf("style %d, %s: %+v written, %+v refused, %+v stored", c.style, c.mt, n, j.Refused, store.Stats())
		}
		var b bytes.Buffer
		if j.Refused.Print(&b, "refused"); !strings.Contains(b.String(), `i="004"`) {
			t.Errorf("the series is not named: %s", &b)
		}
		r.Close()
	}
}

// Answers that are not about the data end a transfer.
func TestHopeless(t *testing.T) {
	for status, requests := range map[int]int{http.StatusUnauthorized: 1, http.StatusNotFound: 1, http.StatusBadRequest: 100} {
		r := promwiretest.NewReceiver()
		r.SetScript(promwiretest.Always(promwiretest.Status(status)))
		s := transfer.Sender{Writer: client(t, r.URL, promwire.WriteV1), Journal: journal(t, ""), Batch: 1}
		var answer *promwire.HTTPError
		err := s.Send(t.Context(), 0, all(data(30)))
		if !errors.As(err, &answer) || answer.StatusCode != status || len(r.Requests()) > 4*requests {
			t.Errorf("%d: %v after %d requests", status, err, len(r.Requests()))
		}
		r.Close()
	}
}

// A receiver that counts is believed when it says that nothing was good: there is nothing to look for.
func TestAllRefused(t *testing.T) {
	store := promwiretest.NewMemory(promwiretest.RefuseOlder)
	for _, p := range data(30)[30:] {
		p = p.Clone()
		for i := range p.Samples {
			p.Samples[i].Timestamp += 7_200_000
		}
		for i := range p.Histograms {
			p.Histograms[i].Timestamp += 7_200_000
		}
		if _, err := store.Write(t.Context(), &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{p}}); err != nil {
			t.Fatal(err)
		}
	}
	before := store.Stats()
	r := promwiretest.NewReceiver(promwiretest.WithStorage(store))
	defer r.Close()
	transport := transfer.NoteCounts(http.DefaultTransport)
	c, err := remote.NewWriteClient(r.URL, remote.WithMessageType(promwire.WriteV2), remote.WithHTTPClient(&http.Client{Transport: transport}))
	if err != nil {
		t.Fatal(err)
	}
	j := journal(t, "")
	s := transfer.Sender{Writer: transfer.NewCareful(c), Journal: j, Batch: 30}
	if err := s.Send(t.Context(), 0, all(data(30))); err != nil {
		t.Fatal(err)
	}
	if n := len(r.Requests()); n != 20 || j.Refused.Total() != 600 || j.Refused.Reasons[0].Text != promwire.ErrOutOfOrder.Error() || store.Stats() != before {
		t.Errorf("%d requests, %+v refused", n, j.Refused)
	}
}

func TestJournalErrors(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	j := journal(t, path)
	if j.Resumed || !journal(t, path).Resumed {
		t.Error("it is not there at the second time")
	}
	if _, err := transfer.OpenJournal(path, "other", 1); !errors.Is(err, transfer.ErrOtherJournal) {
		t.Errorf("got %v", err)
	}
	if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := transfer.OpenJournal(path, "task", 1); err == nil || !strings.Contains(err.Error(), "begin anew") {
		t.Errorf("got %v", err)
	}
}

// Each point that is missing, or is another one, is found and named.
func TestVerify(t *testing.T) {
	parts := data(200)
	store := promwiretest.NewMemory(promwiretest.TakeOlder)
	missing := map[string]bool{}
	for i, p := range parts {
		p = p.Clone()
		switch i {
		case 20:
			p.Samples = append(p.Samples[:2], p.Samples[3:]...)
			missing[p.Labels.String()] = true
		case 40:
			p.Samples[1].Value = math.Copysign(0, -1)
			missing[p.Labels.String()] = true
		case 59:
			p.Histograms[0].Count++
			p.Histograms[0].ZeroCount++
			missing[p.Labels.String()] = true
		case 60:
			continue
		}
		if _, err := store.Write(t.Context(), &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{p}}); err != nil {
			t.Fatal(err)
		}
	}
	v := transfer.Verifier{Reader: store}
	if err := v.Verify(t.Context(), all(parts)); err != nil {
		t.Fatal(err)
	}
	if v.Points != 4000 || v.Missing.Total() != 13 || len(v.Missing.Reasons) != 2 {
		t.Errorf("%d compared, %d missing: %+v", v.Points, v.Missing.Total(), v.Missing.Reasons)
	}
	var b bytes.Buffer
	v.Missing.Print(&b, "missing")
	for name := range missing {
		if !strings.Contains(b.String(), name) {
			t.Errorf("%s is not named: %s", name, &b)
		}
	}
}

// slow shows what is there a while after it was asked for the first time.
type slow struct {
	promwire.Reader
	after time.Duration
	first time.Time
	reads int
}

// Read implements promwire.Reader.
func (s *slow) Read(ctx context.Context, q promwire.Query) iter.Seq2[promwire.TimeSeries, error] {
	if s.reads++; s.first.IsZero() {
		s.first = time.Now()
	}
	if time.Since(s.first) < s.after {
		return all(nil)
	}
	return s.Reader.Read(ctx, q)
}

// What is not there yet is waited for, once for all; a value may differ as far as is said.
func TestVerifyWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := promwiretest.NewMemory(promwiretest.TakeOlder)
		parts := []promwire.TimeSeries{
			{Labels: promwire.LabelsFromStrings("__name__", "m"), Samples: []promwire.Sample{{Timestamp: 1, Value: 1 + 1e-12}, {Timestamp: 2, Value: math.Inf(1)}}},
			{Labels: promwire.LabelsFromStrings("__name__", "n"), Samples: []promwire.Sample{{Timestamp: 1, Value: 3}}},
		}
		stored := []promwire.TimeSeries{parts[0].Clone(), parts[1].Clone()}
		stored[0].Samples[0].Value = 1
		if _, err := store.Write(t.Context(), &promwire.WriteRequest{Timeseries: stored}); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			after, wait time.Duration
			tolerance   float64
			missing     int64
		}{
			{9 * time.Second, 10 * time.Second, 1e-11, 0},
			{0, 0, 1e-11, 0},
			{0, 10 * time.Second, 0, 1},
			{0, 10 * time.Second, 1e-13, 1},
			{12 * time.Second, 10 * time.Second, 1e-11, 3},
			{time.Second, 0, 1e-11, 3},
		} {
			r := &slow{Reader: store, after: c.after}
			v := transfer.Verifier{Reader: r, Wait: c.wait, Tolerance: c.tolerance}
			begin := time.Now()
			if err := v.Verify(t.Context(), all(parts)); err != nil || v.Missing.Total() != c.missing || v.Points != 3 {
				t.Errorf("%+v: %v, %d of %d missing after %v", c, err, v.Missing.Total(), v.Points, time.Since(begin))
			}
			if took := time.Since(begin); took > c.wait+time.Second || c.missing == 1 && r.reads > 1 {
				t.Errorf("%+v: it took %v, and %d reads", c, took, r.reads)
			}
		}
	})
}

// A copy asks for each moment once; a window that has changed since is sent again as a whole.
func TestCopy(t *testing.T) {
	source, target := promwiretest.NewMemory(promwiretest.TakeOlder), promwiretest.NewMemory(promwiretest.TakeOlder)
	if _, err := source.Write(t.Context(), &promwire.WriteRequest{Timeseries: data(30)}); err != nil {
		t.Fatal(err)
	}
	m := []promwire.Matcher{{Type: promwire.MatchEqual, Name: promwire.MetricName, Value: "m"}}
	last := time.Time{}
	c := transfer.Copy{
		Start: time.UnixMilli(1700000000000), End: time.UnixMilli(1700003599999), Window: 7 * time.Minute,
		Read: func(ctx context.Context, start, end time.Time) iter.Seq2[promwire.TimeSeries, error] {
			if !last.IsZero() && start.Sub(last) != time.Millisecond && start.After(last) {
				t.Errorf("window from %v, the last one ended at %v", start, last)
			}
			last = end
			return source.Read(ctx, promwire.Query{Start: start, End: end, Matchers: m})
		},
	}
	path := filepath.Join(t.TempDir(), "journal")
	s := transfer.Sender{Writer: &stopping{target, 2, false}, Journal: journal(t, path), Batch: 70}
	if err := c.Send(t.Context(), &s); !errors.Is(err, errStopped) {
		t.Fatal(err)
	}
	late := promwire.TimeSeries{Labels: promwire.LabelsFromStrings("__name__", "m", "i", "0"), Samples: []promwire.Sample{{Timestamp: 1700000000500, Value: 1}}}
	if _, err := source.Write(t.Context(), &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{late}}); err != nil {
		t.Fatal(err)
	}
	last = time.Time{}
	s = transfer.Sender{Writer: target, Journal: journal(t, path), Batch: 70}
	if err := c.Send(t.Context(), &s); err != nil {
		t.Fatal(err)
	}
	v := transfer.Verifier{Reader: target}
	if err := c.Verify(t.Context(), &v); err != nil || v.Points != 601 || v.Missing.Total() != 0 || !last.Equal(c.End) {
		t.Errorf("%v, %d compared, %+v missing, until %v", err, v.Points, v.Missing, last)
	}
}
