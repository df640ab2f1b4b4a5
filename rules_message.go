package promwire

import (
	"errors"
	"fmt"
)

var (
	errFirstSymbol = errors.New("the first symbol must be the empty string, since reference 0 means that nothing is set")
	errIsV2        = errors.New("it has the fields of Remote Write 2.0 and none of 1.0: the Content-Type of such a body is " + ContentTypeWriteV2)
	errIsV1        = errors.New("it has the fields of Remote Write 1.0 and none of 2.0: the Content-Type of such a body is " + ContentTypeProtobuf)
)

// CheckMessage judges a message as a whole, when d has walked it to its end. If it returns an error, nothing of the
// message may be stored: a [*DecodeError] if it is malformed or, in 2.0, if its first symbol is not the empty string
// (Remote Write 2.0, "Symbols"; [Rules.AnyFirstSymbol] allows that), or one that wraps [ErrTooLarge] if it has more
// series, samples or exemplars than it may have. The empty message is fine. A message with nothing in it but fields of the
// other message is a [*DecodeError] too: it came under the wrong content type, and its data would be lost in silence.
//
// A walk may end early, when [Rules.Within] says that d has seen too much already.
func (r Rules) CheckMessage(d *Decoder) error {
	if d.err != nil {
		return d.err
	}
	if r.MaxSeries > 0 && d.index >= r.MaxSeries {
		return fmt.Errorf("%w: more than %d series in a request; send smaller ones", ErrTooLarge, r.MaxSeries)
	}
	if r.MaxSamples > 0 && d.samples > r.MaxSamples {
		return fmt.Errorf("%w: more than %d samples in a request; send smaller ones", ErrTooLarge, r.MaxSamples)
	}
	if r.MaxExemplars > 0 && d.exemplars > r.MaxExemplars {
		return fmt.Errorf("%w: more than %d exemplars in a request; send smaller ones", ErrTooLarge, r.MaxExemplars)
	}
	if d.other && d.index < 0 && len(d.metadata)+len(d.symbols) == 0 {
		if d.t == WriteV2 {
			return &DecodeError{Message: string(WriteV2), Err: errIsV1}
		}
		return &DecodeError{Message: string(WriteV1), Err: errIsV2}
	}
	if d.t != WriteV2 || r.AnyFirstSymbol || r.Validation == ValidateLenient || len(d.msg) == 0 || len(d.symbols) > 0 && d.symbols[0] == "" {
		return nil
	}
	return &DecodeError{Message: string(WriteV2), Field: "symbols", Err: errFirstSymbol}
}

// Within reports whether d has seen no more series, samples and exemplars than r allows.
func (r *Rules) Within(d *Decoder) bool {
	return (r.MaxSeries == 0 || d.index < r.MaxSeries) && (r.MaxSamples == 0 || d.samples <= r.MaxSamples) &&
		(r.MaxExemplars == 0 || d.exemplars <= r.MaxExemplars)
}
