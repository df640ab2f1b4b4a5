package realserver

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/tsdb/chunkenc"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/remote"
)

// smallFrames makes a server end a frame after about two chunks, so that most series come in several frames.
const smallFrames = "--storage.remote.read-max-bytes-in-frame=600"

func readClient(t *testing.T, url string, opts ...remote.ReadOption) *remote.ReadClient {
	t.Helper()
	c, err := remote.NewReadClient(url, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

// answers are the kinds of answers to a read, and how to ask for them.
var answers = map[string]promwire.ResponseType{
	"samples": promwire.ResponseSamples, "stream": promwire.ResponseStreamedXORChunks,
}

// selectors use all operators, with patterns and values that match series without the label.
var selectors = []string{
	`compat_float`,
	`{__name__="compat_float",zone="a"}`, `{__name__="compat_float",zone=""}`,
	`{__name__="compat_float",zone!="a"}`, `{__name__="compat_float",zone!=""}`,
	`{__name__="compat_float",zone=~"a|b"}`, `{__name__="compat_float",zone=~"a|"}`, `{__name__="compat_float",zone=~""}`,
	`{__name__="compat_float",zone=~".*"}`, `{__name__="compat_float",zone=~".+"}`, `{__name__="compat_float",instance=~"host"}`,
	`{__name__="compat_float",zone!~"a"}`, `{__name__="compat_float",zone!~""}`, `{__name__="compat_float",zone!~"a|"}`,
	`{__name__="compat_float",zone!~".+"}`, `{__name__="compat_float",instance=~"host-1.*:9100",zone!="b"}`,
	`{__name__="compat_float",nothing=""}`, `{__name__="compat_float",nothing!=""}`, `{__name__="compat_float",zone!~".*"}`,
	`{__name__!=""}`, `{__name__=~".+"}`, `{__name__=~"compat_(native|steps)"}`, `{__name__!~"compat_.*",__name__!=""}`,
	`{zone="a"}`, `{__name__="compat_steps",value=~"odd|Z(?s:.*)"}`, `{value="Zürich 🏔 \"q\" \\ \n"}`, `compat_native{form=~"custom.*"}`, `absent`,
}

// historyKind says what p can store and send again. 2.42 can't send a part of a chunk of gauge histograms.
func historyKind(p program) kind {
	return kind{utf8Names: p.major >= 3, customBuckets: p.speaksV2(), gaugeChunks: p.major >= 3}
}

// TestRead reads what was written: as samples and as a stream, with frames of both sizes, by all selectors and ranges.
func TestRead(t *testing.T) {
	each(t, func(t *testing.T, p program) {
		for _, frames := range []string{smallFrames, ""} {
			t.Run("frames "+frames, func(t *testing.T) {
				s := start(t, p, noConfig, append(p.features(), strings.Fields(frames)...)...)
				end := time.Now().UnixMilli()
				all := history(end, historyKind(p))
				writeAll(t, writeClient(t, s.writeURL()), all)
				for name, answer := range answers {
					want := all
					if answer == promwire.ResponseSamples {
						want = inSamples(p, all)
					}
					checkReads(t, name, readClient(t, s.readURL(), remote.WithResponseTypes(answer)), want, end)
				}
			})
		}
	})
}

// withoutMinusZero is what Prometheus sends of floats: it leaves the values 0 and -0 out of its messages alike.
func withoutMinusZero(all []promwire.TimeSeries) []promwire.TimeSeries {
	var out []promwire.TimeSeries
	for _, ts := range all {
		ts = ts.Clone()
		for i, s := range ts.Samples {
			if s.Value == 0 {
				ts.Samples[i].Value = 0
			}
		}
		out = append(out, ts)
	}
	return out
}

// inSamples returns what of all a server sends in samples answers. 2.42 ends a series with its first native histogram, and
// leaves out those that begin with one.
func inSamples(p program, all []promwire.TimeSeries) []promwire.TimeSeries {
	all = withoutMinusZero(all)
	if p.major >= 3 {
		return all
	}
	var out []promwire.TimeSeries
	for _, ts := range all {
		if len(ts.Histograms) > 0 {
			first := ts.Histograms[0].Timestamp
			ts.Histograms = nil
			ts.Samples = slices.DeleteFunc(ts.Samples, func(s promwire.Sample) bool { return s.Timestamp > first })
		}
		if len(ts.Samples) > 0 {
			out = append(out, ts)
		}
	}
	return out
}

// checkReads compares reads by all selectors and ranges.
func checkReads(t *testing.T, name string, c *remote.ReadClient, all []promwire.TimeSeries, end int64) {
	t.Helper()
	one := all[len(all)/2].Samples[100].Timestamp // of a series of floats
	const ever = 24 * 60 * 60 * 1000
	ranges := [][2]int64{
		{end - ever, end + ever},
		{end - 1_000_003, end - 77_777}, // begins and ends within chunks
		{end - 500_000, end - 490_000},  // a few samples
		{one, one},                      // one sample
		{one + 1, one + 1},              // none
		{end + 1, end + ever},           // after the last
		{end, end - ever},               // nothing at all
	}
	for _, selector := range selectors {
		for _, r := range ranges {
			if t.Failed() {
				return // one failure says enough
			}
			q := between(t, r[0], r[1], selector)
			what := fmt.Sprintf("%s of %s from end%+d to end%+d", name, selector, r[0]-end, r[1]-end)
			want := selected(t, all, q)
			checkEqual(t, what, collect(t, c, q), want)
			checkEqual(t, what+" by chunks", gather(t, promwire.JoinSeries(decoded(t, c, q))), want)
		}
	}
}

// decoded reads chunks and decodes them with the Prometheus library.
func decoded(t *testing.T, r promwire.ChunkReader, q promwire.Query) func(func(promwire.TimeSeries, error) bool) {
	lo, hi := q.Range()
	return func(yield func(promwire.TimeSeries, error) bool) {
		for cs, err := range r.ReadChunks(t.Context(), q) {
			ts := promwire.TimeSeries{Labels: cs.Labels}
			for _, c := range cs.Chunks {
				decodeChunk(t, &ts, c)
			}
			ts.Samples = slices.DeleteFunc(ts.Samples, func(s promwire.Sample) bool { return s.Timestamp < lo || s.Timestamp > hi })
			ts.Histograms = slices.DeleteFunc(ts.Histograms, func(h promwire.Histogram) bool { return h.Timestamp < lo || h.Timestamp > hi })
			if (err != nil || len(ts.Samples)+len(ts.Histograms) > 0) && !yield(ts, err) {
				return
			}
		}
	}
}

func decodeChunk(t *testing.T, ts *promwire.TimeSeries, c promwire.Chunk) {
	t.Helper()
	decoder, err := chunkenc.FromData(chunkenc.Encoding(c.Encoding), c.Data)
	if err != nil {
		t.Fatal(err)
	}
	it := decoder.Iterator(nil)
	for vt := it.Next(); vt != chunkenc.ValNone; vt = it.Next() {
		if at := it.AtT(); at < c.MinTime || at > c.MaxTime {
			t.Errorf("%s: sample at %d in a chunk from %d to %d", ts.Labels, at, c.MinTime, c.MaxTime)
		}
		switch vt {
		case chunkenc.ValFloat:
			at, v := it.At()
			ts.Samples = append(ts.Samples, promwire.Sample{Timestamp: at, StartTimestamp: it.AtST(), Value: v})
		case chunkenc.ValHistogram:
			at, h := it.AtHistogram(nil)
			ts.Histograms = append(ts.Histograms, promwire.Histogram{
				Timestamp: at, StartTimestamp: it.AtST(), Schema: h.Schema, ResetHint: promwire.ResetHint(h.CounterResetHint), Sum: h.Sum,
				ZeroThreshold: h.ZeroThreshold, Count: h.Count, ZeroCount: h.ZeroCount, PositiveDeltas: h.PositiveBuckets,
				NegativeDeltas: h.NegativeBuckets, PositiveSpans: spans(h.PositiveSpans), NegativeSpans: spans(h.NegativeSpans),
				CustomValues: h.CustomValues,
			})
		case chunkenc.ValFloatHistogram:
			at, h := it.AtFloatHistogram(nil)
			ts.Histograms = append(ts.Histograms, promwire.Histogram{
				Timestamp: at, StartTimestamp: it.AtST(), Schema: h.Schema, ResetHint: promwire.ResetHint(h.CounterResetHint), IsFloat: true,
				Sum: h.Sum, ZeroThreshold: h.ZeroThreshold, CountFloat: h.Count, ZeroCountFloat: h.ZeroCount,
				PositiveCounts: h.PositiveBuckets, NegativeCounts: h.NegativeBuckets, PositiveSpans: spans(h.PositiveSpans),
				NegativeSpans: spans(h.NegativeSpans), CustomValues: h.CustomValues,
			})
		}
	}
	if it.Err() != nil {
		t.Errorf("%s: %v", ts.Labels, it.Err())
	}
}

// TestReadBigSeries reads a series that takes several frames of the usual size, whole and cut.
func TestReadBigSeries(t *testing.T) {
	each(t, func(t *testing.T, p program) {
		s := start(t, p, noConfig)
		const size, apart = 200_000, 5
		end, random := time.Now().UnixMilli(), rand.New(rand.NewPCG(3, 4))
		big := promwire.TimeSeries{Labels: promwire.LabelsFromStrings("__name__", "compat_big")}
		for i := range int64(size) {
			big.Samples = append(big.Samples, promwire.Sample{Timestamp: end - (size-i)*apart, Value: random.NormFloat64()})
		}
		w := writeClient(t, s.writeURL())
		for some := range slices.Chunk(big.Samples, 20_000) {
			mustWrite(t, w, &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{{Labels: big.Labels, Samples: some}}})
		}
		mustWrite(t, w, &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{
			{Labels: promwire.LabelsFromStrings("__name__", "compat_small"), Samples: big.Samples[:1]},
		}})
		for name, answer := range answers {
			c := readClient(t, s.readURL(), remote.WithResponseTypes(answer))
			for _, cut := range []int{0, 33_333} {
				q := between(t, big.Samples[cut].Timestamp, big.Samples[size-1-cut].Timestamp, "compat_big")
				want := promwire.TimeSeries{Labels: big.Labels, Samples: big.Samples[cut : size-cut]}
				checkEqual(t, name, collect(t, c, q), []promwire.TimeSeries{want})
			}
			// A reader that has seen enough leaves; the client goes on with the next query.
			parts := 0
			for _, err := range c.Read(t.Context(), between(t, 0, end, `{__name__=~"compat_.*"}`)) {
				if parts++; err != nil || parts == 3 {
					break
				}
			}
			if got := collect(t, c, between(t, 0, end, "compat_small")); parts != 3 || len(got) != 1 || len(got[0].Samples) != 1 {
				t.Errorf("%s: after %d parts: got %+v", name, parts, got)
			}
		}
	})
}

// TestReadMixed reads a series that changes between floats and native histograms.
func TestReadMixed(t *testing.T) {
	each(t, func(t *testing.T, p program) {
		s := start(t, p, noConfig, p.features()...)
		end := time.Now().UnixMilli()
		w := writeClient(t, s.writeURL())
		want := promwire.TimeSeries{}
		for _, ts := range mixed(end) {
			mustWrite(t, w, &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{ts}})
			want.Labels = ts.Labels
			want.Samples, want.Histograms = append(want.Samples, ts.Samples...), append(want.Histograms, ts.Histograms...)
		}
		for name, answer := range answers {
			c := readClient(t, s.readURL(), remote.WithResponseTypes(answer))
			want := []promwire.TimeSeries{want}
			if answer == promwire.ResponseSamples {
				want = inSamples(p, want)
			}
			checkEqual(t, name, collect(t, c, between(t, 0, end, "compat_mixed")), want)
		}
	})
}

// TestReadNewEncodings: a server that keeps start timestamps sends chunks in the encodings that have room for them. It
// keeps those that it scrapes only (TestSendStartTimestamps), not those of remote write.
func TestReadNewEncodings(t *testing.T) {
	each(t, func(t *testing.T, p program) {
		if !p.speaksV2() {
			return
		}
		s := start(t, p, noConfig, append(p.features("st-storage"), smallFrames)...)
		end := time.Now().UnixMilli()
		all := history(end, historyKind(p))
		writeAll(t, writeClient(t, s.writeURL()), all)
		c := readClient(t, s.readURL())
		seen := map[promwire.ChunkEncoding]int{}
		for cs, err := range c.ReadChunks(t.Context(), between(t, 0, end, `{__name__!=""}`)) {
			if err != nil {
				t.Fatal(err)
			}
			for _, chunk := range cs.Chunks {
				seen[chunk.Encoding]++
			}
		}
		if len(seen) != 3 || seen[promwire.ChunkXOR2] == 0 || seen[promwire.ChunkHistogramST] == 0 || seen[promwire.ChunkFloatHistogramST] == 0 {
			t.Errorf("got chunks of encodings %v", seen)
		}
		checkReads(t, "stream", c, all, end)
	})
}

// TestReadExternalLabels: the server adds them to every series, after it has sorted, and takes them as matchers.
func TestReadExternalLabels(t *testing.T) {
	each(t, func(t *testing.T, p program) {
		s := start(t, p, "global: {external_labels: {replica: r1}}\n")
		now := time.Now().UnixMilli()
		var all, want []promwire.TimeSeries
		for _, labels := range [][]string{{}, {"a", "1"}, {"z", "1"}} {
			ls := append([]string{"__name__", "compat_external"}, labels...)
			all = append(all, promwire.TimeSeries{Labels: promwire.LabelsFromStrings(ls...), Samples: floats(now, 1)})
			want = append(want, promwire.TimeSeries{Labels: promwire.LabelsFromStrings(append(ls, "replica", "r1")...), Samples: floats(now, 1)})
		}
		mustWrite(t, writeClient(t, s.writeURL()), &promwire.WriteRequest{Timeseries: all})
		slices.SortFunc(want, func(a, b promwire.TimeSeries) int { return a.Labels.Compare(b.Labels) })
		for name, answer := range answers {
			c := readClient(t, s.readURL(), remote.WithResponseTypes(answer))
			got := collect(t, c, between(t, 0, now, `compat_external{replica="r1"}`))
			if answer == promwire.ResponseStreamedXORChunks {
				// The stream comes in the server's order, as the client's documentation says.
				slices.SortFunc(got, func(a, b promwire.TimeSeries) int { return a.Labels.Compare(b.Labels) })
			}
			checkEqual(t, name, got, want)
			checkEqual(t, name, collect(t, c, between(t, 0, now, `compat_external{replica="r2"}`)), nil)
		}
	})
}

// TestReadRefused: what the server refuses is an error with its status and reason.
func TestReadRefused(t *testing.T) {
	each(t, func(t *testing.T, p program) {
		s := start(t, p, noConfig, "--storage.remote.read-sample-limit=2")
		now := time.Now().UnixMilli()
		series := []promwire.TimeSeries{{Labels: promwire.LabelsFromStrings("__name__", "compat_limit"), Samples: floats(now-4*step, 1, 2, 3)}}
		mustWrite(t, writeClient(t, s.writeURL()), &promwire.WriteRequest{Timeseries: series})
		q := between(t, 0, now, "compat_limit")
		samples := readClient(t, s.readURL(), remote.WithResponseTypes(promwire.ResponseSamples))
		expectStatus(t, samples, q, http.StatusBadRequest, "exceeded sample limit (2)")
		checkEqual(t, "stream", collect(t, readClient(t, s.readURL()), q), series)
		expectStatus(t, readClient(t, s.url+"/nowhere"), q, http.StatusNotFound, "")
		bad := q
		bad.Matchers = append(slices.Clone(q.Matchers), promwire.Matcher{Type: promwire.MatchRegexp, Name: "a", Value: "("})
		expectStatus(t, samples, bad, http.StatusInternalServerError, "missing closing )")
	})
}

// TestReadBreaksOff: a stream in which the server fails is an error after the series that were sound, and its text is in
// it. 2.42 fails at a part of a chunk of gauge histograms.
func TestReadBreaksOff(t *testing.T) {
	each(t, func(t *testing.T, p program) {
		if p.major >= 3 {
			return
		}
		s := start(t, p, noConfig, p.features()...)
		end := time.Now().UnixMilli()
		all := history(end, kind{gaugeChunks: true})
		writeAll(t, writeClient(t, s.writeURL()), all)
		q := between(t, end-300_000, end-77_777, `{__name__!=""}`)
		want := selected(t, all, q)
		want = want[:slices.IndexFunc(want, func(ts promwire.TimeSeries) bool { return ts.Labels.Get("form") == "gauge" })]
		var got []promwire.TimeSeries
		var failure error
		for ts, err := range readClient(t, s.readURL()).Read(t.Context(), q) {
			if failure = err; err == nil {
				got = append(got, ts.Clone())
			}
		}
		// The last one might have gone on, for all the client knows.
		checkEqual(t, "until it breaks off", got, want[:len(want)-1])
		if failure == nil || !strings.Contains(failure.Error(), "detected unexpected counter reset in histogram") {
			t.Errorf("got error %v", failure)
		}
	})
}

func expectStatus(t *testing.T, r promwire.Reader, q promwire.Query, status int, text string) {
	t.Helper()
	n := 0
	for ts, err := range r.Read(t.Context(), q) {
		var answer *promwire.HTTPError
		if !errors.As(err, &answer) || answer.StatusCode != status || !strings.Contains(answer.Body, text) {
			t.Errorf("got %v, %v, want status %d with %q", ts, err, status, text)
		}
		n++
	}
	if n != 1 {
		t.Errorf("got %d answers, want one error", n)
	}
}
