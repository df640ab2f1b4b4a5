package promwire

import "github.com/promwire/promwire/internal/pb"

// Stats returns how many items the message carries. It walks the structure of the decompressed message and decodes
// nothing; whoever knows the counts from elsewhere, as a spool does, spares the walk by [Body.SetStats]. A structure
// that is not sound is a [*DecodeError]; other errors are those of [Body.Decoded].
func (b *Body) Stats() (WriteStats, error) {
	if b.counted {
		return b.stats, nil
	}
	decoded, err := b.Decoded()
	if err != nil {
		return WriteStats{}, err
	}
	stats, ok := countItems(pb.AsString(decoded), b.Type)
	if !ok {
		return WriteStats{}, explainBody(decoded, b.Type)
	}
	b.SetStats(stats)
	return stats, nil
}

// SetStats says how many items the message carries, until Reset.
func (b *Body) SetStats(s WriteStats) { b.stats, b.counted = s, true }

// countItems counts the items of msg. It is false if the structure of the message or of a series is malformed; what is
// inside of items it does not look at.
func countItems(msg string, t MessageType) (stats WriteStats, ok bool) {
	// The numbers of the fields of a series, by what is counted.
	seriesTag, samples, histograms, exemplars := uint64(0x0a), 2, 4, 3
	if t == WriteV2 {
		seriesTag, samples, histograms, exemplars = 0x2a, 2, 3, 4
	}
	var counts [8]int
	for i := 0; i < len(msg); {
		tag, start, end := field(msg, i)
		if end < 0 || tag == seriesTag && !countFields(msg[start:end], &counts) {
			return WriteStats{}, false
		}
		i = end
	}
	return WriteStats{Samples: counts[samples], Histograms: counts[histograms], Exemplars: counts[exemplars]}, true
}

// countFields counts the messages that a series holds by their field number.
func countFields(s string, counts *[8]int) bool {
	for i := 0; i < len(s); {
		tag, _, end := field(s, i)
		if end < 0 {
			return false
		}
		if tag&7 == pb.Bytes && tag>>3 < uint64(len(counts)) {
			counts[tag>>3]++
		}
		i = end
	}
	return true
}

// explainBody returns what is wrong with a malformed message.
func explainBody(msg []byte, t MessageType) error {
	var d Decoder
	d.Reset(msg, t)
	for d.Next() {
	}
	if d.Err() != nil {
		return d.Err()
	}
	return &DecodeError{Message: string(t), Err: errMalformed}
}
