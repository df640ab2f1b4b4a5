package spool_test

import (
	"errors"
	"os/signal"
	"syscall"
	"testing"

	"github.com/promwire/promwire/spool"
)

// TestFullDisk lets writes fail in the middle of a record, by a limit on the size of files, and checks that nothing is
// acknowledged meanwhile, that what was is delivered meanwhile, and that writing goes on when the limit is lifted.
func TestFullDisk(t *testing.T) {
	signal.Ignore(syscall.SIGXFSZ)
	defer signal.Reset(syscall.SIGXFSZ)
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	s := open(t, dir)
	r := reader(t, s, "a") // its file is larger than the limit, but is there already
	limited := old
	limited.Cur = 20_000
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limited); err != nil {
		t.Fatal(err)
	}
	lift := func() {
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
			t.Error(err)
		}
	}
	n, err := 0, error(nil)
	for err == nil && n < 10_000 {
		if _, err = s.Write(t.Context(), request(n)); err == nil {
			n++
		}
	}
	for range 5 {
		_, again := s.Write(t.Context(), request(n))
		err = errors.Join(err, again)
		if !errors.Is(again, spool.ErrDisk) || !errors.Is(again, syscall.EFBIG) {
			t.Errorf("got %v", again)
		}
	}
	w := &target{}
	if _, err := r.Drain(t.Context(), w, spool.DeliverOptions{}); err != nil {
		t.Error(err)
	}
	// All is delivered: what it took is room for more, though the limit is still there.
	write(t, s, n, n+20)
	n += 20
	lift()
	if !errors.Is(err, spool.ErrDisk) || n < 10 {
		t.Fatalf("%d records, %v", n, err)
	}
	checkValues(t, w.values, 0, n-20)
	write(t, s, n, n+20)
	closeSpool(t, s)
	s = open(t, dir)
	drain(t, reader(t, s, "a"), w)
	checkValues(t, w.values, 0, n+20)
	if st := s.Stats(); st.Corrupt != (spool.Corruption{}) {
		t.Errorf("%+v", st)
	}
}
