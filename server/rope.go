package server

import "sync"

const (
	// ropeBlock is the memory that a rope takes at a time.
	ropeBlock = 64 << 10
	// maxHole is the room of a hole, in bytes.
	maxHole = 8
	// maxPooledBlocks bounds the blocks of one answer that are kept for later ones, 32 MiB of them: the answer for some
	// million samples. The garbage collector takes what lies idle.
	maxPooledBlocks = 512
)

// ropeBlocks are *[ropeBlock]byte that no rope holds.
var ropeBlocks sync.Pool

// rope is a string of bytes that grows block by block, so that what it holds is never moved and never there twice. The
// zero value is empty. What is only known later is filled into holes.
type rope struct {
	parts  [][]byte // in order, each in one block; the room of the last one reaches to the end of its block
	blocks []*[ropeBlock]byte
}

// append copies p to the end.
func (r *rope) append(p []byte) {
	for {
		if len(r.parts) == 0 {
			r.grow()
		}
		last := &r.parts[len(r.parts)-1]
		n := copy((*last)[len(*last):cap(*last)], p)
		*last = (*last)[:len(*last)+n]
		if p = p[n:]; len(p) == 0 {
			return
		}
		r.grow()
	}
}

// hole leaves room for up to maxHole bytes, none as long as it is not filled, and returns its number.
func (r *rope) hole() int {
	if len(r.parts) == 0 {
		r.grow()
	}
	last := r.parts[len(r.parts)-1]
	if cap(last)-len(last) < maxHole {
		r.grow()
		last = r.parts[len(r.parts)-1]
	}
	room := last[len(last):cap(last)]
	r.parts[len(r.parts)-1] = last[:len(last):len(last)]
	r.parts = append(r.parts, room[:0:maxHole], room[maxHole:maxHole])
	return len(r.parts) - 2
}

// fill puts p into an empty hole.
func (r *rope) fill(hole int, p []byte) { r.parts[hole] = append(r.parts[hole], p...) }

// size returns the number of bytes.
func (r *rope) size() (n int) {
	for _, p := range r.parts {
		n += len(p)
	}
	return n
}

func (r *rope) grow() {
	b, ok := ropeBlocks.Get().(*[ropeBlock]byte)
	if !ok {
		b = new([ropeBlock]byte)
	}
	r.blocks = append(r.blocks, b)
	r.parts = append(r.parts, b[:0])
}

// release empties the rope and makes its blocks available to others.
func (r *rope) release() {
	for i, b := range r.blocks {
		if i < maxPooledBlocks {
			ropeBlocks.Put(b)
		}
	}
	clear(r.blocks)
	clear(r.parts)
	r.blocks, r.parts = r.blocks[:0], r.parts[:0]
}
