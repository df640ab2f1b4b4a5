package exposition

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/textparse"

	"github.com/promwire/promwire"
)

var (
	errCutOff  = errors.New("the protobuf body is cut off")
	errTooMuch = errors.New("the metric family has a bad metric, and is too large to look for it")
)

// maxHeads bounds the bytes that are copied to read the metrics of a family one by one: its name and help, for each.
const maxHeads = 16 << 20

// protobuf reads metric families, each with its length before it. In a family that is bad, the metrics are read one by
// one, so that a bad one costs itself only.
func (r *Reader) protobuf(body []byte) error {
	for place := 1; len(body) > 0; place++ {
		length, n := binary.Uvarint(body)
		if n <= 0 || length > uint64(len(body)-n) {
			return fmt.Errorf("metric family %d: %w", place, errCutOff)
		}
		message := body[n : n+int(length)]
		body = body[n+int(length):]
		before, last := len(r.result.Points), r.last
		err := r.readFamily(frame(&r.doc, message), place)
		if errors.Is(err, r.tooMany) {
			return err
		}
		if err == nil {
			continue
		}
		r.result.Points, r.last = r.result.Points[:before], last
		r.eachMetric(message, place)
	}
	return nil
}

// frame puts the length before a message.
func frame(buf *[]byte, parts ...[]byte) []byte {
	length := 0
	for _, p := range parts {
		length += len(p)
	}
	out := binary.AppendUvarint((*buf)[:0], uint64(length))
	for _, p := range parts {
		out = append(out, p...)
	}
	*buf = out
	return out
}

// eachMetric reads a metric family as if each of its metrics were one.
func (r *Reader) eachMetric(message []byte, place int) {
	head, metrics, err := splitFamily(message)
	if err != nil {
		r.result.bad(place, nil, err)
		return
	}
	if len(head)*len(metrics) > maxHeads {
		r.result.bad(place, nil, errTooMuch)
		return
	}
	for _, m := range metrics {
		before, last := len(r.result.Points), r.last
		if err := r.readFamily(frame(&r.doc, head, m), place); err != nil {
			r.result.Points, r.last = r.result.Points[:before], last
			r.result.bad(place, nil, err)
		}
	}
}

// splitFamily returns the fields of a metric family that are not metrics, and each metric, with its tag.
func splitFamily(message []byte) (head []byte, metrics [][]byte, err error) {
	const metric = 4
	for rest := message; len(rest) > 0; {
		tag, n := binary.Uvarint(rest)
		if n <= 0 {
			return nil, nil, errCutOff
		}
		size := n
		switch tag & 7 {
		case 0:
			_, m := binary.Uvarint(rest[n:])
			if m <= 0 {
				return nil, nil, errCutOff
			}
			size += m
		case 1:
			size += 8
		case 2:
			length, m := binary.Uvarint(rest[n:])
			if m <= 0 || length > uint64(len(rest)) {
				return nil, nil, errCutOff
			}
			size += m + int(length)
		case 5:
			size += 4
		default:
			return nil, nil, fmt.Errorf("wire type %d is unknown", tag&7)
		}
		if size > len(rest) {
			return nil, nil, errCutOff
		}
		if tag>>3 == metric {
			metrics = append(metrics, rest[:size])
		} else {
			head = append(head, rest[:size]...)
		}
		rest = rest[size:]
	}
	return head, metrics, nil
}

// readFamily reads one metric family, with its length before it. The library panics on some that contradict themselves.
func (r *Reader) readFamily(framed []byte, place int) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the metric family contradicts itself: %v", p)
		}
	}()
	parser := textparse.NewProtobufParser(framed, r.opts.NoNative, !r.opts.OnlyNative, false, false, r.symbols)
	for {
		entry, err := parser.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch entry {
		case textparse.EntryHelp: // always the first
			r.family = r.protobufFamily(parser.Help())
		case textparse.EntryUnit:
			if _, unit := parser.Unit(); r.family.Unit != string(unit) {
				r.family.Unit = string(unit)
			}
		case textparse.EntryType:
			_, t := parser.Type()
			r.family.Type = types[t]
		case textparse.EntrySeries, textparse.EntryHistogram:
			if err := r.protobufPoint(parser, entry, place); err != nil {
				return err
			}
		}
	}
}

// protobufFamily is declared for a name that is not a string yet.
func (r *Reader) protobufFamily(name, help []byte) *Family {
	f := r.families[string(name)]
	if f == nil {
		f = r.declared(string(name))
	}
	f.round, f.Type = r.round, promwire.TypeUnknown
	if f.Help != string(help) {
		f.Help = string(help)
	}
	return f
}

// protobufPoint takes over the series that the parser is at.
func (r *Reader) protobufPoint(parser textparse.Parser, entry textparse.Entry, place int) error {
	if len(r.result.Points) >= r.opts.MaxPoints {
		return r.tooMany
	}
	p := Point{Place: place}
	var key []byte
	var at *int64
	if entry == textparse.EntrySeries {
		key, at, p.Value = parser.Series()
	} else {
		var err error
		if key, at, p.Histogram, err = readHistogram(parser); err != nil {
			return err
		}
	}
	if at != nil {
		p.HasTimestamp, p.Timestamp = true, *at
	}
	l := r.find(key)
	if l == nil {
		var err error
		if l, err = r.newLine(key, parser, promwire.TypeUnknown); err != nil {
			return err
		}
	}
	p.Series = l.series
	p.Start = parser.StartTimestamp()
	var err error
	if p.Exemplars, err = r.exemplars(parser, nil); err != nil {
		return err
	}
	r.emit(l, p)
	return nil
}

// readHistogram returns the native histogram that the parser is at.
func readHistogram(parser textparse.Parser) (key []byte, at *int64, h *promwire.Histogram, err error) {
	key, at, ih, fh := parser.Histogram()
	switch {
	case ih != nil:
		if err := ih.Validate(); err != nil {
			return nil, nil, nil, err
		}
		return key, at, newHistogram(ih), nil
	case fh != nil:
		if err := fh.Validate(); err != nil {
			return nil, nil, nil, err
		}
		return key, at, newFloatHistogram(fh), nil
	default:
		return nil, nil, nil, fmt.Errorf("%w: %s", promwire.ErrInvalidHistogram, model.MetricNameLabel)
	}
}
