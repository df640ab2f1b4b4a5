package tenants

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/tsdbstore"
)

func TestCheckName(t *testing.T) {
	for name, good := range map[string]bool{
		"a": true, "team-1": true, "!-_.*'()": true, "...": true, strings.Repeat("x", 150): true,
		"": false, ".": false, "..": false, "a/b": false, `a\b`: false, "a\x00": false, "a\n": false, "ü": false,
		strings.Repeat("x", 151): false, "a|b": false, "a:b": false, "~": false,
	} {
		if err := CheckName(name); (err == nil) != good || err != nil && !errors.Is(err, ErrName) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// FuzzCheckName demands that a good name is that of a folder directly below another one.
func FuzzCheckName(f *testing.F) {
	f.Add("..")
	f.Fuzz(func(t *testing.T, name string) {
		if CheckName(name) == nil && (filepath.Dir(filepath.Join("a", name)) != "a" || !filepath.IsLocal(name)) {
			t.Errorf("%q", name)
		}
	})
}

func write(t *testing.T, s *Set, tenant string) error {
	t.Helper()
	return writeAt(t, s, tenant, time.Now())
}

func writeAt(t *testing.T, s *Set, tenant string, at time.Time) error {
	t.Helper()
	_, err := s.Write(promwire.ContextWithTenant(t.Context(), tenant), &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{{
		Labels: promwire.LabelsFromStrings("__name__", "m"), Samples: []promwire.Sample{{Timestamp: at.UnixMilli(), Value: 1}},
	}}})
	return err
}

// TestTenantsAtOnce lets many requests bring the same tenants at the same time, beyond the bound.
func TestTenantsAtOnce(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(dir, 3, tsdbstore.Options{MinFree: -1})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	refused := 0
	for i := range 20 {
		wg.Go(func() {
			switch err := write(t, s, fmt.Sprint("t", i%4)); {
			case errors.Is(err, ErrFull):
				mu.Lock()
				refused++
				mu.Unlock()
			case err != nil && !errors.Is(err, promwire.ErrDuplicateTimestamp) && !errors.Is(err, promwire.ErrOutOfOrder):
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if refused != 5 {
		t.Errorf("%d refused, want those of one tenant", refused)
	}
	if err := s.Reconfigure(tsdbstore.Options{MinFree: -1, Retention: time.Hour}); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := write(t, s, "t0"); !errors.Is(err, promwire.ErrUnavailable) {
		t.Errorf("closed: %v", err)
	}
	if _, err := Open(dir, 2, tsdbstore.Options{MinFree: -1}); err == nil || !strings.Contains(err.Error(), "--max-tenants") {
		t.Errorf("fewer than there are: %v", err)
	}
}

// TestTenantThatCannotOpen must not be in the way of others, nor be lost for good.
func TestTenantThatCannotOpen(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(dir, 2, tsdbstore.Options{MinFree: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	path := filepath.Join(dir, Dir, "bad")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := write(t, s, "bad"); !errors.Is(err, promwire.ErrUnavailable) {
		t.Errorf("a file where the folder should be: %v", err)
	}
	if err := write(t, s, "good"); err != nil {
		t.Error(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := write(t, s, "bad"); err != nil {
		t.Errorf("when the file is gone: %v", err)
	}
}

func TestDataWithoutTenants(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "wal"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir, 2, tsdbstore.Options{MinFree: -1}); err == nil || !strings.Contains(err.Error(), "without tenants") {
		t.Error(err)
	}
}
