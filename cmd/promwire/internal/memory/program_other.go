//go:build !linux

package memory

// Settle does nothing here.
func Settle() {}
