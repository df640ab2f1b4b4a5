//go:build linux || darwin || freebsd

package tsdbstore

import "syscall"

// diskFree returns the bytes that this process may still write to the file system of dir.
func diskFree(dir string) (uint64, error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return 0, err
	}
	return uint64(st.Bavail) * uint64(st.Bsize), nil
}
