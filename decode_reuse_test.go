package promwire_test

import (
	"fmt"
	"testing"

	"github.com/promwire/promwire"
)

// bigSeries fills every slice that a series has.
func bigSeries(histograms, exemplars int, refs bool) msg {
	var m msg
	for i := range 20 {
		if refs {
			m = m.uints(1, 1, 2)
		} else {
			m = m.sub(1, labelMsg(fmt.Sprint("name", i), "value"))
		}
		h := histogramFull().double(2, 1).double(7, 1).int(17, 5)
		e := msg{}.double(2, 9).int(3, 9)
		if refs {
			e = e.uints(1, 1, 2, 2, 1)
		} else {
			e = e.sub(1, labelMsg("trace_id", "t")).sub(1, labelMsg("span_id", "s"))
		}
		m = m.sub(2, sampleMsg(1, 1).int(3, 1)).sub(histograms, h).sub(exemplars, e)
	}
	return m
}

// reuseCases are a large message and small ones that must not show leftovers of it.
func reuseCases() map[promwire.MessageType][]msg {
	table := msg{}.str(4, "").str(4, "a").str(4, "b")
	big1, big2 := bigSeries(4, 3, false), bigSeries(3, 4, true).sub(5, msg{}.uint(1, 1).uint(3, 1).uint(4, 2))
	small := msg{}.sub(2).sub(3).sub(4)
	return map[promwire.MessageType][]msg{
		v1: {
			msg{}.sub(1, big1).sub(1, big1).sub(3, msg{}.str(4, "help").str(2, "f")),
			msg{}.sub(1, small).sub(1).sub(3),
			msg{}.sub(1),
			nil,
		},
		v2: {
			table.sub(5, big2).sub(5, big2),
			table.sub(5, small).sub(5),
			msg{}.str(4, "").sub(5),
			msg{}.str(4, "").str(4, "x").sub(5, msg{}.uints(1, 1, 1)),
			msg{}.sub(5, msg{}.uints(1, 1, 1)), // refers to a symbol of the message before
			nil,
		},
	}
}

func TestDecodeReuse(t *testing.T) {
	var req promwire.WriteRequest
	var d promwire.Decoder
	for _, mt := range []promwire.MessageType{v1, v2, v1, v2} {
		for i, src := range reuseCases()[mt] {
			var want promwire.WriteRequest
			wantErr := want.UnmarshalProto(src, mt)
			for name, decode := range map[string]func([]byte, promwire.MessageType) error{
				"UnmarshalProto": req.UnmarshalProto, "UnmarshalProtoAlias": req.UnmarshalProtoAlias,
			} {
				if err := decode(src, mt); fmt.Sprint(err) != fmt.Sprint(wantErr) || !sameRequest(&req, &want) {
					t.Errorf("%s, %s %d:\n got %+v, %v\nwant %+v, %v", name, mt, i, req, err, want, wantErr)
				}
			}
			for _, next := range []func(*promwire.Decoder) bool{
				(*promwire.Decoder).Next,
				nextRawDecoded,
			} {
				got, err := walk(&d, src, mt, next)
				if (err == nil) != (wantErr == nil) || !sameRequest(got, &want) {
					t.Errorf("walk, %s %d:\n got %+v, %v\nwant %+v, %v", mt, i, got, err, want, wantErr)
				}
			}
		}
	}
}

func TestDecodeAllocations(t *testing.T) {
	if raceEnabled {
		t.Log("not under the race detector, where sync.Pool drops what it is given")
		return
	}
	for mt, cases := range reuseCases() {
		src := []byte(cases[0])
		var d promwire.Decoder
		var req promwire.WriteRequest
		run := func(name string, f func()) {
			if n := testing.AllocsPerRun(100, f); n != 0 {
				t.Errorf("%s %s: %v allocations", mt, name, n)
			}
		}
		run("Next", func() {
			for d.Reset(src, mt); d.Next(); {
			}
		})
		run("NextRaw", func() {
			for d.Reset(src, mt); d.NextRaw(); {
				_ = d.DecodeLabels()
			}
		})
		run("UnmarshalProtoAlias", func() { _ = req.UnmarshalProtoAlias(src, mt) })
		if n := testing.AllocsPerRun(100, func() { _ = req.UnmarshalProto(src, mt) }); n != 1 {
			t.Errorf("%s UnmarshalProto: %v allocations, want one", mt, n)
		}
		if d.Err() != nil || len(req.Timeseries) != 2 {
			t.Errorf("%s: %v, %d series", mt, d.Err(), len(req.Timeseries))
		}
	}
}

// TestDecodeOwnership overwrites the message: a copying decode does not notice, an aliasing one does.
func TestDecodeOwnership(t *testing.T) {
	for _, v := range vectors {
		if len(v.want.Timeseries) == 0 {
			continue
		}
		src := unhex(t, v.hex)
		var copied, alias promwire.WriteRequest
		if err := copied.UnmarshalProto(src, v.t); err != nil {
			t.Fatal(err)
		}
		if err := alias.UnmarshalProtoAlias(src, v.t); err != nil {
			t.Fatal(err)
		}
		clear(src)
		if !sameRequest(&copied, &v.want) {
			t.Errorf("%s: UnmarshalProto kept no copy: %+v", v.name, copied)
		}
		if name := alias.Timeseries[0].Labels[0].Name; name != "\x00\x00\x00\x00\x00\x00\x00\x00" {
			t.Errorf("%s: UnmarshalProtoAlias copied %q", v.name, name)
		}
	}
}

func TestDecoderRaw(t *testing.T) {
	var d promwire.Decoder
	a, b := msg{}.sub(1, labelMsg("a", "1")), msg{}.sub(1, labelMsg("b", "2"))
	sample := msg{}.sub(2, sampleMsg(1, 1))
	contiguous, gaps := append(msg{}, a...).append(b).append(sample), append(msg{}, a...).append(sample).append(b).append(sample)
	d.Reset(msg{}.sub(1, contiguous).sub(1, gaps).sub(1, sample).sub(1, gaps), v1)
	want := string(a) + string(b)
	for i, raw := range []string{want, want, "", want} {
		if !d.NextRaw() || d.Index() != i || string(d.RawLabels()) != raw || len(d.Series().Labels) != 0 {
			t.Fatalf("series %d: index %d, raw %q, labels %v, %v", i, d.Index(), d.RawLabels(), d.Series().Labels, d.Err())
		}
		if err := d.DecodeLabels(); err != nil || len(d.Series().Labels) != len(raw)/len(a) {
			t.Fatalf("series %d: %v, %v", i, d.Series().Labels, err)
		}
	}
	if d.NextRaw() || d.Err() != nil {
		t.Errorf("no end: %v", d.Err())
	}

	d.Reset(msg{}.str(4, "").str(4, "a").sub(5, msg{}.uints(1, 1, 0).sub(2, sampleMsg(1, 1)).uint(1, 2).uint(1, 2)).
		str(4, "b"), v2)
	if !d.NextRaw() || fmt.Sprint(d.LabelRefs(), d.Symbols(), d.SeriesErr()) != "[1 0 2 2] [ a b] <nil>" {
		t.Errorf("references %v, symbols %q, %v", d.LabelRefs(), d.Symbols(), d.SeriesErr())
	}
}

func TestDecoderNextInto(t *testing.T) {
	var d promwire.Decoder
	d.Reset(msg{}.sub(1, msg{}.sub(1, labelMsg("a", "1"))).sub(1, msg{}.sub(2, sampleMsg(1, 7))), v1)
	all := make([]promwire.TimeSeries, 2)
	for i := range all {
		if !d.NextInto(&all[i]) {
			t.Fatal(d.Err())
		}
	}
	if all[0].Labels.Get("a") != "1" || all[1].Samples[0].Timestamp != 7 || d.Index() != 1 {
		t.Errorf("got %+v", all)
	}
}

// TestDecoderSymbolsBehind reads symbols that come late, and only once.
func TestDecoderSymbolsBehind(t *testing.T) {
	var d promwire.Decoder
	d.Reset(msg{}.str(4, "").sub(5, msg{}.uints(1, 1, 2)).str(4, "a").sub(5, msg{}.uints(1, 9, 9)).str(4, "b").
		sub(5, msg{}.uints(1, 2, 1)), v2)
	for i, want := range []string{"{a=\"b\"}", "{}", "{b=\"a\"}"} {
		if !d.Next() || d.Series().Labels.String() != want || (d.SeriesErr() != nil) != (i == 1) {
			t.Fatalf("series %d: %s, %v, %v", i, d.Series().Labels, d.SeriesErr(), d.Err())
		}
		if got := fmt.Sprintf("%q", d.Symbols()); got != `["" "a" "b"]` {
			t.Fatalf("series %d: symbols %s", i, got)
		}
	}
	if d.Next() || d.Err() != nil || len(d.Symbols()) != 3 {
		t.Errorf("at the end: %v, symbols %q", d.Err(), d.Symbols())
	}
}
