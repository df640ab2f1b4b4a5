package promconfig

import "github.com/promwire/promwire"

// maxKnown bounds the label sets that a ruleMemory knows the outcome of, in bytes of their labels; twice that in all.
// About 100,000 series.
const maxKnown = 32 << 20

// ruleMemory applies rules, and remembers what comes of them. It is not safe for concurrent use.
//
// Senders keep the order of their series: it looks first behind the one it met last, where neither key nor map are
// needed.
type ruleMemory struct {
	rules        ruleSet
	key          []byte
	newer, older map[string]*ruled
	generation   int // of the newer one
	bytes        int // of the newer one
	last         *ruled
}

// ruled is a label set and what the rules make of it.
type ruled struct {
	key        string          // see appendKey
	labels     promwire.Labels // nil: dropped
	next       *ruled          // the one that came behind it the last time, of the same generation
	generation int             // of the map that it is in
}

// outcome returns what the rules make of a label set, nil if they drop the series. It is shared, and not to be changed.
func (m *ruleMemory) outcome(ls promwire.Labels) promwire.Labels {
	if len(m.rules.rules) == 0 {
		return ls
	}
	if m.last != nil {
		if next := m.last.next; next != nil && next.generation == m.generation && next.is(ls) {
			m.last = next
			return next.labels
		}
	}
	r := m.find(ls)
	if m.last != nil && m.last.generation == m.generation {
		m.last.next = r
	}
	m.last = r
	return r.labels
}

// find returns the entry for ls in the newer map. Entries never refer to older ones, so that these can go.
func (m *ruleMemory) find(ls promwire.Labels) *ruled {
	m.key = appendKey(m.key[:0], ls)
	if r, ok := m.newer[string(m.key)]; ok {
		return r
	}
	r, ok := m.older[string(m.key)]
	if !ok {
		r = &ruled{key: string(m.key), labels: m.rules.apply(ls)}
	}
	if m.bytes > maxKnown {
		m.older, m.newer, m.bytes = m.newer, map[string]*ruled{}, 0
		m.generation++
	}
	r.next, r.generation = nil, m.generation
	m.newer[r.key] = r
	m.bytes += 3*len(r.key) + 32*len(r.labels) + 112
	return r
}

// separator ends names and values in keys. It is in no valid UTF-8.
const separator = 0xff

func appendKey(dst []byte, ls promwire.Labels) []byte {
	for i := range ls {
		dst = append(append(dst, ls[i].Name...), separator)
		dst = append(append(dst, ls[i].Value...), separator)
	}
	return dst
}

// is reports whether the key is that of ls.
func (r *ruled) is(ls promwire.Labels) bool {
	rest, ok := r.key, false
	for i := range ls {
		if rest, ok = cutPart(rest, ls[i].Name); !ok {
			return false
		}
		if rest, ok = cutPart(rest, ls[i].Value); !ok {
			return false
		}
	}
	return rest == ""
}

// cutPart returns what is behind part and a separator.
func cutPart(key, part string) (rest string, ok bool) {
	n := len(part)
	if len(key) <= n || key[n] != separator || key[:n] != part {
		return "", false
	}
	return key[n+1:], true
}
