//go:build !race

package promwire_test

const raceEnabled = false
