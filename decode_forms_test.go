package promwire_test

import (
	"math"
	"strconv"
	"testing"

	"github.com/promwire/promwire"
)

// TestDecodeForms decodes the many legal ways to write the same thing.
func TestDecodeForms(t *testing.T) {
	m := labelMsg("__name__", "m")
	table := msg{}.str(4, "").str(4, "__name__").str(4, "m").str(4, "k").str(4, "v")
	one := func(ts promwire.TimeSeries) promwire.WriteRequest {
		return promwire.WriteRequest{Timeseries: []promwire.TimeSeries{ts}}
	}
	sampled := one(promwire.TimeSeries{Labels: named("m"), Samples: []promwire.Sample{{Timestamp: 1000, Value: 1}}})
	labelled := one(promwire.TimeSeries{Labels: named("m", "k", "v"), Samples: []promwire.Sample{
		{Timestamp: 1, Value: 1}, {Timestamp: 2, Value: 2},
	}})
	metadata := one(promwire.TimeSeries{Labels: named("m"), Metadata: promwire.Metadata{
		Type: promwire.TypeGauge, Help: "k", Unit: "v",
	}})

	tests := []struct {
		name string
		t    promwire.MessageType
		msg  msg
		want promwire.WriteRequest
	}{
		{"empty series", v1, msg{}.sub(1), one(promwire.TimeSeries{})},
		{"empty series 2.0", v2, msg{}.sub(5), one(promwire.TimeSeries{})},
		{
			"empty nested messages", v1, msg{}.sub(1, msg{}.sub(1).sub(2).sub(3).sub(4).sub(4, msg{}.sub(8))).sub(3),
			promwire.WriteRequest{
				Timeseries: []promwire.TimeSeries{{
					Labels: promwire.Labels{{}}, Samples: []promwire.Sample{{}}, Exemplars: []promwire.Exemplar{{}},
					Histograms: []promwire.Histogram{{}, {NegativeSpans: []promwire.BucketSpan{{}}}},
				}},
				Metadata: []promwire.MetricMetadata{{}},
			},
		},
		{
			"fields back to front", v1,
			msg{}.sub(1, msg{}.sub(2, msg{}.int(2, 1000).double(1, 1)).sub(1, msg{}.str(2, "m").str(1, "__name__"))),
			sampled,
		},
		{"interleaved", v1, msg{}.sub(1, msg{}.sub(2, sampleMsg(1, 1)).sub(1, m).sub(2, sampleMsg(2, 2)).
			sub(1, labelMsg("k", "v"))), labelled},
		{"interleaved 2.0", v2, table.sub(5, msg{}.sub(2, sampleMsg(1, 1)).uints(1, 1, 2).sub(2, sampleMsg(2, 2)).
			uints(1, 3, 4)), labelled},
		{"packed and unpacked mixed", v2, table.sub(5, msg{}.sub(2, sampleMsg(1, 1)).uint(1, 1).uints(1, 2, 3).
			uint(1, 4).uints(1).sub(2, sampleMsg(2, 2))), labelled},
		{"last singular field wins", v1, msg{}.sub(1, msg{}.
			sub(1, msg{}.str(1, "x").str(1, "__name__").str(2, "y").str(2, "m")).
			sub(2, msg{}.double(1, 9).int(2, 9).double(1, 1).int(2, 1000))), sampled},
		{"unknown fields everywhere", v1, msg{}.str(2, "source").uint(9, 1).sub(1,
			unknown(99).sub(1, unknown(3).str(1, "__name__").append(unknown(4)).str(2, "m").append(unknown(77))).
				sub(2, unknown(3).double(1, 1).int(2, 1000).append(unknown(1<<29-1)))).append(unknown(18)), sampled},
		{"unknown fields everywhere 2.0", v2, msg{}.str(1, "v1").uint(2, 7).double(3, 1).append(table).sub(5,
			msg{}.uint(6, 500).str(7, "x").uints(1, 1, 2).
				sub(2, unknown(4).double(1, 1).int(2, 1000).append(unknown(5))).
				sub(5, unknown(2).append(unknown(6)))), sampled},
		{"tags and lengths longer than needed", v1, overlong(), sampled},
		{"timestamps of every length", v1, msg{}.sub(1, everyLength()), one(promwire.TimeSeries{Samples: everySample()})},
		{
			"timestamps of every length 2.0", v2, msg{}.sub(5, everyLength()),
			one(promwire.TimeSeries{Samples: everySample()}),
		},
		{"starts of every length", v2, msg{}.sub(5, everyStart()), one(promwire.TimeSeries{Samples: everyStarted()})},
		{"labels of every length", v1, msg{}.sub(1, everyLabel()), one(promwire.TimeSeries{Labels: everyLabels()})},
		{"references longer than needed", v2, table.sub(5, msg{}.
			str(1, "\x81\x00\x82\x80\x00\x83\x80\x80\x00\x84\x80\x80\x80\x80\x80\x80\x80\x80\x00").
			sub(2, sampleMsg(1, 1)).sub(2, sampleMsg(2, 2))), labelled},
		{
			"references of every length", v2, manySymbols(20000).sub(5, msg{}.uints(1, 0, 1, 127, 128, 129, 16383, 16384, 19999)),
			one(promwire.TimeSeries{Labels: promwire.Labels{
				{Name: "0", Value: "1"},
				{Name: "127", Value: "128"},
				{Name: "129", Value: "16383"},
				{Name: "16384", Value: "19999"},
			}}),
		},
		{"references of two bytes at most", v2, manySymbols(1<<14).
			sub(5, msg{}.uints(1, 16383, 16383)).sub(5, msg{}.uints(1, 1, 16383)), promwire.WriteRequest{
			Timeseries: []promwire.TimeSeries{
				{Labels: promwire.Labels{{Name: "16383", Value: "16383"}}},
				{Labels: promwire.Labels{{Name: "1", Value: "16383"}}},
			},
		}},
		{"metadata in parts merges", v2, table.sub(5, msg{}.uints(1, 1, 2).sub(5, msg{}.uint(1, 1).uint(3, 3)).
			sub(5, msg{}.uint(1, 2).uint(4, 4)).sub(5)), metadata},
		{"metadata reference 0 is unset", v2, msg{}.str(4, "x").str(4, "__name__").str(4, "m").sub(5,
			msg{}.uints(1, 1, 2).sub(2, sampleMsg(1, 1000)).sub(5, msg{}.uint(1, 0).uint(3, 0).uint(4, 0))), sampled},
		{"symbols behind the series", v2, msg{}.sub(5, msg{}.uints(1, 1, 2).sub(2, sampleMsg(1, 1000))).str(4, "").
			str(4, "__name__").str(4, "m"), sampled},
		{
			"symbols between the series", v2, msg{}.str(4, "").str(4, "__name__").
				sub(5, msg{}.uints(1, 1, 2).sub(2, sampleMsg(1, 1))).str(4, "m").
				sub(5, msg{}.uints(1, 1, 3).sub(4, msg{}.uints(1, 1, 4))).str(4, "k").str(4, "v"),
			promwire.WriteRequest{Timeseries: []promwire.TimeSeries{
				{Labels: named("m"), Samples: []promwire.Sample{{Timestamp: 1, Value: 1}}},
				{Labels: named("k"), Exemplars: []promwire.Exemplar{{Labels: named("v")}}},
			}},
		},
		{"metadata symbols behind the series", v2, msg{}.str(4, "").str(4, "__name__").str(4, "m").sub(5,
			msg{}.uints(1, 1, 2).sub(5, msg{}.uint(1, 2).uint(3, 3).uint(4, 4))).str(4, "k").str(4, "v"), metadata},
		{"unknown enum numbers are kept", v2, table.sub(5, msg{}.uints(1, 1, 2).sub(3, msg{}.uint(14, 77)).
			sub(5, msg{}.uint(1, 99))), one(promwire.TimeSeries{
			Labels: named("m"), Histograms: []promwire.Histogram{{ResetHint: 77}}, Metadata: promwire.Metadata{Type: 99},
		})},
		{"unknown enum numbers are kept 1.0", v1, msg{}.sub(3, msg{}.uint(1, 99)), promwire.WriteRequest{
			Metadata: []promwire.MetricMetadata{{Metadata: promwire.Metadata{Type: 99}}},
		}},
		{"no start timestamps in 1.0", v1, msg{}.sub(1, msg{}.sub(1, m).
			sub(2, msg{}.double(1, 1).int(2, 1000).int(3, 5))), sampled},
		{"labels are neither sorted nor judged", v1, msg{}.sub(1, msg{}.sub(1, labelMsg("b", "")).
			sub(1, labelMsg("", "\xff")).sub(1, labelMsg("b", ""))), one(promwire.TimeSeries{
			Labels: promwire.Labels{{Name: "b"}, {Value: "\xff"}, {Name: "b"}},
		})},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { checkDecodes(t, tt.msg, tt.t, &tt.want) })
	}
}

// manySymbols is a table of n symbols: their numbers.
func manySymbols(n int) (m msg) {
	for i := range n {
		m = m.str(4, strconv.Itoa(i))
	}
	return m
}

// unknown has one field of each wire type with this number.
func unknown(field int) msg {
	m := msg{}.uint(field, 1<<63).double(field, 1).str(field, "unknown")
	return append(m.tag(field, 5), 1, 2, 3, 4)
}

// overlong writes tags and lengths with more bytes than they need.
func overlong() msg {
	label := msg("\x8a\x80\x00\x88\x00__name__\x92\x00\x81\x00m")
	sample := msg("\x89\x00\x00\x00\x00\x00\x00\x00\xf0\x3f\x90\x00\xe8\x87\x80\x80\x80\x80\x80\x80\x80\x00")
	series := msg("\x8a\x00").overlongLength(label).append(msg("\x92\x80\x00")).overlongLength(sample)
	return msg("\x8a\x80\x80\x80\x00").overlongLength(series)
}

func (m msg) overlongLength(data msg) msg {
	return append(append(m, byte(len(data))|0x80, 0x80, 0x00), data...)
}

// edges are numbers around each length of a varint.
func edges() []int64 {
	vs := []int64{0, 1, -1, math.MaxInt64, math.MinInt64}
	for bits := 7; bits < 63; bits += 7 {
		vs = append(vs, 1<<bits-1, 1<<bits, 1<<bits+1)
	}
	return vs
}

func everyLength() (m msg) {
	for _, v := range edges() {
		m = m.sub(2, sampleMsg(1.5, v))
	}
	return m
}

func everySample() (ss []promwire.Sample) {
	for _, v := range edges() {
		ss = append(ss, promwire.Sample{Timestamp: v, Value: 1.5})
	}
	return ss
}

func everyStart() (m msg) {
	for _, v := range edges() {
		for _, st := range edges() {
			m = m.sub(2, sampleMsg(1.5, v).int(3, st))
		}
	}
	return m
}

func everyStarted() (ss []promwire.Sample) {
	for _, v := range edges() {
		for _, st := range edges() {
			ss = append(ss, promwire.Sample{Timestamp: v, StartTimestamp: st, Value: 1.5})
		}
	}
	return ss
}

func everyLabels() (ls promwire.Labels) {
	text := string(make([]byte, 300))
	for _, n := range []int{0, 1, 2, 61, 62, 63, 120, 121, 122, 123, 124, 125, 126, 127, 128, 129, 130, 255, 256, 300} {
		ls = append(ls, promwire.Label{Name: text[:n], Value: "v"}, promwire.Label{Name: "n", Value: text[:n]},
			promwire.Label{Name: text[:n], Value: text[:n]})
	}
	return ls
}

func everyLabel() (m msg) {
	for _, l := range everyLabels() {
		m = m.sub(1, labelMsg(l.Name, l.Value))
	}
	return m
}
