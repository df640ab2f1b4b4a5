package cli

import (
	"bufio"
	"errors"
	"io"
	"os"
)

// output is the standard output, or a file that gets its name when all of it is there.
type output struct {
	*bufio.Writer
	file *os.File
	path string
}

func newOutput(standard io.Writer, path string) (*output, error) {
	if path == "" || path == stdin {
		return &output{Writer: bufio.NewWriterSize(standard, 64<<10)}, nil
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return nil, usagef("%s is a folder: want a file", path)
	}
	f, err := os.Create(path + ".part")
	if err != nil {
		return nil, err
	}
	return &output{Writer: bufio.NewWriterSize(f, 64<<10), file: f, path: path}, nil
}

// end ends the output; err is what went wrong before.
func (o *output) end(err error) error {
	err = errors.Join(err, o.Flush())
	if o.file == nil {
		return err
	}
	err = errors.Join(err, o.file.Close())
	if err != nil {
		return errors.Join(err, os.Remove(o.file.Name()))
	}
	return os.Rename(o.file.Name(), o.path)
}
