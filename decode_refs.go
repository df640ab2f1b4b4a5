package promwire

import (
	"encoding/binary"
	"fmt"
	"slices"
	"unsafe"

	"github.com/promwire/promwire/internal/pb"
)

// addShortRefs appends the labels of a 2.0 series that begins, as they all do in usual messages, with all its label
// references packed in one short field. It decodes and looks up in one pass, and returns the index behind the field.
// It returns 0, and appends nothing, if the general path has to do it: see lookUp.
func (ts *TimeSeries) addShortRefs(s string, symbols []string) int {
	body, end := pb.ShortField(s, 0)
	if end == 0 || s[0] != 0x0a || len(symbols) > 1<<14 {
		return 0
	}
	all := ts.Labels[:cap(ts.Labels)]
	n, ok := lookUp(all, s, end, symbols)
	if !ok && n == len(all) {
		all = slices.Grow(all[:0], pb.CountVarints(body)/2)
		all = all[:cap(all)]
		n, ok = lookUp(all, s, end, symbols)
	}
	if !ok {
		return 0
	}
	ts.Labels = all[:n]
	return end
}

// twoRefs reads two references, of up to two bytes each, and how many bytes they have. A byte that should end a reference and
// does not makes it larger than any that there can be.
func twoRefs(x uint32) (name, value uint32, size int) {
	name, size = x&0x7f, 2
	if x&0x80 != 0 {
		name |= x >> 8 & 0xff << 7
		x, size = x>>8, 3
	}
	x >>= 8
	value = x & 0x7f
	if x&0x80 != 0 {
		value |= x >> 8 & 0xff << 7
		size++
	}
	return name, value, size
}

// readShortRefs reads and judges the references of a series as addShortRefs does, but leaves them as they are.
func (d *Decoder) readShortRefs(s string) int {
	body, end := pb.ShortField(s, 0)
	if end == 0 || s[0] != 0x0a || len(d.symbols) > 1<<14 {
		return 0
	}
	if cap(d.refs) < len(body) {
		d.refs = slices.Grow(d.refs, len(body))
	}
	refs := d.refs[:len(body)]
	n, ok := inOrder(refs, s, end, len(d.symbols))
	if !ok {
		return 0
	}
	d.refs = refs[:n]
	return end
}

// inOrder fills refs with the references in s[2:end], and stops early where lookUp does.
func inOrder(refs []uint32, s string, end, symbols int) (n int, ok bool) {
	base := unsafe.Pointer(unsafe.StringData(s))
	i := 2
	for i < end && n+2 <= len(refs) && len(s)-i >= 4 {
		x := binary.LittleEndian.Uint32((*[4]byte)(unsafe.Add(base, i))[:])
		name, value, size := twoRefs(x)
		i += size
		if int(max(name, value)) >= symbols {
			return n, false
		}
		refs[n], refs[n+1] = name, value
		n += 2
	}
	return n, i == end
}

// lookUp fills ls with the labels that the references in s[2:end] name, and returns how many. It stops early if ls is
// full, if a reference is invalid, has more than two bytes or is ahead of its symbol, and before the last bytes of s,
// which belong to other fields in usual messages. There must be 2^14 symbols at most.
func lookUp(ls []Label, s string, end int, symbols []string) (n int, ok bool) {
	base := unsafe.Pointer(unsafe.StringData(s))
	i := 2
	for i < end && n < len(ls) && len(s)-i >= 4 {
		x := binary.LittleEndian.Uint32((*[4]byte)(unsafe.Add(base, i))[:])
		name, value, size := twoRefs(x)
		i += size
		if uint(name) >= uint(len(symbols)) || uint(value) >= uint(len(symbols)) {
			return n, false
		}
		ls[n] = Label{symbols[name], symbols[value]}
		n++
	}
	return n, i == end
}

// appendRefs appends the references of a field that pb.Field has read: packed ones, or a single one.
func appendRefs(refs []uint32, s string, tag uint64, body string, next int) ([]uint32, int, bool) {
	if tag == 0x0a {
		refs, ok := appendPackedRefs(refs, body)
		return refs, next, ok
	}
	v, next := pb.Uvarint(s, next)
	return append(refs, uint32(v)), next, next >= 0
}

// appendPackedRefs appends packed references, which have one or two bytes each in usual messages.
func appendPackedRefs(refs []uint32, s string) ([]uint32, bool) {
	refs = slices.Grow(refs, len(s))
	n, out := 0, refs[len(refs):len(refs)+len(s)]
	for i := 0; i < len(s) && n < len(out); n++ {
		c := uint32(s[i])
		i++
		if c >= 0x80 {
			if i < len(s) && s[i] < 0x80 {
				c = c&0x7f | uint32(s[i])<<7
				i++
			} else {
				v, next := pb.Uvarint(s, i-1)
				if next < 0 {
					return refs, false
				}
				c, i = uint32(v), next
			}
		}
		out[n] = c
	}
	return refs[:len(refs)+n], true
}

// growSymbols makes room for the run of symbols at msg[i:]. It is not inlined, to keep the way of series short.
//
//go:noinline
func growSymbols(symbols []string, msg string, i int) []string {
	return slices.Grow(symbols, countRun(msg, i))
}

// collectSymbols adds the symbols that come behind the current series, which is legal but rare. False if there is
// nothing to add, or the message is malformed.
func (d *Decoder) collectSymbols() bool {
	if d.allSymbols {
		return false
	}
	d.allSymbols = true
	before := len(d.symbols)
	r := pb.NewReader(pb.AsBytes(d.msg[d.pos:]))
	for r.Next() {
		if r.Field == 4 && r.Wire == pb.Bytes {
			d.symbols = append(d.symbols, pb.AsString(r.Data))
		}
	}
	d.weigh(d.symbols[before:])
	return r.Err == nil && len(d.symbols) > before
}

// resolveLabels looks up the label references of a series, or only judges them.
func (d *Decoder) resolveLabels(ts *TimeSeries, raw bool) {
	var err error
	if raw {
		err = d.checkRefs(d.refs)
	} else {
		ts.Labels, err = d.appendLabels(ts.Labels[:0], d.refs)
	}
	d.setSeriesErr("label", err)
}

func (d *Decoder) setSeriesErr(what string, err error) {
	if err != nil && d.seriesErr == nil {
		d.seriesErr = fmt.Errorf("%s: %w", what, err)
	}
}

// symbol returns the symbol that a metadata field refers to, by a reference other than 0, which means unset.
func (d *Decoder) symbol(what string, ref uint32) string {
	if uint(ref) >= uint(len(d.symbols)) && !d.collectSymbols() || uint(ref) >= uint(len(d.symbols)) {
		d.setSeriesErr(what, d.refError(ref))
		return ""
	}
	d.text += uint64(len(d.symbols[ref]))
	return d.symbols[ref]
}

func (d *Decoder) refError(ref uint32) error {
	return fmt.Errorf("%w: %d, the table has %d symbols", ErrInvalidSymbolRef, ref, len(d.symbols))
}

// appendLabels appends the labels that refs name. If one can't be read, it is left out, and the error says why.
func (d *Decoder) appendLabels(ls Labels, refs []uint32) (Labels, error) {
	symbols := d.symbols
	ls = slices.Grow(ls, len(refs)/2)
	out := ls[len(ls) : len(ls)+len(refs)/2]
	for k := range out {
		name, value := refs[2*k], refs[2*k+1]
		if uint(name) >= uint(len(symbols)) || uint(value) >= uint(len(symbols)) {
			return d.appendGoodLabels(ls, refs)
		}
		out[k] = Label{symbols[name], symbols[value]}
	}
	if len(refs)%2 != 0 {
		return ls[:len(ls)+len(out)], d.checkRefs(refs)
	}
	return ls[:len(ls)+len(out)], nil
}

// appendGoodLabels is appendLabels for references that are invalid, or ahead of their symbols.
func (d *Decoder) appendGoodLabels(ls Labels, refs []uint32) (Labels, error) {
	err := d.checkRefs(refs)
	ls = ls[:0]
	for i := 1; i < len(refs); i += 2 {
		name, value := refs[i-1], refs[i]
		if uint(name) < uint(len(d.symbols)) && uint(value) < uint(len(d.symbols)) {
			ls = append(ls, Label{d.symbols[name], d.symbols[value]})
		}
	}
	return ls, err
}

// checkRefs judges references after it has collected the symbols they need.
func (d *Decoder) checkRefs(refs []uint32) error {
	for _, ref := range refs {
		if uint(ref) < uint(len(d.symbols)) {
			continue
		}
		d.collectSymbols()
		if uint(ref) >= uint(len(d.symbols)) {
			return d.refError(ref)
		}
	}
	if len(refs)%2 != 0 {
		return fmt.Errorf("%w: odd number of references, %d", ErrInvalidSymbolRef, len(refs))
	}
	return nil
}
