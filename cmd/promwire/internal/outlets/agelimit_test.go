package outlets_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/outlets"
)

// target keeps what it is given, and refuses with an error.
type target struct {
	err    error
	got    *promwire.WriteRequest
	bodies int
}

func (w *target) Write(_ context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	w.got = req.Clone()
	return req.Stats(), w.err
}

func (w *target) WriteBody(_ context.Context, b *promwire.Body) (promwire.WriteStats, error) {
	w.bodies++
	return b.Stats()
}

func aged(name string, ages ...time.Duration) promwire.TimeSeries {
	ts := promwire.TimeSeries{Labels: promwire.LabelsFromStrings("__name__", name)}
	for _, age := range ages {
		ts.Samples = append(ts.Samples, promwire.Sample{Timestamp: time.Now().Add(-age).UnixMilli(), Value: 1})
	}
	return ts
}

// indices returns the series that err names.
func indices(err error) (out []int) {
	var partial *promwire.PartialWriteError
	if errors.As(err, &partial) {
		for _, r := range partial.Refused {
			out = append(out, r.Series)
		}
	}
	return out
}

func TestAgeLimit(t *testing.T) {
	const old = 2 * time.Hour
	histogram := promwire.TimeSeries{
		Labels:     promwire.LabelsFromStrings("__name__", "h"),
		Histograms: []promwire.Histogram{{Timestamp: time.Now().Add(-old).UnixMilli()}, {Timestamp: time.Now().UnixMilli()}},
	}
	req := &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{aged("gone", old), aged("half", old, 0), histogram, aged("whole", 0)}}
	before := fmt.Sprint(req)
	refusal := &promwire.PartialWriteError{Refused: []promwire.Refusal{{Series: 2}}}
	for _, tt := range []struct {
		err     error
		refused string
		dropped int64
	}{{nil, "[]", 3}, {refusal, "[3]", 3}, {promwire.ErrUnavailable, "[]", 0}} {
		next := &target{err: tt.err}
		w, limit := outlets.NewAgeLimit(next, time.Hour)
		stats, err := w.Write(t.Context(), req)
		if (err == nil) != (tt.err == nil) || fmt.Sprint(indices(err)) != tt.refused || limit.Dropped() != tt.dropped {
			t.Errorf("%v: refused %v, %d dropped, %v", tt.err, indices(err), limit.Dropped(), err)
		}
		if want := (promwire.WriteStats{Samples: 2, Histograms: 1}); stats != want || len(next.got.Timeseries) != 3 {
			t.Errorf("%+v of %d series", stats, len(next.got.Timeseries))
		}
		refusal.Refused[0].Series = 2
	}
	if fmt.Sprint(req) != before {
		t.Error("the request was changed")
	}
	next := &target{}
	w, limit := outlets.NewAgeLimit(next, time.Hour)
	if _, err := w.Write(t.Context(), &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{aged("gone", old)}}); err != nil || next.got != nil || limit.Dropped() != 1 {
		t.Errorf("%v, %v, %d", err, next.got, limit.Dropped())
	}
	if w, limit := outlets.NewAgeLimit(next, 0); w != promwire.Writer(next) || limit.Dropped() != 0 {
		t.Error("no limit is not the writer itself")
	}
}

// A body passes as it came if nothing in it is too old.
func TestAgeLimitBody(t *testing.T) {
	next := &target{}
	w, limit := outlets.NewAgeLimit(next, time.Hour)
	write := func(msg []byte, m promwire.MessageType) error {
		var b promwire.Body
		b.Reset(msg, promwire.EncodingIdentity, m, 1<<20)
		_, err := w.(promwire.BodyWriter).WriteBody(t.Context(), &b)
		return err
	}
	for _, m := range []promwire.MessageType{promwire.WriteV1, promwire.WriteV2} {
		*next = target{}
		for n, series := range [][]promwire.TimeSeries{{aged("a", 0)}, {aged("a", 0), aged("b", 2*time.Hour)}} {
			msg, err := (&promwire.WriteRequest{Timeseries: series}).AppendProto(nil, m)
			if err == nil {
				err = write(msg, m)
			}
			if err != nil || next.bodies != 1 || (next.got == nil) != (n == 0) {
				t.Errorf("%s: %v, %d bodies, %v", m, err, next.bodies, next.got)
			}
		}
		if len(next.got.Timeseries) != 1 || next.got.Timeseries[0].Labels.Get("__name__") != "a" {
			t.Errorf("%s: %v", m, next.got)
		}
	}
	if limit.Dropped() != 2 {
		t.Errorf("%d dropped", limit.Dropped())
	}
	// A reference to no symbol costs its series.
	bad := []byte{0x22, 0, 0x22, 8, '_', '_', 'n', 'a', 'm', 'e', '_', '_', 0x22, 1, 'm', 0x2a, 8, 0x0a, 2, 1, 99, 0x12, 2, 0x10, 1}
	msg, err := (&promwire.WriteRequest{Timeseries: []promwire.TimeSeries{aged("m", 0)}}).AppendProto(bad[:0:0], promwire.WriteV2)
	if err != nil {
		t.Fatal(err)
	}
	if err := write(append(bad, msg[len("\x22\x00\x22\x08__name__\x22\x01m"):]...), promwire.WriteV2); fmt.Sprint(indices(err)) != "[0]" || len(next.got.Timeseries) != 1 {
		t.Errorf("%v, %v", err, next.got)
	}
	if err := write([]byte{0x0f}, promwire.WriteV2); err != nil && next.bodies == 0 {
		t.Errorf("a malformed body: %v", err)
	}
}
