package promwire

import "github.com/promwire/promwire/internal/pb"

// symbols is the symbol table of one request while it grows (Remote Write 2.0, "Symbols"): it numbers strings in
// order of first use, and holds them as the encoded symbol fields that the message begins with.
//
// It is a hash table with open addressing that is emptied by a new generation, not by clearing. The hash is seeded,
// since label values come from anywhere. It keeps no reference to the strings, so a pooled table pins no memory of
// callers, and has no pointers for the garbage collector to follow.
type symbols struct {
	hash  textHash
	gen   uint32
	slots []symbolSlot // a power of two of them, at most 3/4 in use
	ends  []uint32     // ends[ref] is where the symbol ends in block
	next  []uint32     // next[ref] is the symbol that was asked for after ref, 0 if none was
	block []byte
	full  bool // a symbol was left out, because block would have grown beyond maxMessage
}

// symbolSlot holds the symbol number ref, whose text is block[from:to]. It is free if gen is not the table's.
type symbolSlot struct{ gen, hash, ref, from, to uint32 }

const minSymbolSlots = 256

// reset begins a new table, which holds the empty string as number 0.
func (s *symbols) reset() {
	if s.slots == nil {
		s.hash = newTextHash()
		s.slots = make([]symbolSlot, minSymbolSlots)
	}
	s.gen++
	if s.gen == 0 {
		clear(s.slots)
		s.gen = 1
	}
	s.block = append(s.block[:0], 0x22, 0x00)
	s.ends = append(s.ends[:0], uint32(len(s.block)))
	s.next = append(s.next[:0], 0)
	s.full = false
}

// ref returns the number of str, which is added if it is new.
func (s *symbols) ref(str string) uint32 {
	if str == "" {
		return 0
	}
	hash := s.hash.sum(str)
	slot, found := s.find(str, hash)
	if !found {
		return s.add(str, hash, slot)
	}
	return slot.ref
}

// refAfter is ref for what stands where prev stood in the series before. Requests list the same metrics of target after
// target: mostly it is what followed prev the last time, which takes no hash.
func (s *symbols) refAfter(prev uint32, str string) uint32 {
	if next := s.next[prev]; next != 0 && s.is(next, str) {
		return next
	}
	ref := s.ref(str)
	s.next[prev] = ref
	return ref
}

// is reports whether str is the symbol ref, which is not 0.
func (s *symbols) is(ref uint32, str string) bool {
	from, end := s.ends[ref-1], s.ends[ref]
	return uint64(end-from) == pb.SizeBytes(len(str)) && string(s.block[end-uint32(len(str)):end]) == str
}

// lookup returns the number of str if it is in the table.
func (s *symbols) lookup(str string) (uint32, bool) {
	if str == "" {
		return 0, true
	}
	slot, found := s.find(str, s.hash.sum(str))
	return slot.ref, found
}

// find returns the slot of str, or the free slot where it belongs.
func (s *symbols) find(str string, hash uint32) (slot *symbolSlot, found bool) {
	mask := uint32(len(s.slots) - 1)
	for i := hash & mask; ; i = (i + 1) & mask {
		slot = &s.slots[i]
		if slot.gen != s.gen {
			return slot, false
		}
		if slot.hash == hash && string(s.block[slot.from:slot.to]) == str {
			return slot, true
		}
	}
}

// add makes str a symbol and enters it at slot, the free one that its hash leads to.
func (s *symbols) add(str string, hash uint32, slot *symbolSlot) uint32 {
	if uint64(len(s.block))+pb.SizeBytes(len(str)) > maxMessage {
		s.full = true
		return 0
	}
	ref := uint32(len(s.ends))
	s.block = pb.AppendString(s.block, 0x22, str)
	end := uint32(len(s.block))
	*slot = symbolSlot{s.gen, hash, ref, end - uint32(len(str)), end}
	s.ends = append(s.ends, end)
	s.next = append(s.next, 0)
	if len(s.ends) > len(s.slots)/4*3 {
		s.grow()
	}
	return ref
}

// grow doubles the slots.
func (s *symbols) grow() {
	old := s.slots
	s.slots = make([]symbolSlot, 2*len(old))
	mask := uint32(len(s.slots) - 1)
	for _, slot := range old {
		if slot.gen != s.gen {
			continue
		}
		i := slot.hash & mask
		for s.slots[i].gen == s.gen {
			i = (i + 1) & mask
		}
		s.slots[i] = slot
	}
}

// field returns the symbol as it is encoded, with tag and length.
func (s *symbols) field(ref uint32) []byte {
	if ref == 0 {
		return s.block[:s.ends[0]]
	}
	return s.block[s.ends[ref-1]:s.ends[ref]]
}
