package spool_test

import (
	"testing"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/workload"
	"github.com/promwire/promwire/spool"
)

func TestAppendAllocs(t *testing.T) {
	if raceEnabled {
		t.Log("the race detector empties pools; allocations are counted without it")
	}
	s := open(t, t.TempDir(), spool.WithSync(spool.SyncNone))
	body := encoded(t, request(1, 2, 3), promwire.WriteV1)
	req, enc := request(1, 2, 3), body.Encoded
	ctx := t.Context()
	for name, f := range map[string]func(){
		"body": func() {
			body.Reset(enc, promwire.EncodingSnappy, promwire.WriteV1, 1<<20)
			if _, err := s.WriteBody(ctx, body); err != nil {
				t.Fatal(err)
			}
		},
		"request": func() {
			if _, err := s.Write(ctx, req); err != nil {
				t.Fatal(err)
			}
		},
	} {
		f()
		if n := testing.AllocsPerRun(100, f); n > 0 && !raceEnabled {
			t.Errorf("%s: %g allocations", name, n)
		}
	}
}

// BenchmarkAppend appends bodies of 2,000 series, which are 70 kB, by one writer.
func BenchmarkAppend(b *testing.B) {
	for name, policy := range map[string]spool.Sync{"fsync": spool.SyncAlways, "none": spool.SyncNone} {
		b.Run(name, func(b *testing.B) {
			s := open(b, b.TempDir(), spool.WithSync(policy), spool.WithMaxBytes(256<<20))
			body := encoded(b, workload.Batch(), promwire.WriteV1)
			enc := body.Encoded
			b.SetBytes(int64(len(enc)))
			b.ReportAllocs()
			for b.Loop() {
				body.Reset(enc, promwire.EncodingSnappy, promwire.WriteV1, 1<<20)
				if _, err := s.WriteBody(b.Context(), body); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
