package promwire

import "fmt"

// weigh sees new symbols. Each reference takes a byte of the message at least, so as long as all symbols are short, no
// number of references can exceed MaxLabelBytes, and nothing needs to be counted. So it is with usual messages.
func (d *Decoder) weigh(symbols []string) {
	if d.MaxLabelBytes <= 0 || d.counting {
		return
	}
	longest := 0
	for _, s := range symbols {
		longest = max(longest, len(s))
	}
	d.counting = uint64(longest)*uint64(len(d.msg)) > uint64(d.MaxLabelBytes)
}

// text returns the bytes of all names and values.
func (ls Labels) text() (n uint64) {
	for i := range ls {
		n += uint64(len(ls[i].Name)) + uint64(len(ls[i].Value))
	}
	return n
}

// withinText counts labels that were looked up, and ends the walk if all that was is more than it may be.
func (d *Decoder) withinText(ls Labels) bool {
	d.text += ls.text()
	if d.text <= uint64(d.MaxLabelBytes) {
		return true
	}
	d.err = &DecodeError{
		Message: string(d.t), Field: "timeseries", Offset: d.start,
		Err: fmt.Errorf("%w: up to here, references to symbols stand for more than %d bytes of labels and metadata, "+
			"in a message of %d bytes; send fewer series at once, or shorter labels", ErrTooLarge, d.MaxLabelBytes, len(d.msg)),
	}
	return false
}
