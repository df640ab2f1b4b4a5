//go:build race

package servebench

// poolFactor is how much more may be allocated because pools drop a part of what they get under the race detector.
const poolFactor = 2
