package main

import (
	"bytes"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/remote"
)

// TestTenantIdle has the stores of tenants closed, which remote read, a query and a write open again, one each. Nothing is lost,
// not by a kill either.
func TestTenantIdle(t *testing.T) {
	dir := t.TempDir()
	args := []string{"--multi-tenant", "--tenant-idle", "300ms"}
	p := startServe(t, dir, args...)
	now := time.Now()
	write := func(tenant string, at time.Time) {
		t.Helper()
		_, err := writeOne(t, p.write, &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{{
			Labels:  promwire.LabelsFromStrings("__name__", "m"),
			Samples: []promwire.Sample{{Timestamp: at.UnixMilli(), Value: 1}},
		}}}, remote.WithHeader(promwire.HeaderTenant, tenant))
		if err != nil {
			t.Error(err)
		}
	}
	for i := range 5 {
		write(fmt.Sprint("t", i), now)
	}
	open := func(n int) func() bool {
		return func() bool {
			return strings.Contains(get(t, p.url+"/metrics"), fmt.Sprintf("\npromwire_tenants_open %d\n", n))
		}
	}
	until(t, "tenants that are all closed", open(0))
	if text := get(t, p.url+"/metrics"); strings.Contains(text, `tenant="t0"`) || !strings.Contains(text, "\npromwire_tenants 5\n") {
		t.Errorf("metrics of tenants that are closed:\n%s", text)
	}
	if code, text := queryTenant(t, p, "t0"); code != 200 || !strings.Contains(text, `"1"]`) {
		t.Errorf("query: %d %s", code, text)
	}
	if v := readTenant(t, p, "t1", now); v != 1 {
		t.Errorf("read: %v", v)
	}
	write("t2", now.Add(time.Second))
	until(t, "tenants that are all closed again", open(0))
	if code, _, err := p.end(syscall.SIGKILL); err != nil || code != -1 {
		t.Fatalf("killed: code %d, %v", code, err)
	}
	if n := bytes.Count(p.err.Bytes(), []byte("closed the store of an idle tenant")); n < 7 { // the last one may not be done
		t.Errorf("the log has %d closings:\n%s", n, p.err)
	}
	p = startServe(t, dir, args...)
	for i := range 5 {
		write(fmt.Sprint("t", i), now.Add(time.Minute))
		want := map[bool]float64{true: 3, false: 2}[i == 2]
		if v := readTenant(t, p, fmt.Sprint("t", i), now); v != want {
			t.Errorf("tenant %d has %v, want %v", i, v, want)
		}
	}
}
