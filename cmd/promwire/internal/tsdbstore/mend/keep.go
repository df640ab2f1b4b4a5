package mend

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// DamagedDir is the folder below the data directory that holds the originals of what was mended. Nothing reads them.
const DamagedDir = "damaged"

// keep puts a file into the folder of what was damaged, by a link or a rename, and returns where it is.
func (d *directory) keep(path string, put func(from, to string) error) (kept string, err error) {
	name, err := filepath.Rel(d.dir, path)
	if err != nil {
		return "", err
	}
	name = d.now.UTC().Format("20060102T150405.000Z") + "-" + strings.ReplaceAll(name, string(filepath.Separator), "-")
	kept = filepath.Join(d.dir, DamagedDir, name)
	if err := os.MkdirAll(filepath.Dir(kept), 0o777); err != nil {
		return "", err
	}
	if err := put(path, kept); err != nil {
		return "", err
	}
	return kept, syncDir(filepath.Dir(kept))
}

// linkOrCopy gives a file a second name, or makes a copy where the file system has no such thing.
func linkOrCopy(from, to string) error {
	if err := os.Link(from, to); err == nil {
		return nil
	}
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Sync(), out.Close())
}

// syncDir forces the names in a folder to disk, where the system can do that.
func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	_ = f.Sync() // some systems have no such thing
	return nil
}
