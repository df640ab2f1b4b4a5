package chunk

// arena hands out memory for chunks that live until reset.
type arena struct {
	block []byte // memory from its start
	free  []byte // the unused rest
	taken int    // bytes in use since reset
	more  bool   // whether the block did not suffice
}

const minBlock = 16 << 10

// take returns empty memory of capacity n or more.
func (a *arena) take(n int) []byte {
	if cap(a.free) < n {
		a.more = a.block != nil
		a.block = make([]byte, 0, max(n, minBlock))
		a.free = a.block
	}
	return a.free
}

// keep marks what was written to the memory taken as in use, and returns it without spare capacity.
func (a *arena) keep(b []byte) []byte {
	a.taken += len(b)
	if cap(b) == cap(a.free) {
		a.free = b[len(b):]
	} else { // it has grown and moved
		a.more = true
	}
	return b[:len(b):len(b)]
}

// reset makes all memory available again, and more if it did not suffice.
func (a *arena) reset() {
	if a.more {
		a.block = make([]byte, 0, 2*max(a.taken, cap(a.block)))
	}
	a.free = a.block
	a.taken, a.more = 0, false
}
