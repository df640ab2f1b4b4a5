package promwiretest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"unsafe"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/native"
)

// writeSuite is about what is taken.
var writeSuite = []suiteCheck{
	{"write/counts", writeCounts},
	{"write/empty", writeEmpty},
	{"write/metadata", writeMetadata},
	{"write/exemplars", writeExemplars},
	{"write/memory", writeMemory},
	{"write/read-only", writeReadOnly},
	{"write/same-again", writeSameAgain},
	{"write/series-twice", writeSeriesTwice},
	{"write/many", writeMany},
	{"write/labels", writeLabels},
	{"write/cancelled", writeCancelled},
}

func writeCounts(s *suite) {
	a, b := s.series(name("i", "0"), 1, 2, 3), s.series(name("i", "1"), 4)
	s.write(a, b)
	s.wantRead("after a write", s.everything(), a, b)
	next := promwire.TimeSeries{Labels: a.Labels, Samples: []promwire.Sample{{Timestamp: s.at(3), Value: 5}}}
	s.write(next)
	a.Samples = append(a.Samples, next.Samples...)
	s.wantRead("after a second write", s.everything(), a, b)
}

func writeEmpty(s *suite) {
	stats, err := s.storage.Write(s.ctx, &promwire.WriteRequest{})
	if err != nil || stats != (promwire.WriteStats{}) {
		s.fail("Write of an empty request: %s, %v; senders make them", counts(stats), err)
	}
	s.wantRead("an empty storage", s.everything())
}

func writeMetadata(s *suite) {
	ts := s.series(name(), 1)
	ts.Metadata = promwire.Metadata{Type: promwire.TypeCounter, Help: "help", Unit: "seconds"}
	s.write(ts)
	req := &promwire.WriteRequest{Metadata: []promwire.MetricMetadata{{Family: "suite", Metadata: ts.Metadata}}}
	if stats, err := s.storage.Write(s.ctx, req); err != nil || stats != (promwire.WriteStats{}) {
		s.fail("Write of family metadata alone: %s, %v; Prometheus sends such requests", counts(stats), err)
	}
	s.wantRead("with metadata", s.everything(), ts)
}

// writeExemplars accepts a storage without exemplars, if it counts or names them.
func writeExemplars(s *suite) {
	ts := s.series(name(), 1, 2)
	for i := range 2 {
		ts.Exemplars = append(ts.Exemplars, promwire.Exemplar{
			Labels: promwire.LabelsFromStrings("trace_id", fmt.Sprint(i)), Value: float64(i), Timestamp: s.at(i),
		})
	}
	req := request(ts)
	stats, err := s.storage.Write(s.ctx, req.Clone())
	s.honest(req, stats, err)
	if stats.Samples != 2 {
		s.fail("of a series with exemplars, %d samples were written, want 2: %v", stats.Samples, err)
	}
	s.wantRead("with exemplars", s.everything(), promwire.TimeSeries{Labels: ts.Labels, Samples: ts.Samples})
	// An exemplar alone, of a series that is known, and of one that is not.
	alone := ts.Exemplars[1:]
	alone[0].Timestamp = s.at(5)
	req = request(
		promwire.TimeSeries{Labels: ts.Labels, Exemplars: alone},
		promwire.TimeSeries{Labels: name("i", "unknown"), Exemplars: alone},
	)
	stats, err = s.storage.Write(s.ctx, req.Clone())
	s.honest(req, stats, err)
}

// writeMemory writes a request from memory that is used for something else afterwards, as that of handlers is.
func writeMemory(s *suite) {
	all := []promwire.TimeSeries{s.series(name("i", "0", "text", "a longer value of a label"), 1, 2), s.series(name("i", "1"), 3)}
	if !s.noHistograms {
		all = append(all, promwire.TimeSeries{Labels: name("i", "2"), Histograms: []promwire.Histogram{native.Int(s.at(0)), native.Custom(s.at(1))}})
	}
	req, scribble := borrowed(request(all...))
	if stats, err := s.storage.Write(s.ctx, req); err != nil || stats != req.Stats() {
		s.fatal("Write: %s, %v", counts(stats), err)
	}
	scribble()
	s.wantRead("after the request's memory was used again", s.everything(), all...)
	next := promwire.TimeSeries{Labels: name("i", "1"), Samples: []promwire.Sample{{Timestamp: s.at(7), Value: 4}}}
	s.write(next)
	all[1].Samples = append(all[1].Samples, next.Samples...)
	s.wantRead("after a further write to one of the series", s.everything(), all...)
}

// borrowed returns a copy of a request whose strings lie in one buffer, and a function that overwrites all its memory.
func borrowed(req *promwire.WriteRequest) (*promwire.WriteRequest, func()) {
	out := req.Clone()
	size := 0
	for i := range out.Timeseries {
		for _, l := range out.Timeseries[i].Labels {
			size += len(l.Name) + len(l.Value)
		}
	}
	buffer := make([]byte, 0, size)
	view := func(text string) string {
		from := len(buffer)
		buffer = append(buffer, text...)
		return unsafe.String(unsafe.SliceData(buffer[from:]), len(text))
	}
	for i := range out.Timeseries {
		ls := out.Timeseries[i].Labels
		for j := range ls {
			ls[j] = promwire.Label{Name: view(ls[j].Name), Value: view(ls[j].Value)}
		}
	}
	return out, func() {
		copy(buffer, strings.Repeat("#", len(buffer)))
		for i := range out.Timeseries {
			spoil(&out.Timeseries[i])
		}
		clear(out.Timeseries)
	}
}

// spoil overwrites the memory of a series.
func spoil(ts *promwire.TimeSeries) {
	for i := range ts.Samples {
		ts.Samples[i] = promwire.Sample{Timestamp: math.MinInt64, Value: -12345}
	}
	for i := range ts.Histograms {
		h := &ts.Histograms[i]
		for _, deltas := range [][]int64{h.PositiveDeltas, h.NegativeDeltas} {
			for j := range deltas {
				deltas[j] = -12345
			}
		}
		for _, floats := range [][]float64{h.PositiveCounts, h.NegativeCounts, h.CustomValues} {
			for j := range floats {
				floats[j] = -12345
			}
		}
		clear(h.PositiveSpans)
		clear(h.NegativeSpans)
	}
	clear(ts.Histograms)
	for i := range ts.Labels {
		ts.Labels[i] = promwire.Label{Name: "#", Value: "#"}
	}
}

// writeReadOnly checks that the request comes back as it was.
func writeReadOnly(s *suite) {
	req := request(s.series(name("i", "1"), 1, 2), s.series(name("i", "0"), 3, math.NaN()))
	if !s.noHistograms {
		req.Timeseries = append(req.Timeseries, promwire.TimeSeries{Labels: name("i", "2"), Histograms: []promwire.Histogram{native.Int(s.at(0))}})
	}
	before := string(req.AppendText(nil, promwire.TextOptions{Timestamps: true}))
	if _, err := s.storage.Write(s.ctx, req); err != nil {
		s.fatal("Write: %v", err)
	}
	if after := string(req.AppendText(nil, promwire.TextOptions{Timestamps: true})); after != before {
		s.fail("Write changed the request, which belongs to its caller; it was\n%s\nand is\n%s", before, after)
	}
}

// writeSameAgain is a request that is sent again, because its answer got lost.
func writeSameAgain(s *suite) {
	ts := s.series(name(), 1, promwire.StaleNaN())
	s.write(ts)
	last := promwire.TimeSeries{Labels: ts.Labels, Samples: ts.Samples[1:]}
	s.write(last)
	s.wantRead("after the newest sample came twice", s.everything(), ts)
}

func writeSeriesTwice(s *suite) {
	whole := s.series(name(), 1, 2, 3, 4)
	a, b := whole, whole
	a.Samples, b.Samples = whole.Samples[:2], whole.Samples[2:]
	other := s.series(name("i", "0"), 5)
	s.write(a, other, b)
	s.wantRead("after a series came twice in a request", s.everything(), byLabels([]promwire.TimeSeries{whole, other})...)
}

func writeMany(s *suite) {
	var all []promwire.TimeSeries
	for i := range 1000 {
		all = append(all, s.series(name("i", fmt.Sprintf("%04d", i)), float64(i), 1, 2, 3, 4, 5, 6, 7, 8, 9))
	}
	s.write(all...)
	s.wantRead("1,000 series", s.everything(), all...)
}

// labelSets are different, and easily taken for one another.
func labelSets() []promwire.Labels {
	var all []promwire.Labels
	for _, more := range [][]string{
		{},
		{"a", "b"},
		{"a", "B"},
		{"A", "b"},
		{"a", "b "},
		{"a", " b"},
		{"a", "b", "c", "d"},
		{"a", "b\x00c\x00d"},
		{"a", "b,c=d"},
		{"a", `b",c="d`},
		{"ab", "c"},
		{"a", "bc"},
		{"a", "1"},
		{"a", "1.0"},
		{"a", "01"},
		{"a", "1e0"},
		{"a", "%"},
		{"a", "_"},
		{"a", "*"},
		{"a", "é"},
		{"a", "e\u0301"},
		{"a", "ﬀ"},
		{"a", "line\nfeed"},
		{"a", `\n`},
		{"a", "'"},
		{"a", `\`},
		{"a.b", "c"},
		{"a_b", "c"},
		{"a", "null"},
		{"a", "NULL"},
		{"a", strings.Repeat("long ", 400)},
		{"a", strings.Repeat("long ", 400) + "er"},
		{"a", "\U0001F600"},
	} {
		all = append(all, name(more...))
	}
	return all
}

func writeLabels(s *suite) {
	var all []promwire.TimeSeries
	for i, ls := range labelSets() {
		all = append(all, s.series(ls, float64(i)))
	}
	s.write(all...)
	s.wantRead("label sets that are alike", s.everything(), byLabels(all)...)
	for _, ts := range all {
		if value := ts.Labels.Get("a"); value != "" && len(ts.Labels) == 2 {
			s.wantRead("one of them, by its value", s.everything(promwire.Matcher{Name: "a", Value: value}), having(all, value)...)
		}
	}
}

// having returns the series with this value of label a, in label order.
func having(all []promwire.TimeSeries, value string) []promwire.TimeSeries {
	var out []promwire.TimeSeries
	for _, ts := range all {
		if ts.Labels.Get("a") == value {
			out = append(out, ts)
		}
	}
	return byLabels(out)
}

func writeCancelled(s *suite) {
	ctx, cancel := context.WithCancel(s.ctx)
	cancel()
	ts := s.series(name(), 1, 2, 3)
	stats, err := s.storage.Write(ctx, request(ts))
	switch {
	case err == nil:
		s.fail("Write with a cancelled context: %s and no error", counts(stats))
	case !errors.Is(err, context.Canceled):
		s.fail("Write with a cancelled context: %v, want an error that wraps context.Canceled", err)
	case !promwire.Retryable(err):
		s.fail("Write with a cancelled context: %v, which says that another try is of no use", err)
	}
	s.write(ts)
	s.wantRead("after a cancelled write was tried again", s.everything(), ts)
}
