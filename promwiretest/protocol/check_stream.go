package protocol

import (
	"fmt"
	"slices"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/native"
	"github.com/promwire/promwire/internal/same"
)

const streamable = readable | needStream

// streamChecks are about streamed answers. Each of them checks checksums, order and the times of chunks too.
func streamChecks() []check {
	return []check{
		{
			name: "read/stream/negotiation", spec: "Remote Read, Streamed Chunks", needs: streamable,
			sent: "accepted types 1, 0; 99, 1, 0", want: "a stream: the first type that is known", run: streamNegotiation,
		},
		{
			name: "read/stream/queries", spec: "Remote Read, Streamed Chunks", needs: streamable,
			sent: "three queries in one request, the second of which selects nothing", want: "frames of the first, then of the third, with their index", run: streamQueries,
		},
		{
			name: "read/stream/order", spec: "Remote Read, order of series", needs: streamable,
			sent: "a query for series written in another order", want: "in label order", run: streamOrder,
		},
		{
			name: "read/stream/long", spec: "Remote Read, Streamed Chunks; chunk encodings", needs: streamable,
			sent: "a query for 20,000 samples of two series", want: "all of them, in frames of about 1 MiB at most", run: streamLong,
		},
		{
			name: "read/stream/values", spec: "chunk encodings", needs: streamable,
			sent: "a query for a series with stale markers, NaN, infinities and odd intervals", want: "the samples bit by bit", run: streamValues,
		},
		{
			name: "read/stream/histograms", spec: "chunk encodings", needs: streamable | needV2 | needHistograms,
			sent: "a query for series of native histograms of each kind, with stale markers", want: "the histograms as written", run: streamHistograms,
		},
		{
			name: "read/stream/empty", spec: "Remote Read, Streamed Chunks", needs: needRead | needStream,
			sent: "a query that selects nothing", want: "200 without a frame",
			run: func(p *probe) {
				if frames, err := p.read(streamOnly, p.query()).frames(); err != nil || len(frames) > 0 {
					p.fail("%d frames, %v", len(frames), err)
				}
			},
		},
	}
}

func streamNegotiation(p *probe) {
	if !p.seed(p.series(p.labels(), 1)) {
		return
	}
	for _, types := range [][]promwire.ResponseType{{1, 0}, {99, 1, 0}} {
		frames, err := p.read(types, p.query()).frames()
		if err != nil {
			p.fail("accepted %v: %v", types, err)
		} else if len(frames) != 1 {
			p.fail("accepted %v: %d frames, want 1", types, len(frames))
		}
	}
}

func streamQueries(p *probe) {
	a, b := p.series(p.labels("part", "a"), 1), p.series(p.labels("part", "b"), 2)
	if !p.seed(a, b) {
		return
	}
	part := func(value string) promwire.Query { return p.query(promwire.Matcher{Name: "part", Value: value}) }
	queries := []promwire.Query{part("b"), part("none"), part("a")}
	frames, err := p.read(streamOnly, queries...).frames()
	if err != nil {
		p.fail("%v", err)
		return
	}
	last := int64(0)
	for i := range frames {
		if frames[i].QueryIndex < last {
			p.fail("frame %d is of query %d, behind one of query %d", i, frames[i].QueryIndex, last)
		}
		last = frames[i].QueryIndex
	}
	for i, want := range [][]promwire.TimeSeries{{b}, nil, {a}} {
		got, err := joined(frames, int64(i), queries[i])
		if err != nil {
			p.fail("query %d: %v", i, err)
		} else if diff := same.All(got, want); diff != "" {
			p.fail("query %d: %s", i, diff)
		}
	}
}

func streamOrder(p *probe) {
	var all []promwire.TimeSeries
	for _, more := range [][]string{{"z", "1"}, {"b", "2"}, {}, {"b", "10"}, {"b", "2", "c", "1"}, {"z", "0"}} {
		all = append(all, p.series(p.labels(more...), 1))
	}
	if p.seed(all...) {
		slices.SortFunc(all, func(a, b promwire.TimeSeries) int { return a.Labels.Compare(b.Labels) })
		p.wantStream(p.query(), all...)
	}
}

// streamLong writes 10,000 samples for each of two series, ten milliseconds apart.
func streamLong(p *probe) {
	const n, requests = 10_000, 4
	var all []promwire.TimeSeries
	for i := range 2 {
		ts := promwire.TimeSeries{Labels: p.labels("i", fmt.Sprint(i))}
		for j := range n {
			ts.Samples = append(ts.Samples, promwire.Sample{Timestamp: p.at(0) + int64(j)*10, Value: float64(j*j) / 7})
		}
		all = append(all, ts)
	}
	for from := 0; from < n; from += n / requests {
		a, b := all[0], all[1]
		a.Samples, b.Samples = a.Samples[from:from+n/requests], b.Samples[from:from+n/requests]
		if !p.wantStored(p.write(p.anyMessage(), a, b), p.anyMessage(), samples(2*n/requests)) {
			return
		}
	}
	p.wantRead(all...)
	a := p.read(streamOnly, p.query())
	frames, err := a.frames()
	if err != nil {
		p.fail("%v", err)
		return
	}
	for i := range frames {
		if frames[i].size > usualFrame {
			p.warn("frame %d has %d bytes; servers close a frame at 1 MiB", i, frames[i].size)
		}
	}
	got, err := joined(frames, 0, p.query())
	if err != nil {
		p.fail("%v", err)
	} else if diff := same.All(got, all); diff != "" {
		p.fail("%s", diff)
	}
	// A range in the midst of chunks.
	q := p.between(10, 20)
	middle := make([]promwire.TimeSeries, len(all))
	for i := range all {
		middle[i] = promwire.TimeSeries{Labels: all[i].Labels, Samples: all[i].Samples[1000:2001]}
	}
	p.wantStream(q, middle...)
}

func streamValues(p *probe) {
	ts := p.series(p.labels(), oddValues()...)
	for i := range ts.Samples {
		ts.Samples[i].Timestamp += int64(i*i*i) % 997
	}
	if p.wantStored(p.write(p.anyMessage(), ts), p.anyMessage(), samples(len(ts.Samples))) {
		p.wantStream(p.query(), ts)
	}
}

func streamHistograms(p *probe) {
	var all []promwire.TimeSeries
	for i, kind := range []func(int64) promwire.Histogram{native.Int, native.Float, native.Gauge, native.Custom} {
		ts := promwire.TimeSeries{Labels: p.labels("i", fmt.Sprint(i))}
		for j := range 4 {
			ts.Histograms = append(ts.Histograms, kind(p.at(j)))
		}
		ts.Histograms = append(ts.Histograms, native.Stale(p.at(4)))
		all = append(all, ts)
	}
	stats := promwire.WriteStats{Histograms: 5 * len(all)}
	if p.wantStored(p.write(promwire.WriteV2, all...), promwire.WriteV2, stats) {
		p.wantStream(p.query(), all...)
	}
}
