package tsdbstore

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// withBlock returns a data directory with a block and nothing else, and the folder of the block.
func withBlock(t *testing.T) (dir, block string) {
	t.Helper()
	s := openStore(t, t.TempDir(), Options{})
	mustWrite(t, s, float("a", 0, 1, 1000, 2))
	name, err := s.Snapshot(t.Context(), true)
	if err != nil {
		t.Fatal(err)
	}
	dir = filepath.Join(s.dir, SnapshotsDir, name)
	blocks, err := filepath.Glob(filepath.Join(dir, "01*"))
	if err != nil || len(blocks) != 1 {
		t.Fatalf("%v, %v", blocks, err)
	}
	return dir, blocks[0]
}

// TestDamagedBlock demands that a store with a block that can't be read does not open, says which one it is, and opens
// without it once its folder is gone.
func TestDamagedBlock(t *testing.T) {
	for name, damage := range map[string]func(index string) error{
		"deleted": os.Remove,
		"empty":   func(index string) error { return os.Truncate(index, 0) },
		"cut":     func(index string) error { return os.Truncate(index, 100) },
	} {
		dir, block := withBlock(t)
		if err := damage(filepath.Join(block, "index")); err != nil {
			t.Fatal(err)
		}
		s, err := Open(dir, Options{MinFree: -1, Retention: -1})
		if err == nil {
			_ = s.Close()
			t.Errorf("index %s: opened", name)
			continue
		}
		if !strings.Contains(err.Error(), filepath.Base(block)) {
			t.Errorf("index %s: the block is not named: %v", name, err)
		}
		if _, err := os.Stat(block); err != nil {
			t.Errorf("index %s: the block was touched: %v", name, err)
		}
		if err := os.Rename(block, filepath.Join(t.TempDir(), "block")); err != nil {
			t.Fatal(err)
		}
		s = openStore(t, dir, Options{Retention: -1})
		mustWrite(t, s, float("a", 2000, 3))
	}
}
