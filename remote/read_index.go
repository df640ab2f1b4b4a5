package remote

import (
	"fmt"
	"slices"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/pb"
)

// index lists the series of an encoded QueryResult in label order. It decodes labels only, and keeps them only if
// the series have to be sorted: the Prometheus server does not sort samples answers.
type index struct {
	entries   []entry
	labels    promwire.Labels // of all entries, one after the other, while they are sorted
	now, last promwire.Labels // of the series being read and of the one before
}

// entry is one series.
type entry struct {
	start, end int  // of the field, tag included: a message of one series
	again      bool // labels are those of the entry before
	first, n   int  // of its labels in index.labels
}

// Memory that one entry and one label take, for the limit.
const (
	entrySize = 40
	labelSize = 32
)

// build indexes result and reports whether it is well-formed as far as it was read. limit bounds the index, in bytes.
func (x *index) build(result string, limit int) (ok bool, err error) {
	sorted, ok, err := x.scan(result, limit, false)
	if sorted || !ok || err != nil {
		return ok, err
	}
	if _, ok, err = x.scan(result, limit, true); !ok || err != nil {
		return ok, err
	}
	slices.SortStableFunc(x.entries, func(a, b entry) int { return x.of(a).Compare(x.of(b)) })
	for i := 1; i < len(x.entries); i++ {
		x.entries[i].again = x.of(x.entries[i]).Equal(x.of(x.entries[i-1]))
	}
	return true, nil
}

func (x *index) of(e entry) promwire.Labels { return x.labels[e.first : e.first+e.n] }

// scan fills the index in the order of the message. Without keep it stops at the first series out of order.
func (x *index) scan(result string, limit int, keep bool) (sorted, ok bool, err error) {
	x.entries, x.labels, x.last = x.entries[:0], x.labels[:0], x.last[:0]
	for i := 0; i < len(result); {
		tag, j := pb.Uvarint(result, i)
		if j < 0 {
			return false, false, nil
		}
		if tag != 0x0a {
			if i = pb.Skip(result, j, tag); i < 0 {
				return false, false, nil
			}
			continue
		}
		start, end := pb.Length(result, j)
		if end < 0 || !x.readLabels(result[start:end]) {
			return false, false, nil
		}
		e := entry{start: i, end: end, first: len(x.labels), n: len(x.now)}
		i = end
		if len(x.entries) > 0 && !keep {
			order := x.now.Compare(x.last)
			if order < 0 {
				return false, true, nil
			}
			e.again = order == 0
		}
		x.entries = append(x.entries, e)
		if keep {
			x.labels = append(x.labels, x.now...)
		}
		x.now, x.last = x.last, x.now
		if size := len(x.entries)*entrySize + len(x.labels)*labelSize; size > limit {
			return false, true, fmt.Errorf("%w: index of %d series takes more than %d bytes", promwire.ErrTooLarge,
				len(x.entries), limit)
		}
	}
	return true, true, nil
}

// readLabels reads the labels that a series begins with into x.now. A message may have labels elsewhere, too; that
// comes out when it is decoded.
func (x *index) readLabels(series string) bool {
	x.now = x.now[:0]
	for i := 0; i < len(series) && series[i] == 0x0a; {
		start, end := pb.Length(series, i+1)
		if end < 0 {
			return false
		}
		l, ok := readLabel(series[start:end])
		if !ok {
			return false
		}
		x.now = append(x.now, l)
		i = end
	}
	x.now = x.now.Normalize()
	return true
}

func readLabel(s string) (l promwire.Label, ok bool) {
	for i := 0; i < len(s); {
		tag, j := pb.Uvarint(s, i)
		if j < 0 {
			return l, false
		}
		switch start, end := pb.Length(s, j); {
		case tag == 0x0a && end >= 0:
			l.Name, i = s[start:end], end
		case tag == 0x12 && end >= 0:
			l.Value, i = s[start:end], end
		default:
			if i = pb.Skip(s, j, tag); i < 0 {
				return l, false
			}
		}
	}
	return l, true
}
