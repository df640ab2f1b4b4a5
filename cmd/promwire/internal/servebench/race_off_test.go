//go:build !race

package servebench

// poolFactor is 1: pools keep what they get.
const poolFactor = 1
