package servebench

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/xcompress"
	"github.com/promwire/promwire/server"
)

// hostile are messages made to cost as much as they can, of at most size bytes.
var hostile = []struct {
	name string
	t    promwire.MessageType
	make func(size int) []byte
}{
	{"symbol-1MB-refs-15M", promwire.WriteV2, func(size int) []byte {
		m := symbols("", "__name__", strings.Repeat("x", min(1<<20, size/4)))
		return repeat(m, size, field(nil, 5, string(field(nil, 1, strings.Repeat("\x01\x02", 30)))+"\x12\x02\x10\x01"))
	}},
	{"symbol-4kB-series", promwire.WriteV2, func(size int) []byte {
		m := symbols("", "__name__", strings.Repeat("x", 4096))
		return numbered(m, size, 5, func(i int) string {
			return string(field(nil, 1, "\x01\x02")) + stamped(2, i)
		})
	}},
	{"resolved-under-limit-1MB", promwire.WriteV2, func(size int) []byte { return resolved(size, 1<<20) }},
	{"resolved-under-limit-4kB", promwire.WriteV2, func(size int) []byte { return resolved(size, 4<<10) }},
	{"resolved-over-limit", promwire.WriteV2, func(size int) []byte { return append(resolved(size, 64<<10), resolved(size, 64<<10)...) }},
	{"exemplars-under-limit", promwire.WriteV2, func(size int) []byte {
		m := symbols("", "__name__", "m", strings.Repeat("x", 16<<10), "v")
		return field(m, 5, "\x0a\x02\x01\x02\x12\x02\x10\x01"+strings.Repeat("\x22\x04\x0a\x02\x03\x04", size*29/10/(16<<10)))
	}},
	{"help-under-limit", promwire.WriteV2, func(size int) []byte {
		m := symbols("", "__name__", "m", strings.Repeat("h", 8<<10))
		return append(m, strings.Repeat("\x2a\x0c\x0a\x02\x01\x02\x12\x02\x10\x01\x2a\x02\x18\x03", size*29/10/(8<<10))...)
	}},
	{"series-empty", promwire.WriteV2, func(size int) []byte { return repeat(symbols(""), size, "\x2a\x00") }},
	{"series-one-pair", promwire.WriteV2, func(size int) []byte {
		return repeat(symbols("", "__name__", "m"), size, "\x2a\x08\x0a\x02\x01\x02\x12\x02\x10\x01")
	}},
	{"series-8M-labels", promwire.WriteV2, func(size int) []byte {
		m := symbols("", "__name__", "m")
		return field(m, 5, string(field(nil, 1, strings.Repeat("\x01\x02", (size-100)/2)))+"\x12\x02\x10\x01")
	}},
	{"series-labels-under-limit", promwire.WriteV2, func(size int) []byte {
		m, refs := symbols("", "__name__", "m"), []byte("\x01\x02")
		const names = 16_000
		for i := range names {
			m = field(m, 4, fmt.Sprintf("common_prefix_of_all_labels_%x", uint32(i)*2654435761))
		}
		for i := 0; len(refs) < 12<<20*size>>25; i++ {
			refs = binary.AppendUvarint(refs, uint64(3+i*7919%names))
			refs = append(refs, 2)
		}
		return field(m, 5, string(field(nil, 1, string(refs)))+"\x12\x02\x10\x01")
	}},
	{"symbols-16M-empty", promwire.WriteV2, func(size int) []byte { return repeat(nil, size, "\x22\x00") }},
	{"symbols-distinct", promwire.WriteV2, func(size int) []byte {
		return numbered(symbols(""), size, 4, func(i int) string { return fmt.Sprintf("%x", i) })
	}},
	{"exemplars-huge-labels", promwire.WriteV2, func(size int) []byte {
		m := symbols("", "__name__", "m", strings.Repeat("x", 64<<10))
		return repeat(m, size, string(field(nil, 5, "\x0a\x02\x01\x02\x12\x02\x10\x01"+strings.Repeat("\x22\x04\x0a\x02\x03\x03", 100))))
	}},
	{"exemplars-empty", promwire.WriteV2, func(size int) []byte {
		return field(symbols("", "__name__", "m"), 5, "\x0a\x02\x01\x02\x12\x02\x10\x01"+strings.Repeat("\x22\x00", 900<<10*(size>>20)/32))
	}},
	{"exemplars-distinct", promwire.WriteV2, func(size int) []byte {
		e := []byte("\x0a\x02\x01\x02\x12\x02\x10\x01")
		return field(symbols("", "__name__", "m"), 5, string(numbered(e, size/5, 4, func(i int) string {
			return string(binary.AppendUvarint([]byte{0x18}, uint64(1+i)))
		})))
	}},
	{"histograms-empty", promwire.WriteV2, func(size int) []byte {
		return repeat(symbols("", "__name__", "m"), size, string(field(nil, 5, "\x0a\x02\x01\x02"+strings.Repeat("\x1a\x00", 50))))
	}},
	{"histograms-under-limit", promwire.WriteV2, func(size int) []byte {
		h := []byte("\x0a\x02\x01\x02")
		for i := range (600 << 10) * (size >> 20) / 32 {
			h = field(h, 3, string(binary.AppendUvarint([]byte{0x78}, uint64(now()+int64(i)-1<<21))))
		}
		return field(symbols("", "__name__", "m"), 5, string(h))
	}},
	{"histogram-spans", promwire.WriteV2, func(size int) []byte {
		return field(symbols("", "__name__", "m"), 5, "\x0a\x02\x01\x02"+string(field(nil, 3, strings.Repeat("\x5a\x00", (size-100)/2))))
	}},
	{"histogram-buckets", promwire.WriteV2, func(size int) []byte {
		h := field(field(nil, 11, "\x10\xff\xff\xff\x0f"), 12, strings.Repeat("\x00", size-100))
		return field(symbols("", "__name__", "m"), 5, "\x0a\x02\x01\x02"+string(field(nil, 3, string(h))))
	}},
	{"help-64kB", promwire.WriteV2, func(size int) []byte {
		m := symbols("", "__name__", strings.Repeat("h", 64<<10))
		return repeat(m, size, string(field(nil, 5, "\x0a\x02\x01\x01\x12\x02\x10\x01\x2a\x02\x18\x02")))
	}},
	{"samples-one-time", promwire.WriteV2, func(size int) []byte {
		return field(symbols("", "__name__", "m"), 5, "\x0a\x02\x01\x02"+strings.Repeat("\x12\x00", (size-100)/2))
	}},
	{"samples-under-limit", promwire.WriteV2, func(size int) []byte { return sampled(size*3/8, 1) }},
	{"samples-falling", promwire.WriteV2, func(size int) []byte { return sampled(size*3/8, -1) }},
	{"samples-conflicting", promwire.WriteV2, func(size int) []byte {
		s := []byte("\x0a\x02\x01\x02")
		for i := 0; len(s) < size-100; i++ {
			v := binary.LittleEndian.AppendUint64([]byte{0x09}, math.Float64bits(float64(i)))
			s = field(s, 2, string(binary.AppendUvarint(append(v, 0x10), uint64(now()))))
		}
		return field(symbols("", "__name__", "m"), 5, string(s))
	}},
	{"series-refused", promwire.WriteV2, func(size int) []byte {
		m := symbols("", "__name__", strings.Repeat("x", 2000), strings.Repeat("y", 2000))
		return repeat(m, size, string(field(nil, 5, "\x0a\x08\x01\x02\x02\x02\x02\x02\x03\x03\x12\x02\x10\x01")))
	}},
	{"1.0-series-empty", promwire.WriteV1, func(size int) []byte { return repeat(nil, size, "\x0a\x00") }},
	{"1.0-labels-empty", promwire.WriteV1, func(size int) []byte {
		return field(nil, 1, strings.Repeat("\x0a\x00", (size-100)/2))
	}},
	{"1.0-labels-short", promwire.WriteV1, func(size int) []byte {
		return field(nil, 1, strings.Repeat("\x0a\x06\x0a\x01a\x12\x01b", (size-100)/8))
	}},
	{"1.0-labels-distinct", promwire.WriteV1, func(size int) []byte {
		ls := numbered(nil, size*9/10, 1, func(i int) string {
			return string(field(field(nil, 1, fmt.Sprintf("l%x", uint32(i)*2654435761)), 2, "v"))
		})
		return field(nil, 1, string(field(ls, 1, "\x0a\x08__name__\x12\x01m"))+stamped(2, 1))
	}},
	{"1.0-metadata", promwire.WriteV1, func(size int) []byte { return repeat(nil, size, "\x1a\x00") }},
	{"1.0-metadata-families", promwire.WriteV1, func(size int) []byte {
		return numbered(nil, size, 3, func(i int) string { return string(field(nil, 2, fmt.Sprint(i))) })
	}},
	{"1.0-series", promwire.WriteV1, func(size int) []byte {
		return numbered(nil, size, 1, func(i int) string {
			return string(field(field(nil, 1, "\x0a\x08__name__\x12\x01m"), 1, "\x0a\x01a\x12"+string(rune(8))+fmt.Sprintf("%08x", i))) + stamped(2, 1)
		})
	}},
}

// resolved is many series with one long value, which take 2.9 times size together: a little less than the limit.
func resolved(size, long int) []byte {
	long = min(long, size/4)
	m, n := symbols("", "__name__", strings.Repeat("x", long), "id"), size*29/10/long
	for i := range n {
		m = field(m, 4, fmt.Sprint(i))
	}
	for i := range n {
		refs := binary.AppendUvarint([]byte{1, 2, 3}, uint64(4+i))
		m = field(m, 5, string(field(nil, 1, string(refs)))+stamped(2, i))
	}
	return m
}

func now() int64 { return time.Now().UnixMilli() }

func field(dst []byte, number byte, body string) []byte {
	dst = append(dst, number<<3|2)
	if number > 15 {
		dst[len(dst)-1] = 0x82
		dst = append(dst, 1)
	}
	return append(binary.AppendUvarint(dst, uint64(len(body))), body...)
}

func stamped(number byte, i int) string {
	return string(field(nil, number, string(binary.AppendUvarint([]byte{0x10}, uint64(now()+int64(i)%1000)))))
}

func symbols(all ...string) (m []byte) {
	for _, s := range all {
		m = field(m, 4, s)
	}
	return m
}

// repeat repeats part up to size.
func repeat[S string | []byte](m []byte, size int, part S) []byte {
	return append(m, bytes.Repeat([]byte(part), (size-len(m))/len(part))...)
}

// numbered repeats a field up to size.
func numbered(m []byte, size int, number byte, body func(i int) string) []byte {
	for i := 0; len(m) < size-100; i++ {
		m = field(m, number, body(i))
	}
	return m
}

// sampled is one series of samples without values.
func sampled(size, step int) []byte {
	s := []byte("\x0a\x02\x01\x02")
	start := now() - 1000
	for i := 0; len(s) < size-100; i++ {
		s = field(s, 2, string(binary.AppendUvarint([]byte{0x10}, uint64(start+int64(step*i)))))
	}
	return field(symbols("", "__name__", "m"), 5, string(s))
}

// nowhere is the storage that costs nothing.
type nowhere struct{}

func (nowhere) Write(_ context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	return req.Stats(), nil
}

// TestHostile: whatever a message holds, what its request allocates is in proportion to its size, under limits that are.
// No sort of message fails but by its sender's fault.
func TestHostile(t *testing.T) {
	const size = 1 << 20
	limits := server.WithWriteLimits(server.WriteLimits{
		MaxDecodedBytes: size, MaxSeries: server.DefaultMaxSeries / 32,
		MaxMemoryBytes: server.DefaultMaxMemoryBytes / 32, MaxLabelBytes: server.DefaultMaxLabelBytes / 32,
	})
	for _, h := range hostile {
		t.Run(h.name, func(t *testing.T) {
			body := xcompress.AppendSnappy(nil, h.make(size))
			// All that is allocated is more than what is held at a time; the store keeps a part of it.
			expectAllocs(t, server.NewWriteHandler(nowhere{}, limits), h.t, body, 16*size*poolFactor)
			expectAllocs(t, server.NewWriteHandler(openStore(t), limits), h.t, body, 80*size*poolFactor)
		})
	}
}

func expectAllocs(t *testing.T, handler http.Handler, mt promwire.MessageType, body []byte, limit uint64) {
	t.Helper()
	for range 2 {
		r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(body))
		r.Header.Set("Content-Type", mt.ContentType())
		w := httptest.NewRecorder()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		handler.ServeHTTP(w, r)
		runtime.ReadMemStats(&after)
		if w.Code >= 500 || w.Body.Len() > 5<<10 {
			t.Errorf("%d with a text of %d bytes: %.200s", w.Code, w.Body.Len(), w.Body)
		}
		if n := after.TotalAlloc - before.TotalAlloc; n > limit {
			t.Errorf("%d: allocated %d bytes, limit %d", w.Code, n, limit)
		}
	}
}

// BenchmarkHostile sends messages of 32 MiB that are made to cost much, and reports what they cost: memory at its
// peak over the level before, what is left after, and processor time.
func BenchmarkHostile(b *testing.B) {
	const size = 32 << 20
	for _, h := range hostile {
		var body []byte
		for _, impl := range []string{"discard", "store", "store-plain"} {
			b.Run(h.name+"/"+impl, func(b *testing.B) {
				if body == nil {
					msg := h.make(size)
					if len(msg) > size {
						b.Fatalf("message of %d bytes", len(msg))
					}
					body = xcompress.AppendSnappy(nil, msg)
				}
				var handler http.Handler
				switch impl {
				case "discard":
					handler = server.NewWriteHandler(nowhere{})
				case "store":
					handler = server.NewWriteHandler(openStore(b))
				default:
					handler = server.NewWriteHandler(struct{ promwire.Writer }{openStore(b)})
				}
				for b.Loop() {
					measureHostile(b, handler, h.t, body)
				}
			})
		}
	}
}

func measureHostile(b *testing.B, handler http.Handler, t promwire.MessageType, body []byte) {
	b.StopTimer()
	r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(body))
	r.Header.Set("Content-Type", t.ContentType())
	w := httptest.NewRecorder()
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	before, allocated := m.HeapAlloc, m.TotalAlloc
	b.StartTimer()
	stop := watchHeap()
	start := cpuTime()
	handler.ServeHTTP(w, r)
	used := cpuTime() - start
	peak := stop()
	b.StopTimer()
	runtime.ReadMemStats(&m)
	allocated = m.TotalAlloc - allocated
	for range 3 { // pools let go of memory in two steps
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	b.ReportMetric(float64(w.Code), "status")
	b.ReportMetric(float64(len(body))/1e6, "body-MB")
	b.ReportMetric(float64(int64(peak)-int64(before))/1e6, "peak-MB")
	b.ReportMetric(float64(allocated)/1e6, "alloc-MB")
	b.ReportMetric(float64(int64(m.HeapAlloc)-int64(before))/1e6, "left-MB")
	b.ReportMetric(used.Seconds(), "cpu-s")
	b.StartTimer()
}

// watchHeap returns a function that ends the watch and returns the largest heap seen.
func watchHeap() func() uint64 {
	done, peak := make(chan struct{}), uint64(0)
	var wg sync.WaitGroup
	wg.Go(func() {
		var m runtime.MemStats
		for ended := false; !ended; {
			runtime.ReadMemStats(&m)
			peak = max(peak, m.HeapAlloc)
			select {
			case <-done:
				ended = true
			case <-time.After(2 * time.Millisecond):
			}
		}
	})
	return func() uint64 { close(done); wg.Wait(); return peak }
}
