package spool

import (
	"slices"

	"github.com/promwire/promwire"
)

const (
	// snappyWindow is how far back snappy looks, in bytes: larger bodies gain nothing from being compressed as one.
	snappyWindow = 64 << 10
	// maxMerged bounds what is decoded to be merged, in bytes. A byte can take sixteen of memory.
	maxMerged = 2 << 20
)

// small reports whether a body with these items is merged with others rather than joined to them.
func (o *DeliverOptions) small(r *record) bool {
	if r.message == promwire.WriteV1 && r.decoded > snappyWindow {
		return false
	}
	return r.items.Samples+r.items.Histograms+r.items.Exemplars < o.MergeSamples
}

// merger makes one request of several by decoding them. 1.0 messages are only decompressed: they are lists of fields.
type merger struct {
	plain, message []byte
	decoder        promwire.Decoder
	request        promwire.WriteRequest
}

// merge makes one body of the first pieces of d, and returns how many they are: less than two if they can't be merged.
// What can't be is sent as it came, so that the target judges it.
func (m *merger) merge(d *delivery) (n int) {
	m.plain = slices.Grow(m.plain[:0], d.decoded) // strings of 2.0 requests lie in it
	m.request.Timeseries = m.request.Timeseries[:0]
	t := d.pieces[0].message
	for n < len(d.pieces) && m.add(d, &d.pieces[n], t) {
		n++
	}
	if n < 2 {
		return n
	}
	message, err := m.plain, error(nil)
	if t == promwire.WriteV2 {
		m.message, err = m.request.AppendProto(m.message[:0], t)
		message = m.message
	}
	if err == nil {
		d.joined, err = promwire.Snappy.AppendEncoded(d.joined[:0], message)
	}
	if err != nil {
		return 0
	}
	d.size = len(message)
	return n
}

// add decodes a piece. Without success everything is as before.
func (m *merger) add(d *delivery, p *piece, t promwire.MessageType) bool {
	start := len(m.plain)
	plain, err := promwire.Snappy.AppendDecoded(m.plain, d.buf[p.start:p.end], p.decoded)
	if err != nil {
		return false
	}
	if t == promwire.WriteV2 && !m.decode(plain[start:], d.items) {
		return false
	}
	m.plain = plain
	return true
}

// decode adds the series of a 2.0 message. items bounds their number, as series may have none.
func (m *merger) decode(msg []byte, items promwire.WriteStats) bool {
	series, before := m.request.Timeseries, len(m.request.Timeseries)
	limit := 2 * (items.Samples + items.Histograms + items.Exemplars + 1)
	m.decoder.MaxLabelBytes = 16 * maxMerged // references may stand for much more than the message has
	m.decoder.Reset(msg, promwire.WriteV2)
	ok := false
	for n := before; n <= limit; n++ {
		series = append(series, spare(series))
		if !m.decoder.NextInto(&series[n]) {
			series, ok = series[:n], m.decoder.Err() == nil
			break
		}
		if m.decoder.SeriesErr() != nil {
			break
		}
	}
	if !ok {
		series = series[:before]
	}
	m.request.Timeseries = series
	return ok
}
