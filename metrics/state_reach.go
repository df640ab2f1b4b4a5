package metrics

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// The reach of an entry is a number in its file: 0 if nothing is known to be stored, or else how many milliseconds before
// its newest point that is, plus 1; twice that; and 1 more if the newest point is in doubt.

func (e *entry) appendReach(dst []byte) []byte {
	n := uint64(0)
	if e.any {
		t, _ := e.last()
		n = uint64(max(0, t-e.acked)) + 1
	}
	n *= 2
	if e.doubt {
		n++
	}
	return binary.AppendUvarint(dst, n)
}

// readReaches reads a number for each entry, and returns the rest.
func readReaches(src []byte, counts []uint64) ([]uint64, []byte, error) {
	total := uint64(0)
	for _, count := range counts {
		if total += count; count > uint64(len(src)) || total > uint64(len(src)) {
			return nil, nil, errors.New("reaches of entries are missing")
		}
	}
	reaches := make([]uint64, total)
	for i := range reaches {
		v, n := binary.Uvarint(src)
		if n <= 0 {
			return nil, nil, errors.New("reaches of entries are missing")
		}
		reaches[i], src = v, src[n:]
	}
	return reaches, src, nil
}

// setReach takes the reach of entry i. Files of version 1 have none: what a series with a start once delivered may have begun
// with a zero, which must not be sent again.
func (e *entry) setReach(reaches []uint64, i int) error {
	t, start := e.last()
	switch {
	case reaches != nil:
		n := reaches[i] / 2
		e.doubt, e.any = reaches[i]%2 == 1, n > 0
		if e.acked = t - int64(max(n, 1)-1); e.acked > t {
			return fmt.Errorf("%v has the reach %d", e.ts.Labels, reaches[i])
		}
	case e.status == delivered:
		e.acked, e.any = t, true
	case start != 0:
		e.acked, e.any = start, true
	}
	return nil
}
