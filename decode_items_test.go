package promwire_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/workload"
)

// sameItems demands that NextItems walks src as Next does: as many series, with the same items, and the same error.
func sameItems(t testing.TB, src []byte, mt promwire.MessageType) {
	t.Helper()
	type walk struct {
		items []promwire.WriteStats
		err   error
	}
	of := func(next func(d *promwire.Decoder) (promwire.WriteStats, bool)) (w walk) {
		var d promwire.Decoder
		d.Reset(src, mt)
		for {
			items, ok := next(&d)
			if !ok {
				w.err = promwire.Rules{}.CheckMessage(&d)
				return w
			}
			w.items = append(w.items, items)
		}
	}
	want := of(func(d *promwire.Decoder) (promwire.WriteStats, bool) {
		ok := d.Next()
		return d.Series().Stats(), ok
	})
	got := of((*promwire.Decoder).NextItems)
	var a, b *promwire.DecodeError
	if errors.As(want.err, &a) != errors.As(got.err, &b) || a != nil && a.Error() != b.Error() {
		t.Fatalf("NextItems: %v, Next: %v", got.err, want.err)
	}
	if !slices.Equal(got.items, want.items) {
		t.Fatalf("NextItems: %v, Next: %v", got.items, want.items)
	}
}

// Messages as they usually are, and each of their bytes changed.
func TestNextItems(t *testing.T) {
	req := workload.Batch()
	req.Timeseries = req.Timeseries[:3]
	req.Timeseries[1].Metadata = promwire.Metadata{Type: promwire.TypeCounter, Help: "help", Unit: "bytes"}
	for _, mt := range []promwire.MessageType{v1, v2} {
		src, err := req.AppendProto(nil, mt)
		if err != nil {
			t.Fatal(err)
		}
		sameItems(t, src, mt)
		for i := range src {
			for _, c := range []byte{0, 0x0a, 0x12, 0x7f, 0x80, 0xff} {
				bad := slices.Clone(src)
				bad[i] = c
				sameItems(t, bad, mt)
			}
		}
	}
}

// Labels that references make much longer than the message are too long for NextItems too.
func TestNextItemsMaxLabelBytes(t *testing.T) {
	long := strings.Repeat("x", 1000)
	req := &promwire.WriteRequest{}
	for range 10 {
		req.Timeseries = append(req.Timeseries, promwire.TimeSeries{Labels: promwire.LabelsFromStrings("a", long, "b", long)})
	}
	src, err := req.AppendProto(nil, v2)
	if err != nil {
		t.Fatal(err)
	}
	for limit, want := range map[int]int{10 * 2002: 10, 10*2002 - 1: 9, 2002: 1} {
		d, n := promwire.Decoder{MaxLabelBytes: limit}, 0
		d.Reset(src, v2)
		for ok := true; ok; n++ {
			_, ok = d.NextItems()
		}
		if n-1 != want || (want < 10) != errors.Is(d.Err(), promwire.ErrTooLarge) {
			t.Errorf("limit %d: %d series, %v", limit, n-1, d.Err())
		}
	}
}

func TestNextItemsAllocates(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	for _, mt := range []promwire.MessageType{v1, v2} {
		src, err := workload.Batch().AppendProto(nil, mt)
		if err != nil {
			t.Fatal(err)
		}
		var d promwire.Decoder
		walk := func() {
			n := 0
			for d.Reset(src, mt); ; n++ {
				if _, ok := d.NextItems(); !ok {
					break
				}
			}
			if n != 2000 || d.Err() != nil {
				t.Fatal(n, d.Err())
			}
		}
		walk()
		if n := testing.AllocsPerRun(10, walk); n > 0 {
			t.Errorf("%s: %v allocations", mt, n)
		}
	}
}
