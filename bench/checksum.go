package bench

import "math"

// checksum is what a walk over a message sees; equal sums of two decoders mean that both saw the same data.
type checksum struct {
	labels, bytes, samples, buckets int
	values                          uint64
	times                           int64
}

func (c *checksum) label(name, value string) {
	c.labels++
	c.bytes += len(name) + len(value)
}

func (c *checksum) sample(timestamp int64, value float64) {
	c.samples++
	c.times += timestamp
	c.values += math.Float64bits(value)
}

func (c *checksum) histogram(timestamp int64, sum float64, deltas []int64) {
	c.sample(timestamp, sum)
	c.buckets += len(deltas)
	for _, d := range deltas {
		c.values += uint64(d)
	}
}
