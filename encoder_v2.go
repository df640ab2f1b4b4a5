package promwire

import "github.com/promwire/promwire/internal/pb"

// encoderV2 is the 2.0 half of an Encoder. Strings of prepared series have ids that last; a message numbers those that
// it needs. Numbers are kept from one message to the next, and the label and metadata fields of series with them, as
// long as each series of the table goes out again (see symbolLayout).
type encoderV2 struct {
	symbols symbols // all strings of prepared series; their ids are the numbers in it
	series  []seriesV2
	ids     []uint32 // ids of label names and values of the series, one after the other
	fields  []fieldsV2
	layout  symbolLayout

	round     uint32 // number of the request
	members   int    // series of the request that are in the layout
	exemplars []exemplarV2
	labels    Labels   // memory for labels of exemplars
	others    symbols  // strings of exemplars that no series of the request has
	refs      []uint32 // references of the labels of exemplars, one after the other
}

// seriesV2 is where the ids of a series are in encoderV2.ids, and its metadata with ids for the texts.
type seriesV2 struct {
	from, to   uint32
	kind       MetricType
	help, unit uint32
}

// fieldsV2 is where the encoded fields of a series are in symbolLayout.fields: labels_refs up to metadata, metadata up
// to end; valid if gen is the layout's. It is apart from seriesV2 because it is all that a message needs as a rule.
type fieldsV2 struct {
	gen, round           uint32
	begin, metadata, end uint32
}

// exemplarV2 is an exemplar of the item with this index. Exemplars wait until the message is made, since their symbols
// come behind those of the series.
type exemplarV2 struct {
	item int
	Exemplar
}

// prepare adds a series and returns the number of series.
func (v *encoderV2) prepare(ls Labels, m Metadata) (int, error) {
	from := len(v.ids)
	v.ids = v.symbols.appendRefs(v.ids, ls)
	s := seriesV2{uint32(from), uint32(len(v.ids)), m.Type, v.symbols.ref(m.Help), v.symbols.ref(m.Unit)}
	if v.symbols.full || 5*uint64(len(v.ids))+(maxHeader+maxMetadataV2)*uint64(len(v.series)+1) > maxMessage {
		v.symbols.full = false
		v.ids = v.ids[:from]
		return 0, errPreparedTooLarge
	}
	v.series = append(v.series, s)
	v.fields = append(v.fields, fieldsV2{})
	return len(v.series), nil
}

func (v *encoderV2) reset() {
	v.round++
	v.members = 0
	clear(v.exemplars) // strings of callers
	clear(v.labels)
	v.exemplars, v.labels = v.exemplars[:0], v.labels[:0]
}

// use notes that the request has the series.
func (v *encoderV2) use(series uint32) {
	f := &v.fields[series]
	if f.round == v.round {
		return
	}
	f.round = v.round
	if f.gen == v.layout.gen {
		v.members++
	}
}

func (v *encoderV2) keepExemplars(item int, exemplars []Exemplar) {
	for _, x := range exemplars {
		from := len(v.labels)
		v.labels = append(v.labels, x.Labels...)
		x.Labels = v.labels[from:len(v.labels):len(v.labels)]
		v.exemplars = append(v.exemplars, exemplarV2{item, x})
	}
}

// appendTo appends an io.prometheus.write.v2.Request.
func (v *encoderV2) appendTo(dst []byte, items []encoderItem, points []byte) []byte {
	if v.members != v.layout.members { // the table would have symbols that nothing refers to
		v.newLayout()
	}
	dst = grow(dst, v.pack(items)+uint64(len(points)))
	dst = append(dst, v.layout.block...)
	if len(v.exemplars) > 0 {
		return v.appendWithExemplars(dst, items, points)
	}
	b, i := dst[:cap(dst)], len(dst)
	for _, item := range items {
		labels, metadata := v.layout.fieldsOf(&v.fields[item.series])
		i = putParts(b, i, 0x2a, labels, points[:item.points], metadata)
		points = points[item.points:]
	}
	return b[:i]
}

// appendWithExemplars appends the symbols that only exemplars have, and the series. Those symbols do not enter the
// layout, which is to serve again.
func (v *encoderV2) appendWithExemplars(dst []byte, items []encoderItem, points []byte) []byte {
	most := v.numberExemplars() + v.pack(items) + uint64(len(points))
	dst = append(dst, v.others.block[v.others.ends[0]:]...)
	dst = grow(dst, most)
	b, i := dst[:cap(dst)], len(dst)
	exemplars, refs := v.exemplars, v.refs
	for k, item := range items {
		labels, metadata := v.layout.fieldsOf(&v.fields[item.series])
		open := i
		begin := pb.OpenMessage(b, open, 0x2a, len(labels)+int(item.points)+len(metadata))
		i = begin + copy(b[begin:], labels)
		i += copy(b[i:], points[:item.points])
		for len(exemplars) > 0 && exemplars[0].item == k {
			x := &exemplars[0]
			own := 2 * len(x.Labels)
			i = putExemplarV2(b, i, refs[:own], &x.Exemplar)
			exemplars, refs = exemplars[1:], refs[own:]
		}
		i += copy(b[i:], metadata)
		i = pb.CloseMessage(b, open, begin, i)
		points = points[item.points:]
	}
	return b[:i]
}

// numberExemplars fills v.refs, and v.others with the symbols that the layout lacks. It returns what the exemplars take
// at most.
func (v *encoderV2) numberExemplars() uint64 {
	v.others.reset()
	v.refs = v.refs[:0]
	size := uint64(0)
	for i := range v.exemplars {
		for _, l := range v.exemplars[i].Labels {
			v.refs = append(v.refs, v.numberOf(l.Name), v.numberOf(l.Value))
		}
		size += maxExemplar + estimateRefs(len(v.exemplars[i].Labels)).most
	}
	return size
}

// numberOf returns the number of a string of an exemplar.
func (v *encoderV2) numberOf(s string) uint32 {
	if id, found := v.symbols.lookup(s); found {
		if ref, found := v.layout.lookup(id); found {
			return ref
		}
	}
	return v.layout.count - 1 + v.others.ref(s)
}

// pack brings the series of the message into the layout, and returns what the message takes at most, without points
// and exemplars.
func (v *encoderV2) pack(items []encoderItem) uint64 {
	size := uint64(0)
	for _, item := range items {
		f := &v.fields[item.series]
		if f.gen != v.layout.gen {
			s := &v.series[item.series]
			v.layout.add(f, s, v.ids[s.from:s.to], &v.symbols)
			v.members++
		}
		size += maxHeader + uint64(f.end-f.begin)
	}
	return size + uint64(len(v.layout.block))
}
