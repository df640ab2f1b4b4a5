package tsdbstore

import (
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/chunk"
)

func TestReadChunksHoldTheSamples(t *testing.T) {
	for _, st := range []bool{false, true} {
		s := openStore(t, t.TempDir(), Options{StartTimestamps: st})
		var written []promwire.TimeSeries
		many := promwire.TimeSeries{Labels: labelsOf("__name__", "many")}
		for i := range int64(300) {
			many.Samples = append(many.Samples, promwire.Sample{Timestamp: base - 300 + i, StartTimestamp: base - 400, Value: float64(i % 7)})
		}
		written = append(written, many,
			promwire.TimeSeries{Labels: labelsOf("__name__", "one"), Samples: []promwire.Sample{{Timestamp: base, Value: promwire.StaleNaN()}}},
			promwire.TimeSeries{Labels: labelsOf("__name__", "vf"), Histograms: []promwire.Histogram{floatHistogram(-2, 1), floatHistogram(-1, 2)}},
			promwire.TimeSeries{Labels: labelsOf("__name__", "vh"), Histograms: []promwire.Histogram{intHistogram(-2, 1), intHistogram(-1, 2)}},
		)
		written[3].Histograms[0].StartTimestamp = base - 400
		mustWrite(t, s, written...)
		// Late samples, in chunks of their own.
		late := promwire.TimeSeries{Labels: many.Labels, Samples: []promwire.Sample{{Timestamp: base - 1000, Value: 1}, {Timestamp: base - 999, Value: 2}}}
		mustWrite(t, s, late)
		written[0].Samples = append(late.Samples, many.Samples...)

		q := promwire.Query{Start: time.UnixMilli(base - hour), End: time.UnixMilli(base), Matchers: matchers(t, "__name__", ".+")}
		var dec chunk.Decoder
		i := 0
		for cs, err := range s.ReadChunks(t.Context(), q) {
			if err != nil {
				t.Fatal(err)
			}
			got := promwire.TimeSeries{Labels: cs.Labels}
			for _, c := range cs.Chunks {
				if c.Encoding < promwire.ChunkXOR || c.Encoding > promwire.ChunkFloatHistogram {
					t.Errorf("encoding %d", c.Encoding)
				}
				if err := dec.Append(&got, c, base-hour, base); err != nil {
					t.Fatal(err)
				}
			}
			want := written[i].Clone()
			dropStart(&want)
			if d := difference(&want, &got); d != "" {
				t.Errorf("start timestamps %t: %s", st, d)
			}
			i++
		}
		if i != len(written) {
			t.Errorf("%d series", i)
		}
	}
}

func dropStart(ts *promwire.TimeSeries) {
	for i := range ts.Samples {
		ts.Samples[i].StartTimestamp = 0
	}
	for i := range ts.Histograms {
		ts.Histograms[i].StartTimestamp = 0
	}
}
