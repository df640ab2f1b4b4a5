package process

import (
	"math"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/serieshash"
)

// Tally is what a set of samples is known by, in whatever order they come.
type Tally struct {
	Samples int
	Points  uint64 // a sum over times and values
	Series  uint64 // one that has the labels in it; 0 if they are not known
}

// Add adds the samples of a series.
func (t *Tally) Add(ts *promwire.TimeSeries) {
	labels := serieshash.Labels(ts.Labels)
	for _, s := range ts.Samples {
		point := mix(mix(uint64(s.Timestamp)) ^ math.Float64bits(s.Value))
		t.Samples++
		t.Points += point
		t.Series += mix(point ^ labels)
	}
}

// mix spreads the bits of x over all of them.
func mix(x uint64) uint64 {
	x ^= x >> 32
	x *= 0xd6e8feb86659fd93
	x ^= x >> 32
	x *= 0xd6e8feb86659fd93
	return x ^ x>>32
}

// Merge adds what another tally has.
func (t *Tally) Merge(other Tally) {
	t.Samples += other.Samples
	t.Points += other.Points
	t.Series += other.Series
}
