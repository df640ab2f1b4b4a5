package tenants

import "github.com/promwire/promwire"

// first says whether a tenant may begin with b: only if b is well-formed, and its rules leave something of it to store.
// Otherwise the error is what a store would answer: nil if b holds nothing, a [*promwire.PartialWriteError] if all of it is
// refused. Times are not judged.
func first(b *promwire.Body) (begins bool, err error) {
	msg, err := b.Decoded()
	if err != nil {
		return false, err
	}
	var d promwire.Decoder
	d.Reset(msg, b.Rules.Type)
	d.MaxLabelBytes = b.Rules.MaxLabelBytes
	var refused []promwire.Refusal
	for d.Next() && b.Rules.Within(&d) {
		switch {
		case begins: // the rest has to be well-formed
		case d.SeriesErr() != nil:
			refused = b.Rules.Refuse(refused, d.Index(), d.Series().Labels, d.SeriesErr())
		default:
			refused, begins = b.Rules.Apply(refused, d.Index(), d.Series())
		}
	}
	if err := b.Rules.CheckMessage(&d); err != nil {
		return false, err
	}
	if begins || len(d.Metadata()) > 0 {
		return true, nil
	}
	if len(refused) > 0 {
		err = &promwire.PartialWriteError{Refused: refused}
	}
	return false, err
}
