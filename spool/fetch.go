package spool

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/promwire/promwire"
)

// piece is a record of a delivery and where its body is in memory.
type piece struct {
	record
	start, end int // in delivery.buf
}

// delivery is one or more adjacent records that are sent as one request.
type delivery struct {
	buf     []byte
	pieces  []piece
	joined  []byte // body, if there are several pieces
	decoded int    // size of all pieces, decompressed
	size    int    // of the body, decompressed
	merger  *merger
	items   promwire.WriteStats
	counts  Counts
	segment *segment
	offset  int64 // behind the last record
	window  []byte
}

func (d *delivery) next() uint64 { return d.pieces[len(d.pieces)-1].number + 1 }

// body returns the encoded request.
func (d *delivery) body() []byte {
	if len(d.pieces) == 1 {
		return d.buf[d.pieces[0].start:d.pieces[0].end]
	}
	return d.joined
}

// fetch reads the next records into d; false if there are none.
func (r *Reader) fetch(d *delivery, o *DeliverOptions) (bool, error) {
	for {
		g, offset, limit, next := r.locate()
		if g == nil {
			return false, nil
		}
		d.reset(g, offset)
		err := d.fill(limit, next, o)
		switch {
		case errors.Is(err, errDropped):
			continue
		case errors.Is(err, errRecord):
			if err := r.resync(g, d, limit, next); err != nil && !errors.Is(err, errDropped) {
				return false, err
			}
			continue
		case err != nil:
			return false, fmt.Errorf("read %s: %w", g.path, err)
		}
		r.spool.mu.Lock()
		current := r.next == next && r.segment == g // or it was dropped meanwhile
		if current {
			r.inFlight, r.flight = d.next(), d.counts
		}
		r.spool.mu.Unlock()
		if current {
			return true, nil
		}
	}
}

// locate returns the segment with the next record, its offset, and up to where the segment may be read.
func (r *Reader) locate() (g *segment, offset, limit int64, next uint64) {
	s := r.spool
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, g := range s.segments {
		if g.next <= r.next {
			continue
		}
		if r.segment != g {
			r.segment, r.offset, r.passed = g, segmentHeader, Counts{}
		}
		if g.first > r.next {
			r.stats.Lost += g.first - r.next
			r.next = g.first
		}
		return g, r.offset, g.size, r.next
	}
	return nil, 0, 0, 0
}

func (d *delivery) reset(g *segment, offset int64) {
	*d = delivery{
		buf: d.buf[:0], pieces: d.pieces[:0], joined: d.joined[:0], window: d.window, merger: d.merger, segment: g, offset: offset,
	}
}

// fill reads a record, and those behind it that can be merged with it or joined to it. The error is errRecord if the
// first one is damaged.
func (d *delivery) fill(limit int64, next uint64, o *DeliverOptions) error {
	if err := d.read(limit, next); err != nil {
		return err
	}
	small := o.small(&d.pieces[0].record)
	for d.joinable(&d.pieces[0].record, small) && d.offset < limit {
		r, err := d.header(limit, d.next())
		if err != nil {
			break // it is met again as the first one
		}
		if !d.fits(&r, o, small) {
			break
		}
		if err := d.read(limit, d.next()); err != nil {
			break
		}
		last := &d.pieces[len(d.pieces)-1]
		if first := &d.pieces[0]; last.tenant != first.tenant || !d.joinable(&last.record, small) {
			d.keep(len(d.pieces) - 1)
			break
		}
	}
	d.combine(small)
	return nil
}

// joinable reports whether bodies like that can be put one behind the other, which those of 2.0 can't if they are not
// small enough to be merged.
func (d *delivery) joinable(r *record, small bool) bool {
	return (small || r.message == promwire.WriteV1) && r.encoding == promwire.EncodingSnappy
}

func (d *delivery) fits(r *record, o *DeliverOptions, small bool) bool {
	first := &d.pieces[0]
	items := d.items.Add(r.items)
	limit, decoded := o.JoinSamples, maxJoinedDecoded
	if small {
		limit, decoded = min(limit, o.MergeSamples), maxMerged
	}
	return r.message == first.message && r.encLen == first.encLen && r.tenLen == first.tenLen && o.small(r) == small &&
		len(d.buf)+r.length <= o.JoinBytes && items.Samples+items.Histograms <= limit && d.decoded+r.decoded <= decoded
}

// combine makes one body of what was read, of less where not all of it can be merged.
func (d *delivery) combine(small bool) {
	d.size = d.decoded
	if !small || len(d.pieces) < 2 {
		d.join()
		return
	}
	if d.merger == nil {
		d.merger = new(merger)
	}
	d.keep(max(d.merger.merge(d), 1))
}

// maxJoinedDecoded bounds the decompressed size of a joined request, in bytes: half of what receivers usually take.
const maxJoinedDecoded = 16 << 20

// header reads the header at d.offset.
func (d *delivery) header(limit int64, next uint64) (record, error) {
	if limit-d.offset < headerSize {
		return record{}, errRecord
	}
	d.window = slices.Grow(d.window[:0], headerSize)[:headerSize]
	if err := d.segment.readAt(d.window, d.offset); err != nil {
		return record{}, err
	}
	r, ok := decodeHeader(d.window, d.segment.salt)
	if !ok || r.number != next || r.size() > limit-d.offset {
		return record{}, errRecord
	}
	return r, nil
}

// read adds the record at d.offset.
func (d *delivery) read(limit int64, next uint64) error {
	r, err := d.header(limit, next)
	if err != nil {
		return err
	}
	start := len(d.buf)
	d.buf = slices.Grow(d.buf, r.length)[:start+r.length]
	err = d.segment.readAt(d.buf[start:], d.offset+headerSize)
	if err == nil {
		_, err = r.decodeRest(d.buf[start:], d.segment.salt)
	}
	if err != nil {
		d.buf = d.buf[:start]
		return err
	}
	d.pieces = append(d.pieces, piece{r, start + r.encLen + r.tenLen, len(d.buf)})
	d.offset += r.size()
	d.decoded += r.decoded
	d.items = d.items.Add(r.items)
	d.counts.add(&r)
	return nil
}

// keep takes back all but the first n records.
func (d *delivery) keep(n int) {
	for i := n; i < len(d.pieces); i++ {
		d.offset -= d.pieces[i].size()
		d.decoded -= d.pieces[i].decoded
	}
	d.pieces = d.pieces[:n]
	d.counts, d.items = Counts{}, promwire.WriteStats{}
	for i := range d.pieces {
		d.counts.add(&d.pieces[i].record)
		d.items = d.items.Add(d.pieces[i].items)
	}
}

// join makes one body of several: the lengths in front added up, the elements one behind the other. Copies in them
// count back from where they stand, and messages of 1.0 are lists of fields.
func (d *delivery) join() {
	if len(d.pieces) < 2 {
		return
	}
	length := uint64(0)
	for i := range d.pieces {
		n, _ := binary.Uvarint(d.buf[d.pieces[i].start:d.pieces[i].end])
		length += n
	}
	d.joined = binary.AppendUvarint(d.joined[:0], length)
	for i := range d.pieces {
		b := d.buf[d.pieces[i].start:d.pieces[i].end]
		_, used := binary.Uvarint(b)
		d.joined = append(d.joined, b[max(used, 0):]...)
	}
}

// resync moves the reader behind damage.
func (r *Reader) resync(g *segment, d *delivery, limit int64, next uint64) error {
	sc := &scanner{file: readerAt{g}, size: limit, salt: g.salt}
	f, ok, err := sc.after(d.offset+1, next+1)
	if err != nil {
		return err
	}
	s := r.spool
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.segment != g || r.next != next {
		return nil // dropped
	}
	damage := Damage{Offset: d.offset, Bytes: limit - d.offset, Records: g.next - next, FirstLost: next}
	if ok {
		damage.Bytes, damage.Records = f.offset-d.offset, f.number-next
		r.offset, r.next = f.offset, f.number
	} else {
		r.next, r.segment = g.next, nil
	}
	r.stats.Lost += damage.Records
	// What is behind the damage is counted as it comes; what was lost can't be.
	if ok {
		r.passed = r.passed.Add(Counts{Records: damage.Records, Bytes: uint64(damage.Bytes)})
	}
	if !g.damaged {
		g.damaged = true
	}
	s.damage(damage)
	return nil
}

// readerAt reads a segment that may be dropped meanwhile.
type readerAt struct{ g *segment }

func (r readerAt) ReadAt(b []byte, offset int64) (int, error) {
	if err := r.g.readAt(b, offset); err != nil {
		return 0, err
	}
	return len(b), nil
}
