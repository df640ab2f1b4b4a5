package promwiretest

import (
	"encoding/binary"
	"iter"

	"github.com/promwire/promwire"
)

// index finds values by label sets. The zero value is empty.
type index[T any] struct {
	byKey map[string]*T
	key   []byte
}

// get returns the value for ls, a new one if there is none.
func (x *index[T]) get(ls promwire.Labels) (v *T, isNew bool) {
	if v := x.find(ls); v != nil {
		return v, false
	}
	if x.byKey == nil {
		x.byKey = map[string]*T{}
	}
	v = new(T)
	x.byKey[string(x.key)] = v
	return v, true
}

// find returns the value for ls, or nil. It leaves the key in x.key.
func (x *index[T]) find(ls promwire.Labels) *T {
	key := x.key[:0]
	for i := range ls {
		key = binary.AppendUvarint(key, uint64(len(ls[i].Name)))
		key = append(key, ls[i].Name...)
		key = binary.AppendUvarint(key, uint64(len(ls[i].Value)))
		key = append(key, ls[i].Value...)
	}
	x.key = key
	return x.byKey[string(key)]
}

func (x *index[T]) all() iter.Seq[*T] {
	return func(yield func(*T) bool) {
		for _, v := range x.byKey {
			if !yield(v) {
				return
			}
		}
	}
}
