package cli

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/promwire/promwire/cmd/promwire/internal/transfer"
	"github.com/promwire/promwire/cmd/promwire/internal/transfer/formats"
)

const stdin = "-"

// expand returns the files that the patterns name, each once and in the order of their names.
func expand(patterns []string) ([]string, error) {
	var all []string
	for _, p := range patterns {
		if p == stdin || !strings.ContainsAny(p, "*?[") {
			all = append(all, p)
			continue
		}
		if _, err := os.Lstat(p); err == nil { // a file with such a name
			all = append(all, p)
			continue
		}
		found, err := filepath.Glob(p)
		if err != nil {
			return nil, usagef("--file %q: %w", p, err)
		}
		if len(found) == 0 {
			return nil, fmt.Errorf("--file %q: no file matches", p)
		}
		all = append(all, found...)
	}
	return sortedUnique(all), nil
}

func describePaths(paths []string) string {
	if len(paths) == 1 {
		return paths[0]
	}
	return fmt.Sprintf("%d files", len(paths))
}

// totalSize is the size of all files, 0 if it is not known.
func totalSize(paths []string) int64 {
	n := int64(0)
	for _, p := range paths {
		info, err := os.Stat(p)
		if p == stdin || err != nil || !info.Mode().IsRegular() {
			return 0
		}
		n += info.Size()
	}
	return n
}

// readOne reads a file.
func (in *fileImport) readOne(path string, format formats.Format, o *formats.Options) error {
	if path == stdin {
		return formats.Read(countedReader{in.streams.In, in.progress}, stdin, format, o, in)
	}
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	if info, err := file.Stat(); err == nil && info.IsDir() {
		return fmt.Errorf("%s is a folder: name the files, as in '%s/*'", path, path)
	}
	return formats.Read(countedFile{file, in.progress}, path, format, o, in)
}

// countedReader shows how much of it was read.
type countedReader struct {
	io.Reader
	progress *transfer.Progress
}

// Read implements io.Reader.
func (r countedReader) Read(b []byte) (int, error) {
	n, err := r.Reader.Read(b)
	r.progress.Add(n)
	return n, err
}

// countedFile is the same for a file, whose end can be seen.
type countedFile struct {
	*os.File
	progress *transfer.Progress
}

// Read implements io.Reader.
func (r countedFile) Read(b []byte) (int, error) {
	n, err := r.File.Read(b)
	r.progress.Add(n)
	return n, err
}
