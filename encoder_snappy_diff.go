package promwire

import "github.com/promwire/promwire/internal/xcompress"

// diffV1 is how the labels of a series differ from those of series before: lead bytes are those of the series right
// before, then come other elements, and the last tail bytes are again those of the series right before.
type diffV1 struct {
	sources    [maxSources]source
	middle     []byte // elements; all copies take three bytes; the capacity is a multiple of middleStep
	lead, tail uint16
	used       uint8 // number of sources; at least 1 if anything is before
	known      bool  // false if only the series right before is
}

// source is a series that copies come from. The first one is the series right before.
type source struct {
	series   uint32
	back     uint16 // as so many items before
	distance uint16 // from the labels there to those of the series; 0 if there are no copies
}

const (
	// maxSources bounds the series that copies come from.
	maxSources = 4
	// minMatch is the size from which on a copy takes less than a literal, in bytes.
	minMatch = 4
	// maxLabelsAhead bounds the search for a label with the same name.
	maxLabelsAhead = 16
	// maxBack bounds the search for a label in series before, in items.
	maxBack = 128
	// recentLabels is the size of the table for that search, in labels.
	recentLabels = 1 << 14
	// middleStep is how many bytes are copied at a time, whether they are needed or not: short copies of unsteady length
	// take far longer.
	middleStep = 16
)

// match says that bytes of a series equal those that are distance bytes before.
type match struct{ from, to, distance int }

// differ finds out how a series differs from others before it.
type differ struct {
	labels  []byte // of the series
	sources []labelSource
	matches []match
	middle  []byte
	recent  []labelPlace // labels by hash
	hash    textHash
	indexed int // items of the request up to here are in recent
}

// labelSource is a source with its labels.
type labelSource struct {
	source
	labels []byte
}

// labelPlace is where a label was last: as part of this item, at this offset of its labels.
type labelPlace struct{ item, offset uint32 }

func (v *encoderV1) labelsOf(series uint32) []byte {
	s := &v.series[series]
	return v.labels[s.from:s.to]
}

// follows reports whether item k has the same series before it as the last time, and notes which one it has.
func (v *encoderV1) follows(items []encoderItem, k int) bool {
	if k == 0 {
		return true
	}
	d, before := &v.diffs[items[k].series], items[k-1].series
	if d.used > 0 && d.sources[0].series == before {
		return true
	}
	d.used, d.known, d.sources[0] = 1, false, source{series: before, back: 1}
	return false
}

// valid reports whether d holds for item k. It is brought up to date if only distances changed.
func (v *encoderV1) valid(d *diffV1, items []encoderItem, k int) bool {
	if !d.known || (d.used == 0) != (k == 0) {
		return false
	}
	start, moved := v.starts[k], false
	for i := range d.sources[:d.used] {
		s := &d.sources[i]
		j := k - int(s.back)
		if j < 0 || items[j].series != s.series {
			return false
		}
		moved = moved || start-v.starts[j] != uint32(s.distance)
	}
	return !moved || v.move(d, items, k)
}

// move brings the distances of d up to date; false if some are too large now, or were.
func (v *encoderV1) move(d *diffV1, items []encoderItem, k int) bool {
	var distances [maxSources]int
	for i := range d.sources[:d.used] {
		j := k - int(d.sources[i].back)
		if distances[i] = v.distance(items, k, j); distances[i] == 0 || d.sources[i].distance == 0 {
			return false
		}
	}
	xcompress.EachCopy(d.middle, func(offset, distance int) int {
		back := distance - offset - int(d.lead) // from the labels of the series to what is copied
		for i := range d.sources[:d.used] {
			s := &d.sources[i]
			if from := int(s.distance); from-len(v.labelsOf(s.series)) < back && back <= from {
				return distance + distances[i] - from
			}
		}
		return distance
	})
	for i := range d.sources[:d.used] {
		d.sources[i].distance = uint16(distances[i])
	}
	return true
}

// distance returns how far the labels of item k are from those of item j, 0 if that is too far for copies.
func (v *encoderV1) distance(items []encoderItem, k, j int) int {
	distance := int(v.starts[k] - v.starts[j])
	if distance+len(v.labelsOf(items[k].series)) > xcompress.MaxDistance {
		return 0
	}
	return distance
}

// compare makes d hold for item k.
func (v *encoderV1) compare(d *diffV1, items []encoderItem, k int) {
	v.index(items, k)
	w := &v.differ
	w.labels, w.sources, w.matches = v.labelsOf(items[k].series), w.sources[:0], w.matches[:0]
	if k > 0 {
		v.addSource(items, k, k-1)
		v.matchLabels(items, k)
	}
	d.used, d.known = uint8(len(w.sources)), true
	for i := range w.sources {
		d.sources[i] = w.sources[i].source
	}
	w.finish(d)
}

// addSource makes item j a source of item k. It has no labels if it is too far away for copies.
func (v *encoderV1) addSource(items []encoderItem, k, j int) {
	s := labelSource{source: source{items[j].series, uint16(k - j), uint16(v.distance(items, k, j))}}
	if s.distance > 0 {
		s.labels = v.labelsOf(s.series)
	}
	v.differ.sources = append(v.differ.sources, s)
}

// finish makes elements of the matches, and of what lies between them.
func (w *differ) finish(d *diffV1) {
	w.middle = grow(w.middle[:0], uint64(len(w.labels)+(len(w.matches)+1)*xcompress.MaxLiteralTag))
	b, i := w.middle[:cap(w.middle)], 0
	done, end := 0, len(w.labels)
	d.lead, d.tail = 0, 0
	for _, m := range w.matches {
		before := &w.sources[0]
		switch {
		case m.to == len(w.labels) && m.from > 0 && m.distance == int(before.distance)+len(w.labels)-len(before.labels):
			d.tail, end = uint16(m.to-m.from), m.from
		case m.to-m.from < minMatch:
		case m.from == 0 && m.distance == int(before.distance):
			d.lead, done = uint16(m.to), m.to
		default:
			i = xcompress.PutLiteral(b, i, w.labels[done:m.from])
			i = xcompress.PutFarCopy(b, i, m.distance, m.to-m.from)
			done = m.to
		}
	}
	i = xcompress.PutLiteral(b, i, w.labels[done:end])
	if cap(d.middle) < i {
		d.middle = make([]byte, (i+middleStep-1)&^(middleStep-1))
	}
	d.middle = append(d.middle[:0], b[:i]...)
}
