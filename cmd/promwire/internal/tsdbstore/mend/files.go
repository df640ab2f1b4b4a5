package mend

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
)

// files are those of a folder whose names are numbers, in their order. There should be no gaps.
type files struct {
	dir   string
	files []file
	from  int // the first one that there has to be; -1 if any may be the first
}

type file struct {
	number int
	name   string
}

// numbered lists a folder, which need not be there.
func numbered(dir string) (files, error) {
	out := files{dir: dir, from: -1}
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return out, nil
	}
	for _, e := range entries {
		if n, err := strconv.Atoi(e.Name()); err == nil && n >= 0 && !e.IsDir() {
			out.files = append(out.files, file{n, e.Name()})
		}
	}
	slices.SortFunc(out.files, func(a, b file) int { return cmp.Compare(a.number, b.number) })
	return out, err
}

func (f *files) path(i int) string { return filepath.Join(f.dir, f.files[i].name) }

// maxGap bounds how many files are made in the place of missing ones.
const maxGap = 10_000

// gaps returns the paths of segments that should be there.
func (f *files) gaps() ([]string, error) {
	if len(f.files) == 0 && f.from < 0 {
		return nil, nil
	}
	var missing []string
	expected := f.from
	add := func(upTo int) error {
		if upTo-expected > maxGap {
			return fmt.Errorf("%s: segments %08d to %08d are missing", f.dir, expected, upTo-1)
		}
		for ; expected < upTo; expected++ {
			missing = append(missing, filepath.Join(f.dir, fmt.Sprintf("%08d", expected)))
		}
		return nil
	}
	for i, file := range f.files {
		if i == 0 && (f.from < 0 || file.number < f.from) {
			expected = file.number
		}
		if err := add(file.number); err != nil {
			return nil, err
		}
		expected = file.number + 1
	}
	return missing, add(f.from + 1)
}
