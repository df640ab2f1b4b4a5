package scrape

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/exposition"
)

func newTestBook(job *Job) *book {
	return newBook(job, &Target{Labels: promwire.LabelsFromStrings("instance", "i", "job", "j")})
}

// FuzzBook makes requests of three expositions in a row: the third is the first again. Whatever they hold, the requests
// are what a receiver takes, no series contradicts itself, and what went away is marked once.
func FuzzBook(f *testing.F) {
	f.Add([]byte("a 1\nb{x=\"1\"} 2\n"), []byte("a 1\n"), uint8(0))
	f.Add([]byte("a 1 5\na 2 6\n"), []byte("a{job=\"x\",exported_job=\"y\"} 1\n"), uint8(0))
	f.Add([]byte("a 1 5\nb 2\n"), []byte("b 2 7\n"), uint8(8))
	f.Add([]byte("# TYPE a counter\na_total 1 # {t=\"u\"} 0.5 1.5\na_created 7\n# EOF\n"), []byte("up 1\n# EOF\n"), uint8(1))
	f.Fuzz(func(t *testing.T, one, two []byte, flags uint8) {
		format := exposition.Text + exposition.Format(flags&3)%3
		job := &Job{HonorLabels: flags&4 != 0, MarkTimestamped: flags&8 != 0, IgnoreTimestamps: flags&16 != 0}
		if flags&32 != 0 {
			job.Limits.Samples = 3
		}
		r, b := exposition.NewReader(exposition.Options{}), newTestBook(job)
		live := map[string]bool{} // series that a marker is due for once they go away
		for i, body := range [][]byte{one, two, one} {
			at := fuzzStart + int64(1000*i)
			var series []promwire.TimeSeries
			res, err := r.Read(body, format)
			var got tally
			if err == nil {
				series, got, err = b.enter(res, at)
			}
			if err != nil {
				series = b.fail(at)
			}
			series = b.appendReport(series, at, err == nil, 0, got)
			checkRequest(t, series, live, at, job.MarkTimestamped)
			b.release()
		}
		end := fuzzStart + 3000
		checkRequest(t, b.end(end), live, end, job.MarkTimestamped)
		if len(live) > 0 {
			t.Errorf("no markers for %v", live)
		}
	})
}

// fuzzStart is when FuzzBook scrapes first. No exposition that it makes has this very time as a timestamp of its own.
const fuzzStart = int64(1_764_108_731_917)

// checkRequest judges a request as a receiver would, and keeps account of markers. Series with timestamps of their own
// are marked only if all is true.
func checkRequest(t *testing.T, series []promwire.TimeSeries, live map[string]bool, at int64, all bool) {
	t.Helper()
	seen := map[string]bool{}
	for i := range series {
		ts := &series[i]
		if err := ts.Labels.Validate(promwire.UTF8Names); err != nil {
			t.Errorf("%s: %v", ts.Labels, err)
		}
		if len(ts.Samples)+len(ts.Histograms) != 1 {
			t.Fatalf("%s has %d samples, %d histograms", ts.Labels, len(ts.Samples), len(ts.Histograms))
		}
		var stamp int64
		var stale bool
		if len(ts.Samples) == 1 {
			stamp, stale = ts.Samples[0].Timestamp, promwire.IsStaleNaN(ts.Samples[0].Value)
		} else {
			stamp, stale = ts.Histograms[0].Timestamp, promwire.IsStaleNaN(ts.Histograms[0].Sum)
			if err := ts.Histograms[0].Validate(); err != nil && !stale {
				t.Errorf("%s: %v", ts.Labels, err)
			}
		}
		name := ts.Labels.String()
		if key := fmt.Sprint(name, stamp); seen[key] {
			t.Errorf("%s is twice in the request", key)
		} else {
			seen[key] = true
		}
		switch {
		case stale && (!live[name] || stamp != at):
			t.Errorf("marker of %s at %d, for a series that is live: %v", name, stamp, live[name])
		case stale:
			delete(live, name)
		case stamp == at || all:
			live[name] = true
		}
	}
}

// scrapeBody is a usual exposition with this many series.
func scrapeBody(series int) []byte {
	var b strings.Builder
	for i := 0; i < series; i += 20 {
		fmt.Fprintf(&b, "# HELP http_requests_%d_total Requests, by code and method.\n# TYPE http_requests_%d_total counter\n", i, i)
		for n := range 20 {
			fmt.Fprintf(&b, "http_requests_%d_total{code=\"%d\",method=\"GET\",path=\"/api/v1/things/%d\"} %d\n", i, 200+n, n, i*1000+n)
		}
	}
	return []byte(b.String())
}

// What a scrape of known series allocates does not grow with their number.
func TestEnterAllocates(t *testing.T) {
	body := scrapeBody(2000)
	r, b := exposition.NewReader(exposition.Options{}), newTestBook(&Job{Client: http.DefaultClient})
	at := int64(0)
	scrape := func() {
		at += 1000
		res, err := r.Read(body, exposition.Text)
		if err != nil {
			t.Fatal(err)
		}
		series, got, err := b.enter(res, at)
		series = b.appendReport(series, at, true, 0, got)
		if err != nil || len(series) != 2005 {
			t.Fatal(len(series), err)
		}
		b.release()
	}
	for range 3 {
		scrape()
	}
	if n := testing.AllocsPerRun(20, scrape); n > 2 && !raceEnabled {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkScrape(b *testing.B) {
	const size = 2000
	body := scrapeBody(size)
	r, book := exposition.NewReader(exposition.Options{}), newTestBook(&Job{Client: http.DefaultClient})
	at := int64(0)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		at += 1000
		res, err := r.Read(body, exposition.Text)
		if err != nil {
			b.Fatal(err)
		}
		if _, _, err := book.enter(res, at); err != nil {
			b.Fatal(err)
		}
		book.release()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*size), "ns/sample")
}
