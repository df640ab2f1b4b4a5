package memory

import (
	"math"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
)

// share is the part of the memory that the process may have.
const share = 0.8

// Limit returns 80 % of the memory of the machine or, if that is less, of the control groups that the process is in, in bytes; 0 if
// that is not known, which it is on Linux. On 32 bits it is 1 GiB at most, of the two or three that a process has.
func Limit() int64 { return limit("/") }

func limit(root string) int64 {
	least := min(meminfo(filepath.Join(root, "proc/meminfo")), cgroups(root))
	if least == math.MaxInt64 {
		return 0
	}
	n := int64(share * float64(least))
	if math.MaxInt == math.MaxInt32 {
		return min(n, 1<<30)
	}
	return n
}

// meminfo returns the memory of the machine.
func meminfo(file string) int64 {
	data, _ := os.ReadFile(file) // without it, nothing is known
	for line := range strings.Lines(string(data)) {
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] == "MemTotal:" {
			if kib, err := strconv.ParseInt(fields[1], 10, 64); err == nil && kib > 0 && kib < math.MaxInt64>>10 {
				return kib << 10
			}
		}
	}
	return math.MaxInt64
}

// cgroups returns the least limit of the groups of the process, of version 2 or 1, and of those above them.
func cgroups(root string) int64 {
	least := int64(math.MaxInt64)
	data, _ := os.ReadFile(filepath.Join(root, "proc/self/cgroup")) // likewise
	for line := range strings.Lines(string(data)) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) != 3 || parts[1] != "" && parts[1] != "memory" {
			continue
		}
		base, file := filepath.Join(root, "sys/fs/cgroup"), "memory.max"
		if parts[1] == "memory" {
			base, file = filepath.Join(base, "memory"), "memory.limit_in_bytes"
		}
		for group := path.Clean("/" + parts[2]); ; group = path.Dir(group) {
			least = min(least, bound(filepath.Join(base, group, file)))
			if group == "/" {
				break
			}
		}
	}
	return least
}

// bound returns the number in a file; there is none where the group has no limit.
func bound(file string) int64 {
	data, _ := os.ReadFile(file) // a group that is not seen from here has none
	if n, err := strconv.ParseInt(strings.TrimSpace(string(data)), 10, 64); err == nil && n > 0 {
		return n
	}
	return math.MaxInt64
}
