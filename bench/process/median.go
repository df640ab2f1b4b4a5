package process

import "slices"

// Median returns the median of values, which it sorts. There must be at least one.
func Median(values []float64) float64 {
	slices.Sort(values)
	return (values[(len(values)-1)/2] + values[len(values)/2]) / 2
}
