package metrics

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/diskfile"
)

const damagedSuffix = ".damaged-"

// open reads the file, or decides what its damage or absence means, and writes it.
func (s *State) open(o *stateOptions) error {
	found, err := s.load(s.path)
	switch {
	case errors.Is(err, ErrStateDamaged):
		aside := s.path + damagedSuffix + time.Now().UTC().Format("20060102T150405.000Z")
		if failed := os.Rename(s.path, aside); failed != nil {
			return fmt.Errorf("%w; it could not be set aside: %w", err, failed)
		}
		if !o.anew {
			return fmt.Errorf("%w; it was set aside as %s: put a sound one in its place, or start from zero", err, aside)
		}
	case err != nil:
		return err
	case !found && !o.anew:
		if err := s.checkAside(); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.save()
}

// load reads a file, and says whether there is one. After an error, the state is empty.
func (s *State) load(path string) (found bool, err error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, err
	case !info.Mode().IsRegular():
		return false, fmt.Errorf("%s is no regular file", path) // to open a pipe would wait for whoever writes into it
	}
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	src, err := io.ReadAll(io.LimitReader(f, maxState+1))
	if err != nil {
		return true, err
	}
	if len(src) > maxState {
		return true, fmt.Errorf("%w: more than %d bytes", promwire.ErrTooLarge, maxState)
	}
	if err := s.decode(src); err != nil {
		clear(s.entries)
		s.order, s.orphans = nil, nil
		return true, err
	}
	return true, nil
}

// checkAside fails if there is no file because one was set aside, and nobody has decided yet what to do about it.
func (s *State) checkAside() error {
	dir, name := filepath.Split(s.path)
	if dir == "" {
		dir = "."
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, f := range files {
		if strings.HasPrefix(f.Name(), name+damagedSuffix) {
			return fmt.Errorf("%w: it was set aside as %s: put a sound one in its place, or start from zero",
				ErrStateDamaged, filepath.Join(dir, f.Name()))
		}
	}
	return nil
}

// replaceFile puts data in the place of the file at once: after a crash, there is the old file or the new one. The
// lock makes sure that nobody else uses the name of the new one.
func replaceFile(path string, data []byte) error {
	f, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o666)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return diskfile.SyncDir(filepath.Dir(path))
}
