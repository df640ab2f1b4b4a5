package metrics_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/metrics"
)

// The variables that turn the test program into the job of TestStateKill.
const (
	jobState = "PROMWIRE_TEST_JOB_STATE"
	jobURL   = "PROMWIRE_TEST_JOB_URL"
)

func TestMain(m *testing.M) {
	if path := os.Getenv(jobState); path != "" {
		fmt.Println("began")
		if err := runJob(path, os.Getenv(jobURL)); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println("acknowledged")
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// runJob adds 1 to a counter and observes 1.
func runJob(path, url string) error {
	st, err := metrics.OpenState(context.Background(), path)
	if err != nil {
		return err
	}
	reg := metrics.NewRegistry(metrics.WithState(st))
	metrics.Must(reg.Counter("runs")).Inc()
	metrics.Must(reg.Histogram("took", metrics.WithBounds(1))).Observe(1)
	err = metrics.NewPusher(reg, httpWriter(url)).Push(context.Background())
	return errors.Join(err, st.Close())
}

// httpWriter posts the message to a URL.
type httpWriter string

func (url httpWriter) Write(ctx context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	body, err := req.AppendProto(nil, promwire.WriteV2)
	if err != nil {
		return promwire.WriteStats{}, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, string(url), strings.NewReader(string(body)))
	if err != nil {
		return promwire.WriteStats{}, err
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return promwire.WriteStats{}, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusNoContent {
		return promwire.WriteStats{}, &promwire.HTTPError{StatusCode: resp.StatusCode}
	}
	return req.Stats(), nil
}

// killStore is a store that keeps the newest sample of each series and demands that all go up. It is down now and then,
// before or after it has stored a request, and takes a while: a kill shall hit every moment.
type killStore struct {
	mu     sync.Mutex
	newest map[string]promwire.Sample
	first  map[string]promwire.Sample
	faults []string
}

func (s *killStore) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var req promwire.WriteRequest
	if err == nil {
		err = req.UnmarshalProto(body, promwire.WriteV2)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	moment := rand.IntN(10)
	if err == nil && moment != 0 { // else it is down at once
		s.store(&req)
	}
	if err != nil || moment < 2 {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *killStore) store(req *promwire.WriteRequest) {
	for _, ts := range req.Timeseries {
		name := ts.Labels.String()
		for _, x := range ts.Samples {
			old, known := s.newest[name]
			if !known {
				s.first[name] = x
			}
			switch {
			case known && x.Timestamp <= old.Timestamp && x != old:
				if x != s.first[name] { // the zero of a first push that was not acknowledged comes again
					s.faults = append(s.faults, fmt.Sprintf("%s: %+v after %+v", name, x, old))
				}
			case x.Value < old.Value:
				s.faults = append(s.faults, fmt.Sprintf("%s goes down from %+v to %+v", name, old, x))
			default:
				s.newest[name] = x
			}
		}
	}
}

// 200 runs of a program that adds 1, of which about half are killed at random moments, two at a time: every run that
// said so is counted once, a run that did not say so at most once, and nothing ever goes down.
func TestStateKill(t *testing.T) {
	store := &killStore{newest: map[string]promwire.Sample{}, first: map[string]promwire.Sample{}}
	receiver := httptest.NewServer(store)
	defer receiver.Close()
	path := filepath.Join(t.TempDir(), "job.state")
	var mu sync.Mutex
	acknowledged, kept, killed := 0, 0, 0
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for range 100 {
				out := killedJob(t, path, receiver.URL)
				mu.Lock()
				switch {
				case strings.Contains(out, "acknowledged"):
					acknowledged++
				case strings.Contains(out, metrics.ErrKept.Error()):
					kept++
				case out == "" || out == "began\n":
					killed++
				default:
					t.Errorf("unexpected output: %s", out)
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	last := false
	for range 100 {
		if out := killedJobAfter(t, path, receiver.URL, time.Hour); strings.Contains(out, "acknowledged") {
			acknowledged, last = acknowledged+1, true
			break
		}
		kept++
	}
	if !last {
		t.Fatal("the store never answered")
	}
	for _, f := range store.faults {
		t.Error(f)
	}
	for _, series := range []string{"runs_total", "took_count", `took_bucket{le="+Inf"}`, "took_sum"} {
		first, newest := store.first[series], store.newest[series]
		if first.Value != 0 {
			t.Errorf("%s begins with %+v, want zero", series, first)
		}
		if v := int(newest.Value); v < acknowledged+kept || v > acknowledged+kept+killed {
			t.Errorf("%s is %d: %d runs were acknowledged, %d kept, %d killed", series, v, acknowledged, kept, killed)
		}
	}
	t.Logf("%d acknowledged, %d kept, %d killed, counted %v", acknowledged, kept, killed, store.newest["runs_total"].Value)
}

func killedJob(t *testing.T, path, url string) string {
	life := time.Hour
	if rand.IntN(2) == 0 {
		life = time.Duration(rand.Int64N(int64(15 * time.Millisecond)))
	}
	return killedJobAfter(t, path, url, life)
}

func killedJobAfter(t *testing.T, path, url string, life time.Duration) string {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), jobState+"="+path, jobURL+"="+url)
	var out strings.Builder
	cmd.Stdout = &out
	if err := cmd.Start(); err != nil {
		t.Error(err)
		return ""
	}
	timer := time.AfterFunc(life, func() { _ = cmd.Process.Kill() }) // it may have ended by itself
	_ = cmd.Wait()
	timer.Stop()
	return out.String()
}
