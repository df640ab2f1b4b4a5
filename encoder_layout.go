package promwire

// symbolLayout is a symbol table for messages of an Encoder, and the encoded fields of its members: series whose
// strings it has. It serves as long as all of its members are sent, so a message never has a symbol that nothing
// refers to.
type symbolLayout struct {
	gen     uint32 // marks what belongs to this layout
	members int
	numbers []symbolNumber // by id
	count   uint32         // of symbols
	block   []byte         // the encoded symbols
	fields  []byte         // labels_refs and metadata of the members
	refs    []uint32       // of the series at work
}

// symbolNumber is the number of a symbol, valid if gen is the layout's.
type symbolNumber struct{ gen, ref uint32 }

// newLayout begins a layout without members.
func (v *encoderV2) newLayout() {
	l := &v.layout
	l.gen++
	if l.gen == 0 {
		clear(l.numbers)
		for i := range v.fields {
			v.fields[i].gen = 0
		}
		l.gen = 1
	}
	l.members, v.members = 0, 0
	l.block, l.fields = append(l.block[:0], 0x22, 0x00), l.fields[:0]
	l.count = 1
}

// number returns the number of the string with this id, which becomes a symbol if it is none yet.
func (l *symbolLayout) number(id uint32, strings *symbols) uint32 {
	if id == 0 {
		return 0
	}
	if missing := int(id) + 1 - len(l.numbers); missing > 0 {
		l.numbers = append(l.numbers, make([]symbolNumber, missing)...)
	}
	n := &l.numbers[id]
	if n.gen != l.gen {
		*n = symbolNumber{l.gen, l.count}
		l.block = append(l.block, strings.field(id)...)
		l.count++
	}
	return n.ref
}

// lookup returns the number of the string with this id if it is a symbol.
func (l *symbolLayout) lookup(id uint32) (uint32, bool) {
	if id == 0 {
		return 0, true
	}
	if int(id) >= len(l.numbers) || l.numbers[id].gen != l.gen {
		return 0, false
	}
	return l.numbers[id].ref, true
}

// add makes the series a member, whose labels have these ids, and notes in f where its fields are.
func (l *symbolLayout) add(f *fieldsV2, s *seriesV2, ids []uint32, strings *symbols) {
	l.refs = l.refs[:0]
	for _, id := range ids {
		l.refs = append(l.refs, l.number(id, strings))
	}
	help, unit := l.number(s.help, strings), l.number(s.unit, strings)

	l.fields = grow(l.fields, estimateRefs(len(ids)/2).most+maxMetadataV2)
	b, begin := l.fields[:cap(l.fields)], len(l.fields)
	metadata := putRefs(b, begin, l.refs)
	end := putMetadataV2(b, metadata, s.kind, help, unit)
	l.fields = b[:end]
	f.gen, f.begin, f.metadata, f.end = l.gen, uint32(begin), uint32(metadata), uint32(end)
	l.members++
}

// fieldsOf returns the encoded fields of a member.
func (l *symbolLayout) fieldsOf(f *fieldsV2) (labels, metadata []byte) {
	return l.fields[f.begin:f.metadata], l.fields[f.metadata:f.end]
}
