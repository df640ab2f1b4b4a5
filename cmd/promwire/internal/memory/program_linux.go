package memory

import (
	"bufio"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// Settle gives back what only the start of the process needed of the program itself: most of its pages, which are code and
// tables that are read once. They are in the file still, and the kernel brings back those that are used again. It is for
// when the process is ready, and does nothing where it can't be done. It is safe for concurrent use.
func Settle() {
	program, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return
	}
	mappings, err := os.Open("/proc/self/smaps")
	if err != nil {
		return
	}
	defer mappings.Close()
	for _, m := range clean(mappings, program) {
		_, _, _ = syscall.Syscall(syscall.SYS_MADVISE, m.begin, m.size, syscall.MADV_DONTNEED)
	}
}

// mapping is a part of the process' memory.
type mapping struct{ begin, size uintptr }

// clean returns the mappings of a file, out of a list of the kernel, that nobody can write to and that hold nothing but what
// is in the file: what was changed, as the addresses in a program that may be loaded anywhere, would be lost.
func clean(smaps io.Reader, file string) (all []mapping) {
	var at mapping
	for lines := bufio.NewScanner(smaps); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) < 2 {
			continue
		}
		if from, to, ok := strings.Cut(fields[0], "-"); ok {
			at = mapping{}
			if len(fields) == 6 && fields[5] == file && strings.HasPrefix(fields[1], "r-") {
				at = between(from, to)
			}
		}
		if fields[0] == "Anonymous:" && fields[1] == "0" && at.size > 0 {
			all = append(all, at)
		}
	}
	return all
}

// between returns the mapping between two addresses in hexadecimal.
func between(from, to string) mapping {
	begin, err := strconv.ParseUint(from, 16, strconv.IntSize)
	if err != nil {
		return mapping{}
	}
	end, err := strconv.ParseUint(to, 16, strconv.IntSize)
	if err != nil || end < begin {
		return mapping{}
	}
	return mapping{uintptr(begin), uintptr(end - begin)}
}
