package server

import (
	"fmt"
	"iter"
	"slices"
	"unsafe"

	"github.com/promwire/promwire"
)

// DefaultSortBytes is how much memory [WithSort] takes at most for a query.
const DefaultSortBytes = 256 << 20

// sortSeries yields what all yields in label order. Parts of one series come one after the other, in the order in which
// they came. It holds everything until the end, and fails beyond maxBytes.
func sortSeries(all iter.Seq2[promwire.TimeSeries, error], maxBytes int) iter.Seq2[promwire.TimeSeries, error] {
	return sorted(all, maxBytes, func(ts *promwire.TimeSeries) (promwire.TimeSeries, int) {
		kept := ts.Clone()
		return kept, memoryOf(&kept) + textOf(kept.Labels)
	}, func(ts *promwire.TimeSeries) promwire.Labels { return ts.Labels })
}

// sortChunks does for chunks what sortSeries does for samples.
func sortChunks(all iter.Seq2[promwire.ChunkedSeries, error], maxBytes int) iter.Seq2[promwire.ChunkedSeries, error] {
	return sorted(all, maxBytes, cloneChunks, func(s *promwire.ChunkedSeries) promwire.Labels { return s.Labels })
}

// sorted sorts what keep makes of each element: a copy, and the memory that it takes in bytes.
func sorted[T any](all iter.Seq2[T, error], maxBytes int, keep func(*T) (T, int), labels func(*T) promwire.Labels) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var held []T
		var none T
		size := 0
		for v, err := range all {
			if err != nil {
				yield(none, err)
				return
			}
			kept, n := keep(&v)
			if size += n; size > maxBytes {
				yield(none, &sortError{maxBytes})
				return
			}
			held = append(held, kept)
		}
		slices.SortStableFunc(held, func(a, b T) int { return labels(&a).Compare(labels(&b)) })
		for i := range held {
			if !yield(held[i], nil) {
				return
			}
			held[i] = none
		}
	}
}

// cloneChunks copies a part, all chunks into memory of one piece.
func cloneChunks(s *promwire.ChunkedSeries) (promwire.ChunkedSeries, int) {
	size := 0
	for i := range s.Chunks {
		size += len(s.Chunks[i].Data)
	}
	kept := promwire.ChunkedSeries{Labels: s.Labels.Clone(), Chunks: slices.Clone(s.Chunks)}
	data := make([]byte, 0, size)
	for i := range kept.Chunks {
		begin := len(data)
		data = append(data, kept.Chunks[i].Data...)
		kept.Chunks[i].Data = data[begin:len(data):len(data)]
	}
	size += int(unsafe.Sizeof(kept)) + cap(kept.Chunks)*int(unsafe.Sizeof(promwire.Chunk{})) +
		cap(kept.Labels)*int(unsafe.Sizeof(promwire.Label{})) + textOf(kept.Labels)
	return kept, size
}

func textOf(ls promwire.Labels) (n int) {
	for i := range ls {
		n += len(ls[i].Name) + len(ls[i].Value)
	}
	return n
}

// sortError says that a result takes too much memory to be sorted.
type sortError struct{ max int }

func (e *sortError) Error() string {
	return fmt.Sprintf("%v: the result takes more than %d bytes to be sorted; ask for fewer series or less time", errBadRequest, e.max)
}

func (*sortError) Unwrap() error { return errBadRequest }

// storageFailure says that err came out of the storage, unless it came up on the way.
func storageFailure(err error) error {
	if kind[*sortError](err) {
		return err
	}
	return &storageError{err}
}
