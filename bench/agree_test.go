package bench

import (
	"bytes"
	"testing"

	"github.com/golang/snappy"
	"github.com/prometheus/prometheus/prompb"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/workload"
)

// wantSum is what every decoder has to see of a workload.
func wantSum(req *promwire.WriteRequest) (c checksum) {
	for i := range req.Timeseries {
		sumSeries(&c, &req.Timeseries[i])
	}
	return c
}

// TestEncodersAgree decodes every encoder's body with Prometheus' own code, twice in a row.
func TestEncodersAgree(t *testing.T) {
	for _, set := range workload.Sets() {
		want := wantSum(set.Make())
		for _, enc := range encoders {
			t.Run(set.Name+"/"+enc.impl, func(t *testing.T) {
				v1, v2 := enc.make(t, set.Make(), promwire.WriteV1), enc.make(t, set.Make(), promwire.WriteV2)
				for range 2 {
					if got := decodePrompb(t, v1())(); got != want {
						t.Errorf("1.0: %+v, want %+v", got, want)
					}
					if got := decodeWriteV2(t, v2())(); got != want {
						t.Errorf("2.0: %+v, want %+v", got, want)
					}
				}
			})
		}
	}
}

// TestSnappyBlocks decodes the blocks of the handles with the strict decoder, as they are put together from the second
// round on, with values that come and go.
func TestSnappyBlocks(t *testing.T) {
	for _, set := range workload.Sets() {
		req, enc := set.Make(), promwire.NewEncoder(promwire.WriteV1)
		handles := prepare(t, enc, req)
		for round := range 6 {
			enc.Reset()
			for i, ts := range req.Timeseries {
				if i%50 == round {
					ts.Samples = []promwire.Sample{{Timestamp: nowMillis + int64(round)}}
				}
				enc.AppendSeries(handles[i], ts.Samples, ts.Histograms, nil)
			}
			got, err := snappy.Decode(nil, enc.AppendSnappy(nil))
			if err != nil || !bytes.Equal(got, enc.AppendTo(nil)) {
				t.Errorf("%s, round %d: %v", set.Name, round, err)
			}
		}
	}
}

// TestDecodersAgree lets every decoder walk what Prometheus encoded, twice in a row.
func TestDecodersAgree(t *testing.T) {
	for _, set := range workload.Sets() {
		want := wantSum(set.Make())
		for _, d := range decoders {
			t.Run(set.Name+"/"+short(d.msg)+"/"+d.impl, func(t *testing.T) {
				op := d.make(t, body(t, set, d.msg))
				for range 2 {
					if got := op(); got != want {
						t.Errorf("%+v, want %+v", got, want)
					}
				}
			})
		}
	}
}

// TestEncodesLikePrometheus compares the plain encoder's message with the library's, byte for byte.
func TestEncodesLikePrometheus(t *testing.T) {
	for _, set := range workload.Sets() {
		req := set.Make()
		got, err := req.AppendProto(nil, promwire.WriteV1)
		if err != nil {
			t.Fatal(err)
		}
		want, err := (&prompb.WriteRequest{Timeseries: fillV1(nil, toSeries(req))}).Marshal()
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != string(want) {
			t.Errorf("%s: messages differ", set.Name)
		}
	}
}
