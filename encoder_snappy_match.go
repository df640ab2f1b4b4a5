package promwire

import (
	"bytes"

	"github.com/promwire/promwire/internal/pb"
)

// matchLabels finds the labels of item k in items before.
func (v *encoderV1) matchLabels(items []encoderItem, k int) {
	w := &v.differ
	first := w.sources[0].labels
	for i, at := 0, 0; i < len(w.labels); {
		label := labelAt(w.labels, i)
		whole := w.labels[i:label.end]
		other, found := findLabel(first, at, w.labels[label.name:label.value])
		switch {
		case found && bytes.Equal(first[other.begin:other.end], whole):
			w.match(&w.sources[0], i, other.begin, len(whole))
		case w.matchSource(i, whole) || v.matchRecent(items, k, i, whole):
		case found:
			w.matchLabel(label, other)
		}
		if found {
			at = other.end
		}
		i = label.end
	}
}

// matchSource finds the label at i in one of the sources.
func (w *differ) matchSource(i int, label []byte) bool {
	for n := 1; n < len(w.sources); n++ {
		if at := bytes.Index(w.sources[n].labels, label); at >= 0 {
			w.match(&w.sources[n], i, at, len(label))
			return true
		}
	}
	return false
}

// matchRecent finds the label at i in an item before, which becomes a source.
func (v *encoderV1) matchRecent(items []encoderItem, k, i int, label []byte) bool {
	w := &v.differ
	if len(w.sources) == maxSources {
		return false
	}
	place := *w.place(label)
	j := int(place.item)
	if j >= k || k-j > maxBack || !bytes.HasPrefix(v.labelsAfter(items[j].series, place.offset), label) {
		return false
	}
	if v.distance(items, k, j) == 0 {
		return false
	}
	v.addSource(items, k, j)
	w.match(&w.sources[len(w.sources)-1], i, int(place.offset), len(label))
	return true
}

// labelsAfter returns the labels of a series from an offset on, nil if it has not so many.
func (v *encoderV1) labelsAfter(series, offset uint32) []byte {
	if labels := v.labelsOf(series); offset < uint32(len(labels)) {
		return labels[offset:]
	}
	return nil
}

// index enters the labels of items before k in the table of recent labels.
func (v *encoderV1) index(items []encoderItem, k int) {
	w := &v.differ
	if w.recent == nil {
		w.recent, w.hash = make([]labelPlace, recentLabels), newTextHash()
	}
	for j := max(w.indexed, k-maxBack); j < k; j++ {
		labels := v.labelsOf(items[j].series)
		for i := 0; i < len(labels); {
			end := labelAt(labels, i).end
			*w.place(labels[i:end]) = labelPlace{uint32(j), uint32(i)}
			i = end
		}
	}
	w.indexed = k
}

// place returns the entry of a label in the table of recent labels.
func (w *differ) place(label []byte) *labelPlace {
	return &w.recent[w.hash.sum(pb.AsString(label))%recentLabels]
}

// matchLabel finds matches of a label and one with the same name of the series right before: up to the length, the
// name, beginning and end of the value.
func (w *differ) matchLabel(a, b labelField) {
	s := &w.sources[0]
	w.match(s, a.begin, b.begin, commonPrefix(w.labels[a.begin:a.name], s.labels[b.begin:b.name]))
	w.match(s, a.name, b.name, a.value-a.name)
	w.match(s, a.value, b.value, commonPrefix(w.labels[a.value:a.text], s.labels[b.value:b.text]))
	x, y := w.labels[a.text:a.end], s.labels[b.text:b.end]
	same := commonPrefix(x, y)
	w.match(s, a.text, b.text, same)
	end := commonSuffix(x[same:], y[same:])
	w.match(s, a.end-end, b.end-end, end)
}

// match notes that n bytes at i equal those at k in the source.
func (w *differ) match(s *labelSource, i, k, n int) {
	if n == 0 {
		return
	}
	distance := int(s.distance) + i - k
	if last := len(w.matches) - 1; last >= 0 && w.matches[last].to == i && w.matches[last].distance == distance {
		w.matches[last].to += n
		return
	}
	w.matches = append(w.matches, match{i, i + n, distance})
}

// labelField says where the parts of an encoded label are: name and value with their tags, the text of the value.
type labelField struct{ begin, name, value, text, end int }

// labelAt returns the parts of the label at b[i:], which putLabels wrote.
func labelAt(b []byte, i int) labelField {
	s := pb.AsString(b)
	f := labelField{begin: i}
	f.name, f.end = pb.Length(s, i+1)
	f.value = f.name
	if f.value < f.end && s[f.value] == 0x0a {
		_, f.value = pb.Length(s, f.value+1)
	}
	f.text = f.value
	if f.text < f.end {
		f.text, _ = pb.Length(s, f.text+1)
	}
	return f
}

// findLabel returns the label with this name, at b[i:] or a few labels behind it.
func findLabel(b []byte, i int, name []byte) (f labelField, found bool) {
	for range maxLabelsAhead {
		if i == len(b) {
			break
		}
		f = labelAt(b, i)
		if bytes.Equal(b[f.name:f.value], name) {
			return f, true
		}
		i = f.end
	}
	return labelField{}, false
}
