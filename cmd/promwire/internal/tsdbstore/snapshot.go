package tsdbstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/promwire/promwire"
)

// SnapshotsDir is the folder below the data directory that holds snapshots.
const SnapshotsDir = "snapshots"

// Snapshot puts a copy of the data into a new folder below [SnapshotsDir] and returns its name. Blocks are hard links.
// With the head it holds every sample that was acknowledged before the call, late ones too: those are made blocks of
// first. Without it, only what is in blocks already. Exemplars, which are in memory, are not in it.
//
// The folder is a data directory: [Open] takes a copy of it. While one snapshot is taken, and with a disk that is nearly
// full, the error wraps [promwire.ErrUnavailable]; whatever a failed one has left behind is removed.
func (s *Store) Snapshot(ctx context.Context, withHead bool) (name string, err error) {
	if !s.snapshotting.TryLock() {
		return "", fmt.Errorf("%w: another snapshot is being taken", promwire.ErrUnavailable)
	}
	defer s.snapshotting.Unlock()
	db, err := s.use(ctx)
	if err != nil {
		return "", err
	}
	defer s.release()
	if err := s.space.check(s.now()); err != nil {
		return "", err
	}
	if withHead {
		if err := s.orEnd(func() error { return db.CompactOOOHead(ctx) }); err != nil {
			return "", fmt.Errorf("data directory %s: late samples: %w", s.dir, err)
		}
	}
	name = fmt.Sprintf("%s-%016x", time.Now().UTC().Format("20060102T150405Z0700"), rand.Uint64()) // as Prometheus names them
	dir := filepath.Join(s.dir, SnapshotsDir, name)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return "", fmt.Errorf("snapshot: %w", err)
	}
	err = db.Snapshot(dir, withHead)
	if err == nil {
		err = copyFile(s.families.path, filepath.Join(dir, familiesFile))
	}
	if err != nil {
		return "", fmt.Errorf("snapshot of data directory %s: %w", s.dir, errors.Join(err, os.RemoveAll(dir)))
	}
	return name, nil
}

// copyFile copies a file that may not be there. The file of families only grows, or is replaced: a line that is not
// whole is left out when it is read.
func copyFile(from, to string) (err error) {
	in, err := os.Open(from)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	_, err = io.Copy(out, in)
	return err
}
