package promwiretest_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/promwiretest"
)

// recorder is a test that is expected to fail.
type recorder struct{ failures []string }

func (*recorder) Helper() {}

func (r *recorder) Errorf(format string, args ...any) {
	r.failures = append(r.failures, fmt.Sprintf(format, args...))
}

// failed returns the names of the checks that failed.
func (r *recorder) failed() map[string]bool {
	out := map[string]bool{}
	for _, failure := range r.failures {
		name, _, _ := strings.Cut(failure, ":")
		out[name] = true
	}
	return out
}

// TestSuiteFindsBrokenStorages runs the suite against storages with one fault each. Each has to fail the check that is
// about its fault.
func TestSuiteFindsBrokenStorages(t *testing.T) {
	for _, b := range brokenStorages {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			r := &recorder{}
			opts := []promwiretest.StorageOption{promwiretest.WithChecks(b.check)}
			if b.blocks {
				opts = append(opts, promwiretest.WithCheckTime(500*time.Millisecond))
			}
			promwiretest.TestStorage(r, b.make, append(opts, b.opts...)...)
			if !r.failed()[b.check] {
				t.Errorf("%s passes; failures: %v", b.check, r.failures)
			}
			if text := strings.Join(r.failures, "\n"); !strings.Contains(text, b.says) {
				t.Errorf("fails by %s, want something about %q", text, b.says)
			}
		})
	}
}

// TestSuiteOptions: an option changes what is demanded, in both directions.
func TestSuiteOptions(t *testing.T) {
	memory := func(rule promwiretest.OrderRule) func() promwire.Storage {
		return func() promwire.Storage { return promwiretest.NewMemory(rule) }
	}
	for _, tt := range []struct {
		name  string
		make  func() promwire.Storage
		opts  []promwiretest.StorageOption
		fails string // the check that fails; "" for none
	}{
		{"order refused", memory(promwiretest.RefuseOlder), []promwiretest.StorageOption{promwiretest.WithOrder(promwiretest.TakeOlder)}, "write/late"},
		{"order taken", memory(promwiretest.TakeOlder), []promwiretest.StorageOption{promwiretest.WithOrder(promwiretest.RefuseOlder)}, "write/late"},
		{"does not overwrite", memory(promwiretest.TakeOlder), []promwiretest.StorageOption{promwiretest.WithOverwrite()}, "write/other-value"},
		{"has histograms", memory(promwiretest.TakeOlder), []promwiretest.StorageOption{promwiretest.WithoutNativeHistograms()}, "values/histograms"},
		{"has no histograms", refuseHistograms, []promwiretest.StorageOption{promwiretest.WithoutNativeHistograms()}, ""},
		{"has no histograms and does not say so", refuseHistograms, nil, "values/histograms"},
		{"overwrites", overwrite, []promwiretest.StorageOption{promwiretest.WithOverwrite()}, ""},
		{"overwrites and does not say so", overwrite, nil, "write/other-value"},
		{"late, with time to settle", late, []promwiretest.StorageOption{promwiretest.WithSettle(10 * time.Second)}, ""},
		{"late", late, nil, "write/counts"},
		{"left out", memory(promwiretest.RefuseOlder), []promwiretest.StorageOption{
			promwiretest.WithOrder(promwiretest.TakeOlder), promwiretest.WithoutChecks("write/late"),
		}, ""},
		{"another start", memory(promwiretest.RefuseOlder), []promwiretest.StorageOption{promwiretest.WithStart(time.UnixMilli(-5_000_000))}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := &recorder{}
			opts := append([]promwiretest.StorageOption{
				promwiretest.WithChecks("write/late", "write/other-value", "write/counts", "values", "read/range"),
			}, tt.opts...)
			promwiretest.TestStorage(r, tt.make, opts...)
			failed := r.failed()
			if tt.fails != "" != failed[tt.fails] || tt.fails == "" && len(failed) > 0 {
				t.Errorf("failed %v, want %q: %v", failed, tt.fails, r.failures)
			}
		})
	}
}
