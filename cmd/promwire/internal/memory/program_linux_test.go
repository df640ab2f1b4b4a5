package memory

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// TestSettle looks at the program's part of the resident memory before and after.
func TestSettle(t *testing.T) {
	resident := func() (kib int) {
		t.Helper()
		status, err := os.ReadFile("/proc/self/status")
		if err != nil {
			t.Fatal(err)
		}
		_, rest, _ := bytes.Cut(status, []byte("RssFile:"))
		if _, err := fmt.Sscan(string(rest), &kib); err != nil {
			t.Fatal(err)
		}
		return kib
	}
	touch(t)
	before := resident()
	Settle()
	if after := resident(); after > before*3/4 {
		t.Errorf("%d KiB of files before, %d KiB after", before, after)
	}
	touch(t)
}

// touch reads the whole program.
func touch(t *testing.T) {
	t.Helper()
	program, err := os.Readlink("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	smaps, err := os.Open("/proc/self/smaps")
	if err != nil {
		t.Fatal(err)
	}
	defer smaps.Close()
	mem, err := os.Open("/proc/self/mem")
	if err != nil {
		t.Fatal(err)
	}
	defer mem.Close()
	mappings := clean(smaps, program)
	if len(mappings) == 0 {
		t.Fatal("the program is nowhere")
	}
	for _, m := range mappings {
		if _, err := mem.ReadAt(make([]byte, m.size), int64(m.begin)); err != nil {
			t.Fatal(err)
		}
	}
}

// Pages that were changed, and those of others, stay.
func TestClean(t *testing.T) {
	const smaps = `080400000-080410000 r-xp 00000000 fe:00 7                          /bin/promwire
Size:                 64 kB
Anonymous:             0 kB
VmFlags: rd ex mr mw me
080410000-080430000 r--p 00010000 fe:00 7                          /bin/promwire
Anonymous:            12 kB
080430000-080431000 rw-p 00030000 fe:00 7                          /bin/promwire
Anonymous:             0 kB
080440000-080448000 r--p 00040000 fe:00 7                          /bin/promwire
Anonymous:             0 kB
c000000000-c000400000 rw-p 00000000 00:00 0
Anonymous:             0 kB
7f0000000000-7f0000001000 r--p 00000000 fe:00 8                          /lib/libc.so.6
Anonymous:             0 kB
7f0000002000-7f0000003000 r-xp 00000000 00:00 0                          [vdso]
Anonymous:             0 kB
`
	want := []mapping{{0x080400000, 0x10000}, {0x080440000, 0x8000}}
	if got := clean(strings.NewReader(smaps), "/bin/promwire"); !slices.Equal(got, want) {
		t.Errorf("%x, want %x", got, want)
	}
}
