package promwire_test

import (
	"errors"
	"testing"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/workload"
)

// encodedBody is req as it would come in.
func encodedBody(tb testing.TB, req *promwire.WriteRequest, t promwire.MessageType) []byte {
	tb.Helper()
	msg, err := req.AppendProto(nil, t)
	if err != nil {
		tb.Fatal(err)
	}
	body, err := promwire.Snappy.AppendEncoded(nil, msg)
	if err != nil {
		tb.Fatal(err)
	}
	return body
}

func mixedRequest() *promwire.WriteRequest {
	return &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{
		{
			Labels:    promwire.LabelsFromStrings("__name__", "a"),
			Samples:   []promwire.Sample{{Timestamp: 1}, {Timestamp: 2, Value: 3}},
			Exemplars: []promwire.Exemplar{{Labels: promwire.LabelsFromStrings("t", "x"), Value: 1, Timestamp: 2}},
		},
		{Labels: promwire.LabelsFromStrings("__name__", "b"), Histograms: []promwire.Histogram{{Timestamp: 1}, {Timestamp: 2}, {Timestamp: 3}}},
	}}
}

func TestBodyStats(t *testing.T) {
	big := workload.Batch()
	for _, m := range []promwire.MessageType{promwire.WriteV1, promwire.WriteV2} {
		var b promwire.Body
		for _, req := range []*promwire.WriteRequest{big, mixedRequest(), {}} {
			b.Reset(encodedBody(t, req, m), promwire.EncodingSnappy, m, 32<<20)
			if got, err := b.Stats(); err != nil || got != req.Stats() {
				t.Errorf("%s: %+v, %v, want %+v", m, got, err, req.Stats())
			}
		}
		b.Reset([]byte("no body"), promwire.EncodingSnappy, m, 32<<20)
		want := promwire.WriteStats{Samples: 7}
		b.SetStats(want)
		if got, err := b.Stats(); err != nil || got != want {
			t.Errorf("counts that were given: %+v, %v", got, err)
		}
		b.Reset([]byte("\x09no body"), promwire.EncodingSnappy, m, 32<<20)
		var malformed *promwire.DecodeError
		if _, err := b.Stats(); !errors.As(err, &malformed) {
			t.Errorf("no body: %v", err)
		}
		for _, msg := range []string{"\x0a\x05\x12", "\x0a\x02\x12\x05", "\x2a\x02\x12\x05", "\x0c"} {
			b.Reset([]byte(msg), "", m, 32<<20)
			if stats, err := b.Stats(); err == nil && stats != (promwire.WriteStats{}) || err != nil && !errors.As(err, &malformed) {
				t.Errorf("%s %q: %+v, %v", m, msg, stats, err)
			}
		}
	}
}

// What is decoded as a whole has the counts that the walk finds.
func FuzzBodyStats(f *testing.F) {
	for i, m := range []promwire.MessageType{promwire.WriteV1, promwire.WriteV2} {
		msg, err := mixedRequest().AppendProto(nil, m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(msg, i == 1)
		f.Add([]byte("\x0a\x05\x12"), i == 1)
	}
	f.Fuzz(func(t *testing.T, msg []byte, second bool) {
		m := promwire.WriteV1
		if second {
			m = promwire.WriteV2
		}
		var req promwire.WriteRequest
		if req.UnmarshalProto(msg, m) != nil {
			return
		}
		var b promwire.Body
		b.Reset(msg, "", m, len(msg))
		if got, err := b.Stats(); err != nil || got != req.Stats() {
			t.Errorf("%+v, %v, want %+v", got, err, req.Stats())
		}
	})
}

func TestBodyStatsAllocs(t *testing.T) {
	req := workload.Batch()
	body := encodedBody(t, req, promwire.WriteV2)
	var b promwire.Body
	n := testing.AllocsPerRun(100, func() {
		b.Reset(body, promwire.EncodingSnappy, promwire.WriteV2, 32<<20)
		if got, err := b.Stats(); err != nil || got != req.Stats() {
			t.Fatalf("%+v, %v", got, err)
		}
	})
	if n != 0 && !raceEnabled {
		t.Errorf("%v allocations", n)
	}
}
