//go:build !linux

package main

import "os"

// peakMemory is 0, since systems count it in units of their own.
func peakMemory(*os.ProcessState) int64 { return 0 }
