package promwire_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/promwire/promwire"
)

// TestDecoderMaxLabelBytes counts what references stand for, wherever they are.
func TestDecoderMaxLabelBytes(t *testing.T) {
	symbols := msg{}.str(4, "").str(4, strings.Repeat("n", 10)).str(4, strings.Repeat("v", 1000))
	sample := msg{}.sub(2, sampleMsg(1, 1))
	long := make([]uint64, 200) // has a length of two bytes, and so another way through the decoder
	for i := range long {
		long[i] = uint64(1 + i%2)
	}
	tests := []struct {
		name   string
		msg    msg
		series int
		text   int // in all series
	}{
		{"labels", symbols.sub(5, msg{}.uints(1, 1, 2), sample).sub(5, msg{}.uints(1, 1, 2), sample), 2, 2020},
		{"many labels", symbols.sub(5, msg{}.uints(1, long...), sample), 1, 101_000},
		{"not packed", symbols.sub(5, msg{}.uint(1, 1).uint(1, 2).uint(1, 2).uint(1, 2), sample), 1, 3010},
		{"two fields", symbols.sub(5, msg{}.uints(1, 1, 2).uints(1, 2, 2), sample), 1, 3010},
		{"odd number", symbols.sub(5, msg{}.uints(1, 1, 2, 1), sample), 1, 1010},
		{"unknown symbol", symbols.sub(5, msg{}.uints(1, 1, 2, 1, 9), sample), 1, 1010},
		{"symbols behind", msg{}.str(4, "").sub(5, msg{}.uints(1, 1, 1), sample).str(4, "abc"), 1, 6},
		{"exemplars", symbols.sub(5, msg{}.uints(1, 1, 1), sample.sub(4, msg{}.uints(1, 2, 2)).sub(4, msg{}.uints(1, 2, 1))), 1, 3030},
		{"metadata", symbols.sub(5, msg{}.uints(1, 1, 1), sample, msg{}.sub(5, msg{}.uint(3, 2).uint(4, 1))), 1, 1030},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var d promwire.Decoder
			for range 2 { // the second time in used memory
				for _, next := range []func() bool{d.Next, func() bool { return d.NextRaw() && noTooLarge(d.DecodeLabels()) }} {
					if n := walkLimited(&d, tt.msg, tt.text, next); n != tt.series || d.Err() != nil {
						t.Errorf("limit %d: %d series, %v", tt.text, n, d.Err())
					}
					n := walkLimited(&d, tt.msg, tt.text-1, next)
					var e *promwire.DecodeError
					if n != tt.series-1 || !errors.Is(d.Err(), promwire.ErrTooLarge) || !errors.As(d.Err(), &e) {
						t.Errorf("limit %d: %d series, %v", tt.text-1, n, d.Err())
					}
				}
			}
			if n := walkLimited(&d, tt.msg, 0, d.Next); n != tt.series || d.Err() != nil {
				t.Errorf("no limit: %d series, %v", n, d.Err())
			}
		})
	}
}

func noTooLarge(err error) bool { return !errors.Is(err, promwire.ErrTooLarge) }

// walkLimited returns how many series next gives.
func walkLimited(d *promwire.Decoder, m msg, limit int, next func() bool) (n int) {
	d.MaxLabelBytes = limit
	for d.Reset(m, v2); next(); n++ {
	}
	return n
}

// Labels that are left encoded cost nothing, so they don't count.
func TestDecoderMaxLabelBytesRaw(t *testing.T) {
	m := msg{}.str(4, "").str(4, strings.Repeat("n", 1000)).sub(5, msg{}.uints(1, 1, 1)).sub(5, msg{}.uints(1, 1, 1))
	d := promwire.Decoder{MaxLabelBytes: 3999}
	for d.Reset(m, v2); d.NextRaw(); {
	}
	if d.Index() != 1 || d.Err() != nil {
		t.Errorf("%d series, %v", d.Index()+1, d.Err())
	}
	d.Reset(m, v2)
	for i := 0; d.NextRaw(); i++ {
		if err := d.DecodeLabels(); (err != nil) != (i == 1) {
			t.Errorf("series %d: %v", i, err)
		}
	}
	if got := fmt.Sprint(d.Err()); !strings.Contains(got, "more than 3999 bytes of labels and metadata") {
		t.Error(got)
	}
}

// TestUnmarshalResolved holds the plain functions to their own bound.
func TestUnmarshalResolved(t *testing.T) {
	long := strings.Repeat("v", 1<<20)
	m := msg{}.str(4, "").str(4, "__name__").str(4, long)
	for range 64 {
		m = m.sub(5, msg{}.uints(1, 1, 2), msg{}.sub(2, sampleMsg(1, 1)))
	}
	var r promwire.WriteRequest
	for range 2 {
		if err := r.UnmarshalProto(m, v2); err != nil || len(r.Timeseries) != 64 {
			t.Fatalf("64 times its size: %v", err)
		}
		more := m
		for range 64 {
			more = more.sub(5, msg{}.uints(1, 1, 2))
		}
		if err := r.UnmarshalProtoAlias(more, v2); !errors.Is(err, promwire.ErrTooLarge) || len(r.Timeseries) != 0 {
			t.Errorf("more: %v, %d series left", err, len(r.Timeseries))
		}
	}
}
