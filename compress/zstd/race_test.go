//go:build race

package zstd_test

const raceEnabled = true
