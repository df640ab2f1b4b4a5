package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/promwire/promwire"
)

// The defaults of [DeadLetterOptions].
const (
	DefaultDeadLetterBytes = 64 << 20
	DefaultDeadLetterKeep  = 3
)

// DeadLetterOptions are the settings of a [DeadLetterFile]. A field that is 0 has its default.
type DeadLetterOptions struct {
	// MaxBytes bounds the file: a line that would exceed it begins a new one, and the present file becomes PATH.1, which
	// becomes PATH.2 and so on. Default 64 MiB. A single line may exceed it.
	MaxBytes int64
	// Keep is the number of such older files; what is older is removed. Default 3, negative for none.
	Keep int
	// Sync forces letters to disk before WriteDeadLetters returns.
	Sync bool
}

// DeadLetterFile keeps dead letters in a file of JSON lines, as [ReadDeadLetters] reads them. It is safe for concurrent
// use within one process; each process needs a path of its own.
type DeadLetterFile struct {
	path    string
	options DeadLetterOptions

	mu     sync.Mutex
	file   *os.File
	size   int64
	line   []byte
	closed bool
}

var (
	_ DeadLetters     = (*DeadLetterFile)(nil)
	_ promwire.Writer = (*DeadLetterFile)(nil)
)

// OpenDeadLetters opens the file, or makes it, readable by its owner only. A line that a crash has cut is ended, so that
// the next one can be read. The caller closes the file.
func OpenDeadLetters(path string, o DeadLetterOptions) (*DeadLetterFile, error) {
	if o.MaxBytes < 0 {
		return nil, errors.New("remote: OpenDeadLetters: MaxBytes is negative")
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = DefaultDeadLetterBytes
	}
	if o.Keep = orDefault(o.Keep, DefaultDeadLetterKeep); o.Keep < 0 {
		o.Keep = 0
	}
	d := &DeadLetterFile{path: path, options: o}
	if err := d.open(); err != nil {
		return nil, err
	}
	return d, nil
}

// WriteDeadLetters implements [DeadLetters]. Each line is one write to the file; a series of more than
// [MaxDeadLetterLine] becomes several. After an error, the letters before the one that failed are in the file.
func (d *DeadLetterFile) WriteDeadLetters(_ context.Context, letters []DeadLetter) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return fmt.Errorf("dead letters %s: %w", d.path, os.ErrClosed)
	}
	for i := range letters {
		if err := d.write(&letters[i]); err != nil {
			return fmt.Errorf("dead letters: %w", err)
		}
	}
	if d.options.Sync && d.file != nil {
		return d.file.Sync()
	}
	return nil
}

// Write implements [promwire.Writer]: each series becomes a letter without a reason. A [Queue] whose dead letters go here
// gives the reasons.
func (d *DeadLetterFile) Write(ctx context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	if err := d.WriteDeadLetters(ctx, lettersOf(ctx, req, nil)); err != nil {
		return promwire.WriteStats{}, err
	}
	return req.Stats(), nil
}

// Close closes the file.
func (d *DeadLetterFile) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil
	}
	d.closed = true
	if d.file == nil {
		return nil
	}
	return d.file.Close()
}

func (d *DeadLetterFile) write(l *DeadLetter) error {
	var err error
	if d.line, err = l.AppendJSON(d.line[:0]); err != nil {
		return err
	}
	d.line = append(d.line, '\n')
	if len(d.line) > MaxDeadLetterLine {
		d.line = nil // such memory is not kept
		return d.writeHalves(l)
	}
	if d.size > 0 && d.size+int64(len(d.line)) > d.options.MaxBytes {
		if err := d.rotate(); err != nil {
			return err
		}
	}
	if d.file == nil {
		if err := d.open(); err != nil {
			return err
		}
	}
	n, err := d.file.Write(d.line)
	d.size += int64(n)
	if err != nil && n > 0 && d.file.Truncate(d.size-int64(n)) == nil {
		d.size -= int64(n) // no torn line
	}
	return err
}

func (d *DeadLetterFile) writeHalves(l *DeadLetter) error {
	a, b, ok := halfSeries(l.Series)
	if !ok {
		return fmt.Errorf("%w: letter of one item has more than %d bytes", promwire.ErrTooLarge, MaxDeadLetterLine)
	}
	first, second := *l, *l
	first.Series, second.Series = a, b
	if err := d.write(&first); err != nil {
		return err
	}
	return d.write(&second)
}

// rotate makes room for a new file. The next write opens it.
func (d *DeadLetterFile) rotate() error {
	if d.options.Sync {
		if err := d.file.Sync(); err != nil {
			return err
		}
	}
	err := d.file.Close()
	d.file, d.size = nil, 0
	if err != nil {
		return err
	}
	for i := d.options.Keep; i > 0; i-- {
		from := d.path
		if i > 1 {
			from = fmt.Sprintf("%s.%d", d.path, i-1)
		}
		if err := os.Rename(from, fmt.Sprintf("%s.%d", d.path, i)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	if d.options.Keep == 0 {
		return os.Remove(d.path)
	}
	return nil
}

func (d *DeadLetterFile) open() error {
	f, err := os.OpenFile(d.path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("open dead letters: %w", err)
	}
	size, err := endLine(f)
	if err != nil {
		return errors.Join(fmt.Errorf("open dead letters: %w", err), f.Close())
	}
	d.file, d.size = f, size
	return nil
}

// endLine ends a line that is cut, and returns the size of the file.
func endLine(f *os.File) (int64, error) {
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil || size == 0 {
		return size, err
	}
	var last [1]byte
	if _, err := f.ReadAt(last[:], size-1); err != nil || last[0] == '\n' {
		return size, err
	}
	_, err = f.Write([]byte{'\n'})
	return size + 1, err
}
