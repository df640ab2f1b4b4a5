package htpasswd

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"sync"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/promwire/promwire"
)

const (
	// maxFile bounds the file, in bytes; maxPassword is what bcrypt looks at.
	maxFile     = 1 << 20
	maxPassword = 72
	// maxWaiting bounds the requests that wait for bcrypt, for each processor that works on it.
	maxWaiting = 64
	// unsettled is how long the times of a file are not trusted to tell it from one written right after.
	unsettled = 2 * time.Second
)

// File is a password file. It is read again when it changes. It is safe for concurrent use.
type File struct {
	path  string
	key   [sha256.Size]byte // of what is remembered
	work  chan struct{}     // a place for each bcrypt that runs
	queue chan struct{}     // a place for each that runs or waits

	mu       sync.Mutex
	info     os.FileInfo // of the file that was read, nil if it is to be read again
	settled  bool
	users    map[string]string // hashes
	err      error             // what is wrong with the file
	cost     int
	unknown  string                // a hash for users that are not there
	verified map[string]remembered // by user
}

// remembered is a password that was verified.
type remembered struct {
	hash string
	sum  [sha256.Size]byte
}

// Open reads a password file. Lines are user:hash, with bcrypt hashes of a cost of 15 at most; empty lines and those that
// begin with # do not count. A file that does not exist, is malformed, has no user or more than 1 MiB is an error.
func Open(path string) (*File, error) {
	n := max(1, runtime.GOMAXPROCS(0)/2)
	f := &File{path: path, work: make(chan struct{}, n), queue: make(chan struct{}, n*(1+maxWaiting))}
	if _, err := rand.Read(f.key[:]); err != nil {
		return nil, err
	}
	if _, _, err := f.lookUp(""); err != nil {
		return nil, err
	}
	return f, nil
}

// Verify reports whether user and password belong together by the file as it is now. Passwords beyond 72 bytes, of which
// bcrypt would not see the end, are wrong. It takes as long for users that are not in the file as for those that are
// (if all hashes have the same cost).
//
// An error says that it can't tell: the file is gone or malformed, perhaps as it is just being written, or too many
// passwords are to be verified at the same time. It wraps [promwire.ErrUnavailable], so that senders try again.
func (f *File) Verify(user, password string) (bool, error) {
	hash, known, err := f.lookUp(user)
	if err != nil {
		return false, err
	}
	sum := f.sum(user, password)
	if known && f.remembers(user, hash, sum) {
		return true, nil
	}
	if err := f.compare(hash, password); err != nil {
		if errors.Is(err, bcrypt.ErrMismatchedHashAndPassword) {
			return false, nil
		}
		return false, err
	}
	if !known || len(password) > maxPassword {
		return false, nil
	}
	f.remember(user, hash, sum)
	return true, nil
}

// compare is bcrypt, on some of the processors.
func (f *File) compare(hash, password string) error {
	select {
	case f.queue <- struct{}{}:
		defer func() { <-f.queue }()
	default:
		return fmt.Errorf("%w: too many passwords to verify at the same time", promwire.ErrUnavailable)
	}
	f.work <- struct{}{}
	defer func() { <-f.work }()
	return bcrypt.CompareHashAndPassword([]byte(hash), []byte(password[:min(len(password), maxPassword)]))
}

// sum is what is remembered of a password.
func (f *File) sum(user, password string) (sum [sha256.Size]byte) {
	h := hmac.New(sha256.New, f.key[:])
	fmt.Fprintf(h, "%d:%s%s", len(user), user, password)
	h.Sum(sum[:0])
	return sum
}

func (f *File) remembers(user, hash string, sum [sha256.Size]byte) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	known := f.verified[user]
	return known.hash == hash && subtle.ConstantTimeCompare(known.sum[:], sum[:]) == 1
}

func (f *File) remember(user, hash string, sum [sha256.Size]byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.users[user] == hash { // it may have changed meanwhile
		f.verified[user] = remembered{hash, sum}
	}
}

// lookUp returns the hash of a user, or another one for one that is not there.
func (f *File) lookUp(user string) (hash string, known bool, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	info, err := os.Stat(f.path)
	if err != nil {
		f.info = nil
		return "", false, fmt.Errorf("%w: password file: %w", promwire.ErrUnavailable, err)
	}
	if !f.settled || !same(f.info, info) {
		f.err = f.read()
	}
	if f.err != nil {
		return "", false, fmt.Errorf("%w: password file %s: %w", promwire.ErrUnavailable, f.path, f.err)
	}
	if hash := f.users[user]; hash != "" {
		return hash, true, nil
	}
	return f.unknown, false, nil
}

// same reports whether a file is the one that was read, unchanged.
func same(a, b os.FileInfo) bool {
	return a != nil && os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

// read reads the file. What is remembered of users whose hash stays is kept.
func (f *File) read() error {
	f.info, f.settled, f.users = nil, false, nil
	file, err := os.Open(f.path)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	content, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err != nil {
		return err
	}
	if len(content) > maxFile {
		return fmt.Errorf("it has more than %d bytes", maxFile)
	}
	age := time.Since(info.ModTime())
	f.info, f.settled = info, age < 0 || age > unsettled
	users, cost, err := parse(content)
	if err != nil {
		return err
	}
	return f.use(users, cost)
}

// use takes what was read.
func (f *File) use(users map[string]string, cost int) error {
	if cost != f.cost {
		var secret [32]byte
		if _, err := rand.Read(secret[:]); err != nil {
			return err
		}
		unknown, err := bcrypt.GenerateFromPassword(secret[:], cost)
		if err != nil {
			return err
		}
		f.cost, f.unknown = cost, string(unknown)
	}
	kept := map[string]remembered{}
	for user, known := range f.verified {
		if users[user] == known.hash {
			kept[user] = known
		}
	}
	f.users, f.verified = users, kept
	return nil
}
