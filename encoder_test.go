package promwire_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/workload"
)

// encodeWithHandles makes the message of req with an Encoder that may have been used before.
func encodeWithHandles(t testing.TB, e *promwire.Encoder, req *promwire.WriteRequest) []byte {
	t.Helper()
	e.Reset()
	for i := range req.Timeseries {
		ts := &req.Timeseries[i]
		h, err := e.Prepare(ts.Labels, ts.Metadata)
		if err != nil {
			t.Fatal(err)
		}
		appendSeries(e, h, ts)
	}
	return e.AppendTo(nil)
}

func appendSeries(e *promwire.Encoder, h promwire.Handle, ts *promwire.TimeSeries) {
	if len(ts.Samples) == 1 && len(ts.Histograms)+len(ts.Exemplars) == 0 {
		e.AppendSample(h, ts.Samples[0])
	} else {
		e.AppendSeries(h, ts.Samples, ts.Histograms, ts.Exemplars)
	}
}

// TestEncoder expects the bytes of AppendProto, where the order of symbols cannot differ.
func TestEncoder(t *testing.T) {
	used := map[promwire.MessageType]*promwire.Encoder{v1: promwire.NewEncoder(v1), v2: promwire.NewEncoder(v2)}
	for _, e := range used {
		encodeWithHandles(t, e, workload.Batch())
	}
	for _, tt := range encodeCases() {
		if tt.req.Metadata != nil || tt.name == "2.0 all parts" {
			continue // family metadata have no handle; symbols of exemplars come behind those of metadata
		}
		t.Run(tt.name, func(t *testing.T) {
			want := unhex(t, tt.hex)
			if got := encodeWithHandles(t, promwire.NewEncoder(tt.kind), &tt.req); !bytes.Equal(got, want) {
				t.Errorf("fresh: got %x, want %x", got, want)
			}
			if got := encodeWithHandles(t, used[tt.kind], &tt.req); !bytes.Equal(got, want) {
				t.Errorf("used: got %x, want %x", got, want)
			}
		})
	}
}

// TestEncoderRounds sends changing selections of prepared series. No message may have a symbol that nothing refers to.
func TestEncoderRounds(t *testing.T) {
	all := workload.Batch()
	all.Timeseries = all.Timeseries[:120]
	for i := range all.Timeseries {
		ts := &all.Timeseries[i]
		ts.Metadata = promwire.Metadata{Type: promwire.TypeCounter, Help: "help of " + ts.Labels.Get("job")}
		if i%10 == 3 {
			ts.Exemplars = []promwire.Exemplar{{Labels: promwire.LabelsFromStrings("trace_id", ts.Labels.Get("pod"), "x", "only here")}}
		}
	}
	selections := []func(i int) bool{
		func(int) bool { return true },
		func(int) bool { return true },
		func(i int) bool { return i != 7 },
		func(i int) bool { return i%2 == 0 },
		func(i int) bool { return i%2 == 0 || i < 9 },
		func(i int) bool { return i == 119 },
		func(int) bool { return false },
		func(int) bool { return true },
	}
	for _, kind := range []promwire.MessageType{v1, v2} {
		e := promwire.NewEncoder(kind)
		handles := prepareAll(t, e, all)
		for n, selected := range selections {
			var req, got promwire.WriteRequest
			e.Reset()
			for i := range all.Timeseries {
				if ts := &all.Timeseries[i]; selected(i) {
					req.Timeseries = append(req.Timeseries, *ts)
					appendSeries(e, handles[i], ts)
				}
			}
			message := e.AppendTo(nil)
			if again := e.AppendTo(nil); !bytes.Equal(again, message) {
				t.Errorf("%s, selection %d: other bytes from a second AppendTo", kind, n)
			}
			if err := got.UnmarshalProto(message, kind); err != nil {
				t.Fatal(err)
			}
			want := decodedTwin(t, &req, kind)
			got.Metadata, want.Metadata = nil, nil // order of families differs
			if !sameRequest(&got, want) {
				t.Errorf("%s, selection %d: other values than from AppendProto", kind, n)
			}
			if a, b := symbolCount(t, message, kind), symbolCount(t, encode(t, &req, kind), kind); a != b {
				t.Errorf("%s, selection %d: %d symbols, want %d", kind, n, a, b)
			}
			if e.Stats() != req.Stats() || e.Len() != len(req.Timeseries) {
				t.Errorf("%s, selection %d: stats %v of %d series", kind, n, e.Stats(), e.Len())
			}
		}
	}
}

func encode(t testing.TB, req *promwire.WriteRequest, kind promwire.MessageType) []byte {
	t.Helper()
	message, err := req.AppendProto(nil, kind)
	if err != nil {
		t.Fatal(err)
	}
	return message
}

// decodedTwin is req after AppendProto and UnmarshalProto.
func decodedTwin(t testing.TB, req *promwire.WriteRequest, kind promwire.MessageType) *promwire.WriteRequest {
	t.Helper()
	out := &promwire.WriteRequest{}
	if err := out.UnmarshalProto(encode(t, req, kind), kind); err != nil {
		t.Fatal(err)
	}
	return out
}

func symbolCount(t testing.TB, message []byte, kind promwire.MessageType) int {
	t.Helper()
	var d promwire.Decoder
	d.Reset(message, kind)
	for d.Next() {
	}
	if d.Err() != nil {
		t.Fatal(d.Err())
	}
	return len(d.Symbols())
}

func prepareAll(t testing.TB, e *promwire.Encoder, req *promwire.WriteRequest) []promwire.Handle {
	t.Helper()
	var handles []promwire.Handle
	for i := range req.Timeseries {
		h, err := e.Prepare(req.Timeseries[i].Labels, req.Timeseries[i].Metadata)
		if err != nil {
			t.Fatal(err)
		}
		handles = append(handles, h)
	}
	return handles
}

// TestEncoderFamilies wants family metadata once per request, in each request.
func TestEncoderFamilies(t *testing.T) {
	e := promwire.NewEncoder(v1)
	var handles []promwire.Handle
	for _, name := range []string{"a_sum", "b", "a_count"} {
		h, err := e.Prepare(named(name), promwire.Metadata{Type: promwire.TypeSummary})
		if err != nil {
			t.Fatal(err)
		}
		handles = append(handles, h)
	}
	for round := range 3 {
		e.Reset()
		for _, h := range handles {
			e.AppendSeries(h, nil, nil, nil)
		}
		got, want := e.AppendTo(nil), unhex(t, "1a05 0805 120161 1a05 0805 120162")
		if at := bytes.IndexByte(got, 0x1a); at < 0 || !bytes.Equal(got[at:], want) {
			t.Errorf("round %d: got %x, want to end in %x", round, got, want)
		}
	}
}

// TestEncoderPreparesAmidst prepares a string that an exemplar of the request already has, and goes on after a
// message was made.
func TestEncoderPreparesAmidst(t *testing.T) {
	var req, got promwire.WriteRequest
	e := promwire.NewEncoder(v2)
	for i, value := range []string{"x", "trace", "x", "late", "new"} {
		req.Timeseries = append(req.Timeseries, promwire.TimeSeries{
			Labels:    named(value),
			Exemplars: []promwire.Exemplar{{Labels: promwire.LabelsFromStrings("trace", "late", "late", "x"), Value: float64(i)}},
		})
		h, err := e.Prepare(req.Timeseries[i].Labels, promwire.Metadata{})
		if err != nil {
			t.Fatal(err)
		}
		appendSeries(e, h, &req.Timeseries[i])
		message := e.AppendTo(nil)
		if err := got.UnmarshalProto(message, v2); err != nil || !sameRequest(&got, &req) {
			t.Errorf("after %q: got %+v, %v; want %+v", value, got, err, req)
		}
		if a, b := symbolCount(t, message, v2), symbolCount(t, encode(t, &req, v2), v2); a != b {
			t.Errorf("after %q: %d symbols, want %d", value, a, b)
		}
	}
}

// TestEncoderRetainsNothing changes what it was given before the message is made.
func TestEncoderRetainsNothing(t *testing.T) {
	for _, kind := range []promwire.MessageType{v1, v2} {
		req := oneSeries(counterWithExemplar())
		want := decodedTwin(t, &req, kind)
		e := promwire.NewEncoder(kind)
		h, err := e.Prepare(req.Timeseries[0].Labels, promwire.Metadata{})
		if err != nil {
			t.Fatal(err)
		}
		ts := &req.Timeseries[0]
		e.AppendSeries(h, ts.Samples, ts.Histograms, ts.Exemplars)
		ts.Exemplars[0].Labels[0] = promwire.Label{Name: "other", Value: "other"}
		ts.Labels[0], ts.Samples[0], ts.Exemplars[0] = promwire.Label{}, promwire.Sample{}, promwire.Exemplar{}
		var got promwire.WriteRequest
		if err := got.UnmarshalProto(e.AppendTo(nil), kind); err != nil || !sameRequest(&got, want) {
			t.Errorf("%s: got %+v, %v; want %+v", kind, got, err, want)
		}
	}
}

func TestEncoderUnsupported(t *testing.T) {
	e := promwire.NewEncoder("x")
	if h, err := e.Prepare(nil, promwire.Metadata{}); !errors.Is(err, promwire.ErrUnsupported) || h != (promwire.Handle{}) {
		t.Errorf("Prepare: %v, %v", h, err)
	}
	if got := e.AppendTo([]byte("before")); string(got) != "before" {
		t.Errorf("AppendTo: %q", got)
	}
}

// TestEncoderTooLarge prepares what would take 2 GiB, and something small behind it.
func TestEncoderTooLarge(t *testing.T) {
	e := promwire.NewEncoder(v1)
	label := promwire.Label{Name: "n", Value: strings.Repeat("x", 1<<20)}
	if _, err := e.Prepare(slices.Repeat(promwire.Labels{label}, 2048), promwire.Metadata{}); !errors.Is(err, promwire.ErrTooLarge) {
		t.Errorf("error %v", err)
	}
	req := samples(promwire.Sample{Timestamp: -1, Value: -1})
	if got, want := encodeWithHandles(t, e, &req), encode(t, &req, v1); !bytes.Equal(got, want) {
		t.Errorf("got %x, want %x", got, want)
	}
}

func TestEncoderZeroHandle(t *testing.T) {
	for _, kind := range []promwire.MessageType{v1, v2} {
		e := promwire.NewEncoder(kind)
		prepareAll(t, e, workload.Small())
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", kind)
				}
			}()
			e.AppendSample(promwire.Handle{}, promwire.Sample{})
		}()
	}
}

func TestEncoderAllocates(t *testing.T) {
	for _, set := range workload.Sets() {
		for _, kind := range []promwire.MessageType{v1, v2} {
			req, e := set.Make(), promwire.NewEncoder(kind)
			req.Timeseries[0].Exemplars = counterWithExemplar().Exemplars
			req.Timeseries[0].Metadata = promwire.Metadata{Type: promwire.TypeGauge, Help: "h"}
			handles := prepareAll(t, e, req)
			var buf []byte
			n := testing.AllocsPerRun(5, func() {
				e.Reset()
				for i, h := range handles {
					appendSeries(e, h, &req.Timeseries[i])
				}
				buf = e.AppendTo(buf[:0])
			})
			if n != 0 {
				t.Errorf("%s, %s: %v allocations per request", set.Name, kind, n)
			}
			buf = e.AppendSnappy(e.AppendSnappy(buf[:0]))
			if n = testing.AllocsPerRun(5, func() { buf = e.AppendSnappy(buf[:0]) }); n != 0 {
				t.Errorf("%s, %s: %v allocations per block", set.Name, kind, n)
			}
		}
	}
}
