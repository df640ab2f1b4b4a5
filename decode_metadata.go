package promwire

import "github.com/promwire/promwire/internal/pb"

// addMetadata appends a MetricMetadata of a 1.0 message.
func (d *Decoder) addMetadata(s string) bool {
	m, ok := readMetadataV1(s)
	d.metadata = append(d.metadata, m)
	return ok
}

func readMetadataV1(s string) (m MetricMetadata, ok bool) {
	for i := 0; i < len(s); {
		tag, body, next := pb.Field(s, i)
		if next < 0 {
			return m, false
		}
		switch tag {
		case 0x08:
			var v uint64
			v, next = pb.Uvarint(s, next)
			m.Type = MetricType(v)
		case 0x12:
			m.Family = body
		case 0x22:
			m.Help = body
		case 0x2a:
			m.Unit = body
		default:
			next = skipUnknown(s, next, tag, 1<<1|1<<2|1<<4|1<<5)
		}
		if i = next; i < 0 {
			return m, false
		}
	}
	return m, true
}

// encodedMetadata is a Metadata message whose references are not looked up, and the created_timestamp that once stood
// beside it.
type encodedMetadata struct {
	typ        MetricType
	help, unit uint32
	created    int64
}

// readShort reads the Metadata field at s[i:] if it and its fields take up one byte each for tags, lengths and values.
// Otherwise it returns 0.
func (m *encodedMetadata) readShort(s string, i int) int {
	body, next := pb.ShortField(s, i)
	if len(body)%2 != 0 {
		return 0
	}
	for ; len(body) >= 2; body = body[2:] {
		v := uint32(body[1])
		switch {
		case v >= 0x80:
			return 0
		case body[0] == 0x08:
			m.typ = MetricType(v)
		case body[0] == 0x18:
			m.help = v
		case body[0] == 0x20:
			m.unit = v
		default:
			return 0
		}
	}
	return next
}

// read reads a Metadata message on top of what is there: repeated singular messages merge.
func (m *encodedMetadata) read(s string) bool {
	for i := 0; i < len(s); {
		tag, _, next := pb.Field(s, i)
		if next < 0 {
			return false
		}
		var v uint64
		switch tag {
		case 0x08:
			v, next = pb.Uvarint(s, next)
			m.typ = MetricType(v)
		case 0x18:
			v, next = pb.Uvarint(s, next)
			m.help = uint32(v)
		case 0x20:
			v, next = pb.Uvarint(s, next)
			m.unit = uint32(v)
		default:
			next = skipUnknown(s, next, tag, 1<<1|1<<3|1<<4)
		}
		if i = next; i < 0 {
			return false
		}
	}
	return true
}
