package chunk

// startTimes decodes the start timestamps that follow the samples of XOR2, HISTOGRAM_ST and FLOAT_HISTOGRAM_ST. The
// first sample may have one, as the time since then; it holds for all samples up to the first that has an entry of
// its own, and from there on each has one: how long before the previous sample it lies, less the same of the entry
// before.
type startTimes struct {
	value int64 // of the last sample; 0 if unset
	ago   int64
	first bool // whether the first sample has one
	from  int  // index of the first sample with an entry; 0 if there is none
}

func newStartTimes(header byte) startTimes {
	return startTimes{first: header&0x80 != 0, from: int(header & 0x7f)}
}

// due reports whether sample i has an entry.
func (s *startTimes) due(i int) bool {
	if i == 0 {
		return s.first
	}
	return s.from > 0 && i >= s.from
}

// next reads the entry of sample i, whose timestamp is t and that of its predecessor before.
func (s *startTimes) next(r *bitReader, i int, t, before int64) error {
	if i == 0 {
		ago, err := r.varint(false)
		s.value = t - ago
		return err
	}
	ago := r.varbitInt()
	if i > s.from {
		ago += s.ago
	}
	s.ago = ago
	s.value = before - ago
	return nil
}
