//go:build linux

package main

import (
	"io"
	"strings"
	"testing"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/bench/process"
	"github.com/promwire/promwire/internal/workload"
)

// What is sent straight to the receiver arrives as it was sent, and a sample that is not the same shows.
func TestReceiverKnowsWhatWasSent(t *testing.T) {
	for _, sc := range []scenario{
		{message: promwire.WriteV1, make: workload.Batch}, {message: promwire.WriteV2, make: workload.Batch},
	} {
		l, err := newLoad(&sc, 3*2000)
		if err != nil {
			t.Fatal(err)
		}
		r, err := newReceiver(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer r.http.Close()
		if err := l.send(t.Context(), r.url, 0); err != nil {
			t.Fatal(err)
		}
		if err := r.wait(t.Context(), l.sent.Samples); err != nil {
			t.Fatal(err)
		}
		size := 0
		for _, b := range l.bodies {
			size += len(b)
		}
		if got := int(r.bytes.Load()); got <= size || got > size+1000*len(l.bodies) {
			t.Errorf("%d bytes over the wire, bodies of %d", got, size)
		}
		if got := r.tally(); got != l.sent || got.Samples != 6000 || r.requests != 3 {
			t.Errorf("arrived %+v in %d requests, sent %+v", got, r.requests, l.sent)
		}
	}
	base := promwire.TimeSeries{Labels: promwire.LabelsFromStrings("a", "b"), Samples: []promwire.Sample{{Timestamp: 1, Value: 2}}}
	var first process.Tally
	first.Add(&base)
	for _, other := range []promwire.TimeSeries{
		{Labels: promwire.LabelsFromStrings("a", "c"), Samples: base.Samples},
		{Labels: base.Labels, Samples: []promwire.Sample{{Timestamp: 2, Value: 1}}},
		{Labels: base.Labels, Samples: []promwire.Sample{{Timestamp: 1, Value: 2}, {Timestamp: 1, Value: 2}}},
	} {
		var second process.Tally
		if second.Add(&other); second == first {
			t.Errorf("%+v passes for %+v", other, base)
		}
	}
}

// A figure at a bar keeps it, one beyond it does not, and what was not measured beside the peer keeps none.
func TestReportJudges(t *testing.T) {
	sc := scenarios[0]
	systems := []system{{name: ours}, {name: peer}}
	for _, tt := range []struct {
		mine, theirs *outcome
		verdict      string
	}{
		{&outcome{cpu: 1, memory: memoryBar, bytes: 30}, &outcome{cpu: 10, bytes: 30}, "ok"},
		{&outcome{cpu: 1.01, memory: memoryBar, bytes: 30}, &outcome{cpu: 10, bytes: 30}, "CPU MISSED"},
		{&outcome{cpu: 1, memory: memoryBar + 1, bytes: 30}, &outcome{cpu: 10, bytes: 30}, "MEMORY MISSED"},
		{&outcome{cpu: 1, memory: memoryBar, bytes: 31}, &outcome{cpu: 10, bytes: 30}, "BYTES MISSED"},
		{&outcome{cpu: 1}, nil, "no peer"},
	} {
		all, out := results{}, &strings.Builder{}
		all.add(sc, ours, tt.mine)
		if tt.theirs != nil {
			all.add(sc, peer, tt.theirs)
		}
		want := 1
		if tt.verdict == "ok" {
			want = 0
		}
		if missed := all.report(out, systems); missed != want || !strings.Contains(out.String(), tt.verdict) {
			t.Errorf("missed %d, want %d with %q:\n%s", missed, want, tt.verdict, out)
		}
	}
	if missed := (results{}).report(io.Discard, systems); missed != 0 {
		t.Errorf("%d missed of nothing", missed)
	}
}
