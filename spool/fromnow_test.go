package spool_test

import (
	"slices"
	"testing"

	"github.com/promwire/promwire/spool"
)

// A reader from now on gets what is appended after it was made, in the segment that is there and in the next ones, and
// after a restart; one that is known already goes on where it is.
func TestReaderFromNow(t *testing.T) {
	for _, before := range []int{0, 3} {
		dir := t.TempDir()
		s := open(t, dir)
		fromNow := func() *spool.Reader {
			t.Helper()
			r, err := s.ReaderFromNow("b")
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		keep := reader(t, s, "a") // so that nothing is deleted
		write(t, s, 0, before)
		r := fromNow()
		if st := r.Stats(); st.Pending.Records != 0 {
			t.Errorf("%d before: pending %+v", before, st.Pending)
		}
		write(t, s, 3, 5)
		if st := r.Stats(); st.Pending.Records != 2 {
			t.Errorf("%d before: pending %+v", before, st.Pending)
		}
		closeSpool(t, s)
		s = open(t, dir, spool.WithSegmentBytes(1))
		r = fromNow()
		write(t, s, 5, 9)
		w := &target{}
		drain(t, r, w)
		checkValues(t, w.values, 3, 9)
		if st := s.Stats(); st.Corrupt.Records > 0 || r.Stats().Lost > 0 {
			t.Errorf("%+v", st)
		}
		w.values = nil
		drain(t, reader(t, s, keep.Stats().Name), w)
		if len(w.values) != before+6 || !slices.IsSorted(w.values) {
			t.Errorf("the other reader has %v", w.values)
		}
		closeSpool(t, s)
	}
}
