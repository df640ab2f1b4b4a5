package difftest

import (
	"testing"

	"github.com/promwire/promwire"
)

// checkWalks decodes a message that is well-formed by the streaming walk, with labels and without, one decoder for
// both, and compares with what the message holds.
func checkWalks(t *testing.T, d *promwire.Decoder, msg []byte, want *promwire.WriteRequest, m promwire.MessageType) {
	t.Helper()
	for _, raw := range []bool{true, false} {
		got := promwire.WriteRequest{}
		d.Reset(msg, m)
		for next(d, raw) {
			if raw {
				if err := d.DecodeLabels(); err != nil {
					t.Fatalf("raw: series %d: %v", d.Index(), err)
				}
			}
			if err := d.SeriesErr(); err != nil {
				t.Fatalf("raw %v: series %d: %v", raw, d.Index(), err)
			}
			got.Timeseries = append(got.Timeseries, d.Series().Clone())
		}
		if err := d.Err(); err != nil {
			t.Fatalf("raw %v: %v", raw, err)
		}
		got.Metadata = append(got.Metadata, d.Metadata()...)
		if diff := diffRequest(&got, want); diff != "" {
			t.Fatalf("raw %v: %s", raw, diff)
		}
	}
}

func next(d *promwire.Decoder, raw bool) bool {
	if raw {
		return d.NextRaw()
	}
	return d.Next()
}
