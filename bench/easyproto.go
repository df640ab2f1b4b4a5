package bench

import (
	"fmt"

	"github.com/VictoriaMetrics/easyproto"
)

// walkEasyproto is a hand-written decoder on easyproto: every label, sample and histogram bucket of a 1.0 message is
// seen once. It returns a checksum so that nothing can be optimised away.
func walkEasyproto(src []byte) (sum checksum, err error) {
	var fc easyproto.FieldContext
	for len(src) > 0 {
		if src, err = fc.NextField(src); err != nil {
			return sum, fmt.Errorf("request: %w", err)
		}
		if fc.FieldNum != 1 {
			continue
		}
		data, ok := fc.MessageData()
		if !ok {
			return sum, errEasyproto
		}
		if err := walkSeriesEasyproto(data, &sum); err != nil {
			return sum, err
		}
	}
	return sum, nil
}

var errEasyproto = fmt.Errorf("easyproto: wrong type of field")

func walkSeriesEasyproto(src []byte, sum *checksum) (err error) {
	var fc easyproto.FieldContext
	for len(src) > 0 {
		if src, err = fc.NextField(src); err != nil {
			return err
		}
		data, ok := fc.MessageData()
		if !ok {
			return errEasyproto
		}
		switch fc.FieldNum {
		case 1:
			err = walkLabelEasyproto(data, sum)
		case 2:
			err = walkSampleEasyproto(data, sum)
		case 4:
			err = walkHistogramEasyproto(data, sum)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func walkLabelEasyproto(src []byte, sum *checksum) (err error) {
	var fc easyproto.FieldContext
	var name, value string
	for len(src) > 0 {
		if src, err = fc.NextField(src); err != nil {
			return err
		}
		switch fc.FieldNum {
		case 1:
			name, _ = fc.String()
		case 2:
			value, _ = fc.String()
		}
	}
	sum.label(name, value)
	return nil
}

func walkSampleEasyproto(src []byte, sum *checksum) (err error) {
	var fc easyproto.FieldContext
	var value float64
	var timestamp int64
	for len(src) > 0 {
		if src, err = fc.NextField(src); err != nil {
			return err
		}
		switch fc.FieldNum {
		case 1:
			value, _ = fc.Double()
		case 2:
			timestamp, _ = fc.Int64()
		}
	}
	sum.sample(timestamp, value)
	return nil
}

// easyHistogram reuses its slices, as a careful hand-written decoder would.
type easyHistogram struct {
	count, zeroCount uint64
	sum, threshold   float64
	schema           int32
	timestamp        int64
	offsets          []int32
	lengths          []uint32
	deltas           []int64
}

var scratch easyHistogram

func walkHistogramEasyproto(src []byte, sum *checksum) (err error) {
	var fc easyproto.FieldContext
	h := &scratch
	*h = easyHistogram{offsets: h.offsets[:0], lengths: h.lengths[:0], deltas: h.deltas[:0]}
	for len(src) > 0 {
		if src, err = fc.NextField(src); err != nil {
			return err
		}
		switch fc.FieldNum {
		case 1:
			h.count, _ = fc.Uint64()
		case 3:
			h.sum, _ = fc.Double()
		case 4:
			h.schema, _ = fc.Sint32()
		case 5:
			h.threshold, _ = fc.Double()
		case 6:
			h.zeroCount, _ = fc.Uint64()
		case 11:
			data, _ := fc.MessageData()
			err = h.span(data)
		case 12:
			h.deltas, _ = fc.UnpackSint64s(h.deltas)
		case 15:
			h.timestamp, _ = fc.Int64()
		}
		if err != nil {
			return err
		}
	}
	sum.histogram(h.timestamp, h.sum, h.deltas)
	return nil
}

func (h *easyHistogram) span(src []byte) (err error) {
	var fc easyproto.FieldContext
	var offset int32
	var length uint32
	for len(src) > 0 {
		if src, err = fc.NextField(src); err != nil {
			return err
		}
		switch fc.FieldNum {
		case 1:
			offset, _ = fc.Sint32()
		case 2:
			length, _ = fc.Uint32()
		}
	}
	h.offsets, h.lengths = append(h.offsets, offset), append(h.lengths, length)
	return nil
}
