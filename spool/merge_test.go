package spool_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/workload"
	"github.com/promwire/promwire/spool"
)

// merged delivers what s holds with these options, and returns the sizes of the requests.
func merged(t *testing.T, s *spool.Spool, w *bodyTarget, o spool.DeliverOptions) (sizes []int) {
	t.Helper()
	fail := w.fail
	w.fail = func(n int, values []int) error {
		sizes = append(sizes, len(values))
		if fail != nil {
			return fail(n, values)
		}
		return nil
	}
	if _, err := reader(t, s, "a").Drain(t.Context(), w, o); err != nil {
		t.Fatal(err)
	}
	return sizes
}

// Small requests go out together up to the bound; what is not small, or of another message or tenant, goes by itself.
func TestMerge(t *testing.T) {
	for _, mt := range []promwire.MessageType{promwire.WriteV1, promwire.WriteV2} {
		s := open(t, t.TempDir())
		put := func(tenant string, m promwire.MessageType, values ...int) {
			t.Helper()
			ctx := t.Context()
			if tenant != "" {
				ctx = promwire.ContextWithTenant(ctx, tenant)
			}
			if _, err := s.WriteBody(ctx, encoded(t, request(values[0], values[1:]...), m)); err != nil {
				t.Fatal(err)
			}
		}
		other := promwire.WriteV1
		if mt == promwire.WriteV1 {
			other = promwire.WriteV2
		}
		put("", mt, 0, 1)
		put("", mt, 2)
		put("", mt, 3)
		put("", mt, 4)
		put("", mt, 5, 6, 7)
		put("x", mt, 8)
		put("x", mt, 9, 10, 11, 12) // not small
		put("x", mt, 13)
		put("x", other, 14)
		put("x", mt, 15)
		w := &bodyTarget{}
		if sizes := merged(t, s, w, spool.DeliverOptions{MergeSamples: 4}); !slices.Equal(sizes, []int{4, 4, 1, 4, 1, 1, 1}) {
			t.Errorf("%s: requests of %v samples", mt, sizes)
		}
		checkValues(t, w.values, 0, 16)
	}
}

// What is merged is smaller by far than its parts, and has all that they had.
func TestMergeKeepsAll(t *testing.T) {
	for _, mt := range []promwire.MessageType{promwire.WriteV1, promwire.WriteV2} {
		all := workload.Batch()
		all.Timeseries = all.Timeseries[:400]
		for i := range all.Timeseries {
			ts := &all.Timeseries[i]
			ts.Exemplars = []promwire.Exemplar{{Labels: promwire.LabelsFromStrings("trace", fmt.Sprint(i)), Value: 1, Timestamp: workload.Now}}
			if mt == promwire.WriteV2 {
				ts.Metadata = promwire.Metadata{Type: promwire.TypeCounter, Help: "what it counts", Unit: "things"}
				ts.Samples[0].StartTimestamp = workload.Now - 1
			}
		}
		s := open(t, t.TempDir())
		parts := 0
		for i := 0; i < len(all.Timeseries); i += 10 {
			b := encoded(t, &promwire.WriteRequest{Timeseries: all.Timeseries[i : i+10]}, mt)
			parts += len(b.Encoded)
			if _, err := s.WriteBody(t.Context(), b); err != nil {
				t.Fatal(err)
			}
		}
		w := &keeper{}
		if _, err := reader(t, s, "a").Drain(t.Context(), w, spool.DeliverOptions{MergeSamples: 1000}); err != nil {
			t.Fatal(err)
		}
		want := encoded(t, all, mt)
		if len(w.bodies) != 1 || w.bodies[0].items != (promwire.WriteStats{Samples: 400, Exemplars: 400}) {
			t.Fatalf("%s: %d requests, %+v", mt, len(w.bodies), w.bodies)
		}
		if !slices.Equal(w.bodies[0].encoded, want.Encoded) {
			t.Errorf("%s: merged body of %d bytes is not that of all series, of %d", mt, len(w.bodies[0].encoded), len(want.Encoded))
		}
		if len(want.Encoded)*2 > parts {
			t.Errorf("%s: %d bytes, the parts have %d", mt, len(want.Encoded), parts)
		}
	}
}

// A body that can't be merged goes out as it came, and its neighbours do without it.
func TestMergeLeavesOut(t *testing.T) {
	s := open(t, t.TempDir())
	for n := range 7 {
		b := encoded(t, request(n), promwire.WriteV2)
		if n == 3 { // its references point nowhere
			b.Encoded, _ = promwire.Snappy.AppendEncoded(nil, []byte{0x22, 0, 0x2a, 17, 0x0a, 2, 1, 2, 0x12, 9 + 2, 9, 0, 0, 0, 0, 0, 0, 8, 0x40, 0x10, 3})
		}
		if _, err := s.WriteBody(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	w := &keeper{}
	if _, err := reader(t, s, "a").Drain(t.Context(), w, spool.DeliverOptions{MergeSamples: 4}); err != nil {
		t.Fatal(err)
	}
	var sizes []int
	for _, b := range w.bodies {
		sizes = append(sizes, b.items.Samples)
	}
	if !slices.Equal(sizes, []int{3, 1, 3}) {
		t.Errorf("requests of %v samples", sizes)
	}
}

// Small bodies that become very large when they are decoded are not merged.
func TestMergeHostile(t *testing.T) {
	sample := []byte{0x12, 11, 9, 0, 0, 0, 0, 0, 0, 8, 0x40, 0x10, 3}
	symbol := append([]byte{0x22, 0, 0x22, 0x80, 0x80, 0x20}, make([]byte, 1<<19)...)
	refs := slices.Repeat([]byte{1, 1}, 1000) // each half a megabyte
	series := append(append([]byte{0x0a, 0xd0, 0x0f}, refs...), sample...)
	for name, msg := range map[string][]byte{
		"series without anything": append([]byte{0x22, 0}, slices.Repeat([]byte{0x2a, 0}, 500_000)...),
		"long labels":             slices.Concat(symbol, []byte{0x2a, 0xe0, 0x0f}, series),
	} {
		s := open(t, t.TempDir())
		for range 3 {
			b := encoded(t, request(1), promwire.WriteV2)
			b.Encoded, _ = promwire.Snappy.AppendEncoded(nil, msg)
			b.MaxDecoded = 1 << 30
			if _, err := s.WriteBody(t.Context(), b); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		w := &keeper{}
		if _, err := reader(t, s, "a").Drain(t.Context(), w, spool.DeliverOptions{MergeSamples: 1000}); err != nil {
			t.Fatal(err)
		}
		if len(w.bodies) != 3 {
			t.Errorf("%s: %d requests of 3", name, len(w.bodies))
		}
	}
}

// A body whose references stand for more than its rules allow is not taken.
func TestMaxLabelBytes(t *testing.T) {
	s := open(t, t.TempDir())
	for limit, want := range map[int]error{50: promwire.ErrTooLarge, 1 << 20: nil} {
		b := encoded(t, request(1, 2, 3), promwire.WriteV2)
		b.Rules.MaxLabelBytes = limit
		if _, err := s.WriteBody(t.Context(), b); !errors.Is(err, want) {
			t.Errorf("limit %d: %v", limit, err)
		}
	}
}

// A merged request that is refused goes out again in its parts.
func TestMergeRefused(t *testing.T) {
	s := open(t, t.TempDir())
	write(t, s, 0, 5)
	w := &bodyTarget{}
	w.fail = func(_ int, values []int) error {
		if slices.Contains(values, 2) {
			return &promwire.HTTPError{StatusCode: http.StatusBadRequest}
		}
		return nil
	}
	var refused []int
	o := spool.DeliverOptions{MergeSamples: 100, OnRefused: func(r spool.Refused) {
		refused = append(refused, int(r.Request.Timeseries[0].Samples[0].Value))
		if answer := (*promwire.HTTPError)(nil); !errors.As(r.Err, &answer) {
			t.Error(r.Err)
		}
	}}
	if sizes := merged(t, s, w, o); !slices.Equal(sizes, []int{5, 1, 1, 1, 1, 1}) {
		t.Errorf("requests of %v samples", sizes)
	}
	if !slices.Equal(w.values, []int{0, 1, 3, 4}) || !slices.Equal(refused, []int{2}) {
		t.Errorf("delivered %v, refused %v", w.values, refused)
	}
}
