package promwire

import (
	"bytes"
	"errors"
	"testing"
)

// encodeWithHandles makes the message of req with an Encoder that may have been used before.
func encodeWithHandles(t testing.TB, e *Encoder, req *WriteRequest) []byte {
	t.Helper()
	e.Reset()
	for i := range req.Timeseries {
		ts := &req.Timeseries[i]
		h, err := e.Prepare(ts.Labels, ts.Metadata)
		if err != nil {
			t.Fatal(err)
		}
		if len(ts.Samples) == 1 && len(ts.Histograms)+len(ts.Exemplars) == 0 {
			e.AppendSample(h, ts.Samples[0])
		} else {
			e.AppendSeries(h, ts.Samples, ts.Histograms, ts.Exemplars)
		}
	}
	return e.AppendTo(nil)
}

// TestEncoder compares with the message of the same request as a whole, with a fresh Encoder and a used one.
func TestEncoder(t *testing.T) {
	used := map[MessageType]*Encoder{WriteV1: NewEncoder(WriteV1), WriteV2: NewEncoder(WriteV2)}
	for _, e := range used {
		encodeWithHandles(t, e, workload(300, 8, 2))
	}
	for _, tt := range encodeCases() {
		if tt.req.Metadata != nil {
			continue // has no handle
		}
		t.Run(tt.name, func(t *testing.T) {
			want := unhex(t, tt.hex)
			if got := encodeWithHandles(t, NewEncoder(tt.kind), &tt.req); !bytes.Equal(got, want) {
				t.Errorf("fresh: got %x, want %x", got, want)
			}
			if got := encodeWithHandles(t, used[tt.kind], &tt.req); !bytes.Equal(got, want) {
				t.Errorf("used: got %x, want %x", got, want)
			}
		})
	}
}

// TestEncoderRounds sends changing selections of prepared series.
func TestEncoderRounds(t *testing.T) {
	all := workload(120, 8, 1)
	for i := range all.Timeseries {
		ts := &all.Timeseries[i]
		ts.Metadata = Metadata{Type: TypeCounter, Help: "help of " + ts.Labels.Get("job")}
		if i%10 == 3 {
			ts.Exemplars = []Exemplar{{Labels: LabelsFromStrings("trace_id", ts.Labels.Get("pod"), "x", "only here")}}
		}
	}
	selections := []func(i int) bool{
		func(int) bool { return true },
		func(int) bool { return true },
		func(i int) bool { return i != 7 },
		func(i int) bool { return i%2 == 0 },
		func(i int) bool { return i == 119 },
		func(int) bool { return false },
		func(int) bool { return true },
	}
	for _, kind := range []MessageType{WriteV1, WriteV2} {
		e := NewEncoder(kind)
		handles := prepareAll(t, e, all)
		for n, selected := range selections {
			var req WriteRequest
			e.Reset()
			for i, ts := range all.Timeseries {
				if !selected(i) {
					continue
				}
				req.Timeseries = append(req.Timeseries, ts)
				e.AppendSeries(handles[i], ts.Samples, ts.Histograms, ts.Exemplars)
			}
			want, err := req.AppendProto(nil, kind)
			if err != nil {
				t.Fatal(err)
			}
			if kind == WriteV1 {
				want, _ = (&WriteRequest{Timeseries: withoutMetadata(req.Timeseries)}).AppendProto(nil, kind)
			}
			got := e.AppendTo(nil)
			if len(got) < len(want) || !bytes.Equal(got[:len(want)], want) || kind == WriteV2 && len(got) != len(want) {
				t.Errorf("%s, selection %d: other bytes than AppendProto", kind, n)
			}
			if e.Stats() != req.Stats() || e.Len() != len(req.Timeseries) {
				t.Errorf("%s, selection %d: stats %v of %d series", kind, n, e.Stats(), e.Len())
			}
		}
	}
}

func withoutMetadata(series []TimeSeries) []TimeSeries {
	out := append([]TimeSeries(nil), series...)
	for i := range out {
		out[i].Metadata = Metadata{}
	}
	return out
}

func prepareAll(t testing.TB, e *Encoder, req *WriteRequest) []Handle {
	t.Helper()
	var handles []Handle
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
	e := NewEncoder(WriteV1)
	var handles []Handle
	for _, name := range []string{"a_sum", "b", "a_count"} {
		h, err := e.Prepare(LabelsFromStrings("__name__", name), Metadata{Type: TypeSummary})
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
		got := e.AppendTo(nil)
		want := unhex(t, "1a05 0805 120161 1a05 0805 120162")
		if at := bytes.IndexByte(got, 0x1a); at < 0 || !bytes.Equal(got[at:], want) {
			t.Errorf("round %d: got %x, want to end in %x", round, got, want)
		}
	}
}

// TestEncoderPreparesAmidst prepares a string that an exemplar of the request already has.
func TestEncoderPreparesAmidst(t *testing.T) {
	var req WriteRequest
	e := NewEncoder(WriteV2)
	for _, value := range []string{"x", "trace", "x"} {
		req.Timeseries = append(req.Timeseries, TimeSeries{
			Labels:    LabelsFromStrings("__name__", value),
			Exemplars: []Exemplar{{Labels: LabelsFromStrings("trace", "late", "late", "x")}},
		})
	}
	want, err := req.AppendProto(nil, WriteV2)
	if err != nil {
		t.Fatal(err)
	}
	if got := encodeWithHandles(t, e, &req); !bytes.Equal(got, want) {
		t.Errorf("got %x, want %x", got, want)
	}
}

func TestEncoderUnsupported(t *testing.T) {
	e := NewEncoder("x")
	if h, err := e.Prepare(nil, Metadata{}); !errors.Is(err, ErrUnsupported) || h != (Handle{}) {
		t.Errorf("Prepare: %v, %v", h, err)
	}
	if got := e.AppendTo([]byte("before")); string(got) != "before" {
		t.Errorf("AppendTo: %q", got)
	}
}

func TestEncoderAllocates(t *testing.T) {
	req := workload(60, 8, 1)
	req.Timeseries[5].Histograms = []Histogram{customBuckets}
	req.Timeseries[6].Exemplars = counterWithExemplar.Exemplars
	req.Timeseries[7].Metadata = Metadata{Type: TypeGauge, Help: "h"}
	for _, kind := range []MessageType{WriteV1, WriteV2} {
		e := NewEncoder(kind)
		handles := prepareAll(t, e, req)
		var buf []byte
		n := testing.AllocsPerRun(100, func() {
			e.Reset()
			for i, h := range handles {
				ts := &req.Timeseries[i]
				e.AppendSeries(h, ts.Samples, ts.Histograms, ts.Exemplars)
			}
			buf = e.AppendTo(buf[:0])
		})
		if n != 0 {
			t.Errorf("%s: %v allocations per request", kind, n)
		}
	}
}
