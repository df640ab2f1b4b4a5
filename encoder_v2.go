package promwire

import "github.com/promwire/promwire/internal/pb"

// encoderSymbols is the symbol table of one message of an Encoder. It gives the strings that the message uses
// consecutive numbers, in order of first use.
type encoderSymbols struct {
	gen    uint32
	known  []encoderSymbol // by id in Encoder.symbols; a new generation empties it, so nothing is hashed
	others symbols         // strings of exemplars that no series has
	other  []uint32        // their numbers, by id in others
	count  uint32
	block  []byte   // the encoded symbols
	refs   []uint32 // labels of the series at work
	extra  []uint32 // labels of its exemplars
}

type encoderSymbol struct{ gen, ref uint32 }

// reset begins a message.
func (n *encoderSymbols) reset(prepared int) {
	n.gen++
	if n.gen == 0 {
		clear(n.known)
		n.gen = 1
	}
	if missing := prepared - len(n.known); missing > 0 {
		n.known = append(n.known, make([]encoderSymbol, missing)...)
	}
	n.others.reset()
	n.other = append(n.other[:0], 0)
	n.block, n.count = n.block[:0], 0
}

// ref returns the number of a prepared string.
func (n *encoderSymbols) ref(id uint32, prepared *symbols) uint32 {
	if s := &n.known[id]; s.gen == n.gen {
		return s.ref
	}
	ref := n.add(prepared.field(id))
	n.known[id] = encoderSymbol{n.gen, ref}
	return ref
}

// refOf returns the number of any string.
func (n *encoderSymbols) refOf(str string, prepared *symbols) uint32 {
	if id, found := prepared.lookup(str); found {
		return n.ref(id, prepared)
	}
	id := n.others.ref(str)
	if int(id) == len(n.other) {
		n.other = append(n.other, n.add(n.others.field(id)))
	}
	return n.other[id]
}

func (n *encoderSymbols) add(field []byte) uint32 {
	n.block = append(n.block, field...)
	n.count++
	return n.count - 1
}

// appendToV2 appends an io.prometheus.write.v2.Request.
func (e *Encoder) appendToV2(dst []byte) []byte {
	q := &e.request
	q.v2.reset(len(e.symbols.ends))
	q.v2.ref(0, &e.symbols) // the empty string comes first
	q.series = q.series[:0]
	var last encoderItem
	for _, item := range q.items {
		e.appendItemV2(&e.series[item.series], q.points[last.points:item.points], q.exemplars[last.exemplars:item.exemplars])
		last = item
	}
	dst = append(dst, q.v2.block...)
	return append(dst, q.series...)
}

// appendItemV2 appends one timeseries field to the series of the message.
func (e *Encoder) appendItemV2(s *preparedSeries, points []byte, exemplars []Exemplar) {
	q := &e.request
	e.number(s, exemplars)
	m := metadataRefs{s.metadata.kind, q.v2.ref(s.metadata.help, &e.symbols), q.v2.ref(s.metadata.unit, &e.symbols)}
	size := pb.SizeBytes(sizeRefs(q.v2.refs)) + uint64(len(points)) + sizeExemplarsV2(exemplars, q.v2.extra) + 2 + m.size()
	q.series = grow(q.series, pb.SizeMessage(size))
	b := q.series[:cap(q.series)]
	i := pb.PutHeader(b, len(q.series), 0x2a, size)
	i = putRefs(b, i, q.v2.refs)
	i += copy(b[i:], points)
	i = putExemplarsV2(b, i, exemplars, q.v2.extra)
	q.series = b[:m.put(b, i)]
}

// number fills q.v2.refs and q.v2.extra with the references of labels and of exemplars' labels.
func (e *Encoder) number(s *preparedSeries, exemplars []Exemplar) {
	n := &e.request.v2
	n.refs, n.extra = n.refs[:0], n.extra[:0]
	for _, id := range e.refs[s.from:s.to] {
		n.refs = append(n.refs, n.ref(id, &e.symbols))
	}
	for i := range exemplars {
		for _, l := range exemplars[i].Labels {
			n.extra = append(n.extra, n.refOf(l.Name, &e.symbols), n.refOf(l.Value, &e.symbols))
		}
	}
}
