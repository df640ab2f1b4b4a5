package promwire_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/workload"
)

// scrambler encodes requests in one of the many legal ways, by chance.
type scrambler struct {
	*rand.Rand
	refs map[string]uint64 // 2.0: symbols used so far
	all  []string
}

// mix puts the parts, each a field or a run of fields of one number, in an order that decodes alike: fields of
// different parts are interleaved, those of one part keep their order.
func (r *scrambler) mix(parts ...[]msg) (m msg) {
	for {
		var left []int
		for i := range parts {
			if len(parts[i]) > 0 {
				left = append(left, i)
			}
		}
		if len(left) == 0 {
			return m
		}
		i := left[0]
		if r.IntN(4) == 0 {
			i = left[r.IntN(len(left))]
		}
		m = append(m, parts[i][0]...)
		parts[i] = parts[i][1:]
		if r.IntN(20) == 0 {
			m = m.append(unknown(50 + r.IntN(3)))
		}
	}
}

// maybe is the field unless it is a default that may be left out.
func (r *scrambler) maybe(isDefault bool, field msg) []msg {
	if isDefault && r.IntN(4) > 0 {
		return nil
	}
	return []msg{field}
}

func (r *scrambler) labels(ls promwire.Labels, t promwire.MessageType) (out []msg) {
	var refs []uint64
	for _, l := range ls {
		if t == v1 {
			out = append(out, msg{}.sub(1, r.mix(r.maybe(l.Name == "", msg{}.str(1, l.Name)),
				r.maybe(l.Value == "", msg{}.str(2, l.Value)))))
		}
		refs = append(refs, r.ref(l.Name), r.ref(l.Value))
	}
	if t == v1 {
		return out
	}
	for len(refs) > 0 {
		n := len(refs)
		if r.IntN(5) == 0 {
			n = 1 + r.IntN(len(refs))
		}
		if n == 1 {
			out = append(out, msg{}.uint(1, refs[0]))
		} else {
			out = append(out, msg{}.uints(1, refs[:n]...))
		}
		refs = refs[n:]
	}
	return out
}

func (r *scrambler) ref(s string) uint64 {
	if _, ok := r.refs[s]; !ok {
		r.refs[s] = uint64(len(r.all))
		r.all = append(r.all, s)
	}
	return r.refs[s]
}

func (r *scrambler) sample(s promwire.Sample, t promwire.MessageType) msg {
	var start []msg
	if t == v2 {
		start = r.maybe(s.StartTimestamp == 0, msg{}.int(3, s.StartTimestamp))
	}
	return r.mix(r.maybe(math.Float64bits(s.Value) == 0, msg{}.double(1, s.Value)),
		r.maybe(s.Timestamp == 0, msg{}.int(2, s.Timestamp)), start)
}

func (r *scrambler) request(req *promwire.WriteRequest, t promwire.MessageType) msg {
	number := map[promwire.MessageType][3]int{v1: {1, 4, 3}, v2: {5, 3, 4}}[t] // series, histograms, exemplars
	var series, symbols, metadata []msg
	for _, ts := range req.Timeseries {
		var samples, histograms, exemplars, meta []msg
		for _, s := range ts.Samples {
			samples = append(samples, msg{}.sub(2, r.sample(s, t)))
		}
		for range ts.Histograms {
			histograms = append(histograms, msg{}.sub(number[1], histogramFull()))
		}
		for _, e := range ts.Exemplars {
			exemplars = append(exemplars, msg{}.sub(number[2], r.mix(r.labels(e.Labels, t),
				r.maybe(math.Float64bits(e.Value) == 0, msg{}.double(2, e.Value)),
				r.maybe(e.Timestamp == 0, msg{}.int(3, e.Timestamp)))))
		}
		if m := ts.Metadata; m != (promwire.Metadata{}) {
			meta = []msg{msg{}.sub(5, r.mix([]msg{msg{}.uint(1, uint64(m.Type))}, []msg{msg{}.uint(3, r.ref(m.Help))},
				[]msg{msg{}.uint(4, r.ref(m.Unit))}))}
		}
		series = append(series, msg{}.sub(number[0], r.mix(r.labels(ts.Labels, t), samples, histograms, exemplars, meta)))
	}
	for _, m := range req.Metadata {
		metadata = append(metadata, msg{}.sub(3, r.mix([]msg{msg{}.uint(1, uint64(m.Type))}, []msg{msg{}.str(2, m.Family)},
			[]msg{msg{}.str(4, m.Help)}, []msg{msg{}.str(5, m.Unit)})))
	}
	if t == v2 {
		for _, s := range r.all {
			symbols = append(symbols, msg{}.str(4, s))
		}
	}
	return r.mix(symbols, series, metadata)
}

func (r *scrambler) text() string {
	n := r.IntN(20)
	if r.IntN(20) == 0 {
		n = 100 + r.IntN(100)
	}
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return string(b)
}

func (r *scrambler) number() int64 {
	if r.IntN(4) == 0 {
		return edges()[r.IntN(len(edges()))]
	}
	return workload.Now + int64(r.IntN(1000))
}

func (r *scrambler) labelSet() (ls promwire.Labels) {
	for range r.IntN(6) {
		if l := (promwire.Label{Name: r.text(), Value: r.text()}); r.IntN(2) == 0 || len(r.all) < 200 {
			ls = append(ls, l)
		} else {
			ls = append(ls, promwire.Label{Name: r.all[r.IntN(len(r.all))], Value: l.Value})
		}
	}
	return ls
}

func (r *scrambler) random(t promwire.MessageType) *promwire.WriteRequest {
	req := &promwire.WriteRequest{}
	for range r.IntN(60) {
		ts := promwire.TimeSeries{Labels: r.labelSet()}
		for range r.IntN(4) {
			ts.Samples = append(ts.Samples, promwire.Sample{Timestamp: r.number(), Value: math.Float64frombits(r.Uint64())})
			if t == v2 && r.IntN(2) == 0 {
				ts.Samples[len(ts.Samples)-1].StartTimestamp = r.number()
			}
		}
		for range r.IntN(3) / 2 {
			ts.Histograms = append(ts.Histograms, histogramWant())
			ts.Exemplars = append(ts.Exemplars, promwire.Exemplar{Labels: r.labelSet(), Timestamp: r.number()})
		}
		if t == v2 && r.IntN(2) == 0 {
			ts.Metadata = promwire.Metadata{Type: promwire.MetricType(r.IntN(300)), Help: r.text(), Unit: r.text()}
		}
		req.Timeseries = append(req.Timeseries, ts)
	}
	if t == v1 {
		for range r.IntN(3) {
			req.Metadata = append(req.Metadata, promwire.MetricMetadata{
				Family: r.text(), Metadata: promwire.Metadata{Type: 3, Help: r.text(), Unit: r.text()},
			})
		}
	}
	return req
}

// TestDecodeRandom encodes random requests in random legal ways and decodes them, all into the same memory.
func TestDecodeRandom(t *testing.T) {
	var d promwire.Decoder
	var reused promwire.WriteRequest
	for seed := range uint64(300) {
		for _, mt := range []promwire.MessageType{v1, v2} {
			r := &scrambler{rand.New(rand.NewPCG(seed, 1)), map[string]uint64{"": 0}, []string{""}}
			want := r.random(mt)
			src := r.request(want, mt)
			for _, next := range []func(*promwire.Decoder) bool{(*promwire.Decoder).Next, nextRawDecoded} {
				got, err := walk(&d, src, mt, next)
				if err != nil || !sameRequest(got, want) {
					t.Fatalf("seed %d, %s: walk: %v\n got %+v\nwant %+v", seed, mt, err, got, want)
				}
			}
			if err := reused.UnmarshalProtoAlias(src, mt); err != nil || !sameRequest(&reused, want) {
				t.Fatalf("seed %d, %s: %v\n got %+v\nwant %+v", seed, mt, err, reused, want)
			}
		}
	}
}
