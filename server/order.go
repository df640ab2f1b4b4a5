package server

import (
	"cmp"

	"github.com/promwire/promwire"
)

// order remembers the labels of the series before, whose memory is gone, to tell a further part of it from the next
// series and from one that breaks the contract of [promwire.Reader].
type order struct {
	text  []byte // names and values one after the other
	ends  []int  // where each of them ends in text
	begun bool
}

// reset forgets the series before and keeps the memory.
func (o *order) reset() { *o = order{text: o.text[:0], ends: o.ends[:0]} }

// next takes the labels of the next part and compares them with those of the part before: 0 for the same series, 1
// for a later one, as for the first of all, and -1 for one that should have come before.
func (o *order) next(ls promwire.Labels) int {
	c := 1
	if o.begun {
		c = o.compare(ls)
	}
	if c > 0 {
		o.keep(ls)
	}
	return c
}

// compare is [promwire.Labels.Compare] of ls and the labels kept.
func (o *order) compare(ls promwire.Labels) int {
	start, kept := 0, len(o.ends)/2
	for i := 0; i < len(ls) && i < kept; i++ {
		nameEnd, valueEnd := o.ends[2*i], o.ends[2*i+1]
		if c := cmp.Compare(ls[i].Name, string(o.text[start:nameEnd])); c != 0 {
			return c
		}
		if c := cmp.Compare(ls[i].Value, string(o.text[nameEnd:valueEnd])); c != 0 {
			return c
		}
		start = valueEnd
	}
	return cmp.Compare(len(ls), kept)
}

func (o *order) keep(ls promwire.Labels) {
	o.text, o.ends, o.begun = o.text[:0], o.ends[:0], true
	for i := range ls {
		o.text = append(o.text, ls[i].Name...)
		o.ends = append(o.ends, len(o.text))
		o.text = append(o.text, ls[i].Value...)
		o.ends = append(o.ends, len(o.text))
	}
}
