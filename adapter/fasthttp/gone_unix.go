//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package promfasthttp

import "syscall"

// gone waits until the connection is at its end, or broken, and reports whether it is. It reads nothing, and gives up at the
// read deadline and when the next request has come.
func gone(raw syscall.RawConn) bool {
	over := false
	err := raw.Read(func(fd uintptr) bool {
		var first [1]byte
		for {
			n, _, err := syscall.Recvfrom(int(fd), first[:], syscall.MSG_PEEK)
			switch err {
			case syscall.EINTR:
				continue
			case syscall.EAGAIN:
				return false // not yet
			case nil:
				over = n == 0
			default:
				over = true
			}
			return true
		}
	})
	return err == nil && over
}
