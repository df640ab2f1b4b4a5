package chunk

// delta2 is a number stored as change of its change.
type delta2 struct{ value, delta int64 }

func (d *delta2) add(change int64) {
	d.delta += change
	d.value += d.delta
}

// change is the inverse of add: it sets the next value and returns the change that leads there.
func (d *delta2) change(value int64) int64 {
	delta := value - d.value
	change := delta - d.delta
	d.value, d.delta = value, delta
	return change
}
