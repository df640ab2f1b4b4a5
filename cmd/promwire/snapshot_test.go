package main

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
)

// TestSnapshot takes a snapshot while clients write, in order and late, and starts a server on a copy of it: all that was
// acknowledged before the call must be there.
func TestSnapshot(t *testing.T) {
	dir := t.TempDir()
	p := startServe(t, dir, "--web.enable-admin-api")
	writers := newCrashWriters(2)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var wg sync.WaitGroup
	acknowledged := make([]atomic.Int64, len(writers))
	for _, w := range writers {
		wg.Go(func() { w.run(ctx, t, p.write, func() { acknowledged[w.id].Add(1) }) })
	}
	until(t, "some writes", func() bool { return acknowledged[0].Load() > 20 && acknowledged[1].Load() > 20 })
	before := []int{int(acknowledged[0].Load()), int(acknowledged[1].Load())}
	name := takeSnapshot(t, p.url, "")
	seen := acknowledged[0].Load()
	until(t, "writes after the snapshot", func() bool { return acknowledged[0].Load() > seen+5 })
	cancel()
	wg.Wait()
	if code, _, err := p.end(syscall.SIGTERM); err != nil || code != 0 {
		t.Fatalf("code %d, %v: %s", code, err, p.err)
	}
	restored := t.TempDir()
	if err := os.CopyFS(filepath.Join(restored, "data"), os.DirFS(filepath.Join(dir, "data", "snapshots", name))); err != nil {
		t.Fatal(err)
	}
	r := startServe(t, restored)
	for i, w := range writers {
		w.acked = before[i]
	}
	t.Logf("%d samples found", checkAcknowledged(t, r, writers))
	for _, w := range writers { // the restored server takes what comes next
		stats, err := writeOne(t, r.write, w.request(len(w.times)))
		if err != nil || stats.Samples+stats.Histograms != samplesPerRequest {
			t.Errorf("writing on: %+v, %v", stats, err)
		}
	}
}

// TestSnapshotWithoutHead checks skip_head, and who may call.
func TestSnapshotWithoutHead(t *testing.T) {
	dir := t.TempDir()
	p := startServe(t, dir, "--web.enable-admin-api")
	w := newCrashWriters(1)[0]
	if _, err := writeOne(t, p.write, w.request(0)); err != nil {
		t.Fatal(err)
	}
	name := takeSnapshot(t, p.url, "?skip_head=true")
	entries, err := os.ReadDir(filepath.Join(dir, "data", "snapshots", name))
	for _, e := range entries {
		if e.IsDir() {
			t.Errorf("the snapshot has a block: %s", e.Name())
		}
	}
	if err != nil {
		t.Error(err)
	}
	for query, want := range map[string]int{"?skip_head=perhaps": 400} {
		if code, text := post(t, p.url+"/api/v1/admin/tsdb/snapshot"+query, nil); code != want {
			t.Errorf("%s: %d %s", query, code, text)
		}
	}
	if code, text := post(t, p.url+"/api/v1/admin/tsdb/snapshot", http.Header{"Sec-Fetch-Site": {"cross-site"}}); code != 403 {
		t.Errorf("from a page of another site: %d %s", code, text)
	}
	off := startServe(t, t.TempDir())
	if code, text := post(t, off.url+"/api/v1/admin/tsdb/snapshot", nil); code != 503 || !strings.Contains(text, "--web.enable-admin-api") {
		t.Errorf("without the flag: %d %s", code, text)
	}
}

func takeSnapshot(t *testing.T, url, query string) (name string) {
	t.Helper()
	code, text := post(t, url+"/api/v1/admin/tsdb/snapshot"+query, nil)
	var answer struct {
		Status string
		Data   struct{ Name string }
	}
	if err := json.Unmarshal([]byte(text), &answer); err != nil || code != 200 || answer.Status != "success" || answer.Data.Name == "" {
		t.Fatalf("snapshot: %d %s, %v", code, text, err)
	}
	return answer.Data.Name
}
