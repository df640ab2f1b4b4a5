//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package promfasthttp

import "syscall"

// gone knows no way to find out.
func gone(syscall.RawConn) bool { return false }
