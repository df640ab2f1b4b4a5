package scrape_test

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/scrape"
)

// A target that stays is scraped on at its times; what new settings take away is marked by its next scrape.
func TestReload(t *testing.T) {
	w := &world{answer: answer{body: "a 1\nb 2\n"}, targets: []scrape.Target{target}}
	run(t, w, func(m *scrape.Manager) {
		s := slot(t, w)
		w.take()
		next := func(want string, later int64) {
			t.Helper()
			time.Sleep(10 * time.Second)
			synctest.Wait()
			s += later
			expect(t, w, fmt.Sprintf(want, s))
		}
		job := func(change func(*scrape.Job)) *scrape.Job {
			j := &scrape.Job{Name: "j", Find: w.find, Client: &http.Client{Transport: w}}
			change(j)
			return j
		}
		// Nothing changes but that b is dropped. Only the last of several reloads counts.
		m.Reload([]*scrape.Job{job(func(*scrape.Job) {})})
		m.Reload([]*scrape.Job{job(func(j *scrape.Job) {
			j.Relabel = func(ls promwire.Labels) promwire.Labels {
				if ls.Get("__name__") == "b" {
					return nil
				}
				return ls
			}
		})})
		next("a 1 @%[1]d; b stale @%[1]d; up 1 @%[1]d", 10_000)
		next("a 1 @%[1]d; up 1 @%[1]d", 10_000)
		// Other labels make other series of all, those of the report included.
		m.Reload([]*scrape.Job{job(func(j *scrape.Job) { j.External = promwire.LabelsFromStrings("site", "s") })})
		next(`a{site="s"} 1 @%[1]d; b{site="s"} 2 @%[1]d; a stale @%[1]d; up stale @%[1]d; up{site="s"} 1 @%[1]d`, 10_000)
		// Targets that can't be found after a reload are those from before.
		m.Reload([]*scrape.Job{job(func(j *scrape.Job) {
			j.Find = func() ([]scrape.Target, error) { return nil, errors.New("no such file") }
		})})
		next(`a 1 @%[1]d; b 2 @%[1]d; a{site="s"} stale @%[1]d; b{site="s"} stale @%[1]d; up{site="s"} stale @%[1]d; up 1 @%[1]d`, 10_000)
		// A job that is gone is marked as gone.
		other := job(func(*scrape.Job) {})
		other.Name, other.Find = "k", func() ([]scrape.Target, error) { return nil, nil }
		m.Reload([]*scrape.Job{other})
		next("a stale @%[1]d; b stale @%[1]d; up stale @%[1]d", 10_000)
		time.Sleep(time.Minute)
		synctest.Wait()
		expect(t, w)
	})
}

// Another interval begins at once, and marks nothing.
func TestReloadInterval(t *testing.T) {
	w := &world{answer: answer{body: "a 1\n"}, targets: []scrape.Target{target}}
	run(t, w, func(m *scrape.Manager) {
		slot(t, w)
		w.take()
		fast := target
		fast.Interval, fast.Timeout = time.Second, time.Second
		w.aim(fast)
		m.Reload([]*scrape.Job{{Name: "j", Find: w.find, Client: &http.Client{Transport: w}}})
		time.Sleep(5 * time.Second)
		synctest.Wait()
		got := w.requests()
		if len(got) < 4 || len(got) > 6 {
			t.Errorf("%d scrapes in 5 seconds", len(got))
		}
		for _, series := range got {
			for _, ts := range series {
				if promwire.IsStaleNaN(ts.Samples[0].Value) {
					t.Errorf("%s is marked", ts.Labels)
				}
			}
		}
		if up := m.Stats().Up.Load(); up != 1 {
			t.Errorf("%d targets up", up)
		}
	})
}
