package tenants

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/tsdbstore"
)

func openSet(t *testing.T, o tsdbstore.Options) *Set {
	t.Helper()
	o.MinFree = -1
	s, err := Open(t.TempDir(), 50, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// count returns how many samples a tenant has.
func count(t *testing.T, s *Set, tenant string) (n int) {
	t.Helper()
	for ts, err := range s.Read(promwire.ContextWithTenant(t.Context(), tenant), everything()) {
		if err != nil {
			t.Error(err)
		}
		n += len(ts.Samples)
	}
	return n
}

// writeLater is write for the n-th time.
func writeLater(t *testing.T, s *Set, tenant string, n int) error {
	t.Helper()
	return writeAt(t, s, tenant, time.Now().Add(time.Duration(n)*time.Second))
}

func everything() promwire.Query {
	return promwire.Query{
		Start: time.Now().Add(-time.Hour), End: time.Now().Add(time.Hour),
		Matchers: []promwire.Matcher{{Type: promwire.MatchEqual, Name: "__name__", Value: "m"}},
	}
}

// closeAll closes what is idle, and returns how many stores that were.
func closeAll(s *Set) (n int) {
	for _, t := range s.all() {
		s.closeIdle(t, 0, func(*tsdbstore.Store) { n++ })
	}
	return n
}

// TestIdle closes a store again and again between requests. One that is read, even by a loop that writes, stays open.
func TestIdle(t *testing.T) {
	s := openSet(t, tsdbstore.Options{})
	for i := range 3 {
		if err := writeLater(t, s, "a", i); err != nil {
			t.Fatal(err)
		}
		if n := closeAll(s); n != 1 {
			t.Fatalf("%d closed", n)
		}
		if n := closeAll(s); n != 0 {
			t.Fatalf("%d closed again", n)
		}
		if n := count(t, s, "a"); n != i+1 {
			t.Fatalf("%d samples, want %d", n, i+1)
		}
	}
	for _, err := range s.Read(promwire.ContextWithTenant(t.Context(), "a"), everything()) {
		if err != nil {
			t.Fatal(err)
		}
		if err := writeLater(t, s, "a", 10); err != nil {
			t.Error(err)
		}
		if n := closeAll(s); n != 0 {
			t.Error("it was closed while it was read")
		}
	}
	closeAll(s)
	if err := s.Full("a"); err != nil || len(s.all()) != 1 {
		t.Errorf("a tenant that is closed is one: %v", err)
	}
	wantMetrics(t, s, map[string]float64{
		"promwire_tenants": 1, "promwire_tenants_open": 0, "promwire_tenant_opens_total": 4, "promwire_tenant_closes_total": 4,
		"promwire_tenant_close_failures_total": 0,
	})
}

func wantMetrics(t *testing.T, s *Set, want map[string]float64) {
	t.Helper()
	registry := prometheus.NewRegistry()
	registry.MustRegister(s.Metrics())
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, f := range families {
		v, ok := want[f.GetName()]
		if !ok {
			continue
		}
		found++
		if m := f.Metric[0]; m.GetGauge().GetValue()+m.GetCounter().GetValue() != v {
			t.Errorf("want %v: %v", v, f)
		}
	}
	if found != len(want) {
		t.Errorf("%d of %v found", found, want)
	}
}

// TestIdleAtOnce writes and reads while stores are closed all the time. Nothing may fail, and nothing be lost.
func TestIdleAtOnce(t *testing.T) {
	s := openSet(t, tsdbstore.Options{})
	var closed atomic.Int64
	s.CloseIdle(time.Millisecond, func(*tsdbstore.Store) { closed.Add(1) })
	var wg sync.WaitGroup
	for i := range 4 {
		tenant := fmt.Sprint("t", i)
		wg.Go(func() {
			for n := range 20 {
				if err := writeLater(t, s, tenant, n); err != nil {
					t.Error(err)
				}
				if got := count(t, s, tenant); got != n+1 {
					t.Errorf("%s has %d samples, want %d", tenant, got, n+1)
				}
				if n%4 == 3 {
					time.Sleep(5 * time.Millisecond)
				}
			}
		})
		wg.Go(func() {
			for range 50 {
				wantMetrics(t, s, map[string]float64{"promwire_tenant_close_failures_total": 0})
			}
			if err := s.Reconfigure(tsdbstore.Options{MinFree: -1, Retention: time.Hour}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if closed.Load() == 0 {
		t.Error("none was closed")
	}
}

// TestIdleThatCannotClose must not be closed while it could not be opened again, and be counted if closing it fails.
func TestIdleThatCannotClose(t *testing.T) {
	var logged bytes.Buffer
	s := openSet(t, tsdbstore.Options{Logger: slog.New(slog.NewTextHandler(&logged, nil))})
	if err := write(t, s, "a"); err != nil {
		t.Fatal(err)
	}
	probe := filepath.Join(s.dir, "a", "probe.tmp")
	if err := os.Mkdir(probe, 0o700); err != nil {
		t.Fatal(err)
	}
	if n := closeAll(s); n != 0 || !strings.Contains(logged.String(), "stays open") {
		t.Errorf("%d closed: %s", n, &logged)
	}
	if err := os.Remove(probe); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(s.dir, "a", "lock")); err != nil {
		t.Fatal(err)
	}
	if n := closeAll(s); n != 1 || !strings.Contains(logged.String(), "not closed as it should be") {
		t.Errorf("%d closed: %s", n, &logged)
	}
	wantMetrics(t, s, map[string]float64{"promwire_tenant_close_failures_total": 2, "promwire_tenants_open": 0})
	if n := count(t, s, "a"); n != 1 {
		t.Errorf("%d samples", n)
	}
}
