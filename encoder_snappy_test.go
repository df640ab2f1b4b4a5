package promwire_test

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/workload"
	"github.com/promwire/promwire/internal/xcompress"
)

// checkBlocks makes two blocks of the request and wants them to hold its message.
func checkBlocks(t testing.TB, e *promwire.Encoder, what string) (size int) {
	t.Helper()
	message := e.AppendTo(nil)
	for range 2 {
		block := e.AppendSnappy([]byte("before"))
		got, err := xcompress.AppendDecoded(nil, bytes.TrimPrefix(block, []byte("before")), len(message))
		if err != nil || !bytes.Equal(got, message) {
			t.Fatalf("%s: %v; got %d bytes, want %d", what, err, len(got), len(message))
		}
		size = len(block) - len("before")
	}
	return size
}

// TestAppendSnappySize bounds the blocks by those of a compressor.
func TestAppendSnappySize(t *testing.T) {
	for _, set := range workload.Sets() {
		for _, kind := range []promwire.MessageType{v1, v2} {
			req, e := set.Make(), promwire.NewEncoder(kind)
			handles := prepareAll(t, e, req)
			want := 0
			for round := range 3 {
				e.Reset()
				for i, h := range handles {
					appendSeries(e, h, &req.Timeseries[i])
				}
				got := checkBlocks(t, e, fmt.Sprintf("%s, %s, round %d", set.Name, kind, round))
				if want = len(xcompress.AppendSnappy(nil, e.AppendTo(nil))); 10*got > 13*want && set.Name != "W2s-shuffled" || 10*got > 15*want {
					t.Errorf("%s, %s, round %d: %d bytes; a compressor makes %d", set.Name, kind, round, got, want)
				}
			}
		}
	}
}

// snappySeries makes labels of which some are equal, some alike, and some are long.
func snappySeries(n int) promwire.Labels {
	r := rand.New(rand.NewPCG(uint64(n), 1))
	m := map[string]string{promwire.MetricName: fmt.Sprintf("metric_%d_total", n%7), "instance": fmt.Sprintf("host-%d:9100", n/10)}
	for range r.IntN(8) {
		m[fmt.Sprintf("label_%d", r.IntN(12))] = strings.Repeat("v", r.IntN(90)) + fmt.Sprint(r.IntN(30))
	}
	switch n % 61 {
	case 13:
		m["long"] = strings.Repeat("long", 20_000)
	case 14, 15:
		m["medium"] = fmt.Sprint(n, strings.Repeat("medium", 5_000))
	case 16:
		m = nil
	case 17:
		return promwire.Labels{{Name: "", Value: "x"}, {Name: "y", Value: ""}, {}}
	}
	return promwire.LabelsFromMap(m)
}

// snappyPoints makes points, mostly one sample.
func snappyPoints(r *rand.Rand, now int64) promwire.TimeSeries {
	sample := promwire.Sample{Timestamp: now, Value: float64(r.IntN(3) * r.IntN(1000))}
	switch r.IntN(60) {
	case 0:
		return promwire.TimeSeries{Samples: slices.Repeat([]promwire.Sample{sample}, r.IntN(100))}
	case 1:
		return counterWithExemplar()
	case 2:
		sample.Timestamp, sample.Value = r.Int64()-r.Int64(), math.Float64frombits(r.Uint64())
	}
	return promwire.TimeSeries{Samples: []promwire.Sample{sample}}
}

// TestAppendSnappyRounds sends series in orders that stay the same for a while, with some left out, some twice, and new
// ones in between.
func TestAppendSnappyRounds(t *testing.T) {
	for seed := range uint64(8) {
		r := rand.New(rand.NewPCG(seed, 2))
		e := promwire.NewEncoder(v1)
		var handles []promwire.Handle
		for round := range 40 {
			if round%5 == 0 {
				for range 30 {
					n := len(handles)
					h, err := e.Prepare(snappySeries(n), promwire.Metadata{Help: fmt.Sprint("help ", n%3)})
					if err != nil {
						t.Fatal(err)
					}
					handles = slices.Insert(handles, r.IntN(n+1), h)
				}
			}
			if round%15 == 14 {
				r.Shuffle(len(handles), func(i, j int) { handles[i], handles[j] = handles[j], handles[i] })
			}
			e.Reset()
			for i, h := range handles {
				for times := []int{1, 1, 1, 0, 2}[max(0, r.IntN(200)-195)]; times > 0; times-- {
					ts := snappyPoints(r, workload.Now+int64(round))
					appendSeries(e, h, &ts)
				}
				if round%10 == 9 && i == 20 {
					break
				}
			}
			checkBlocks(t, e, fmt.Sprintf("seed %d, round %d", seed, round))
		}
	}
}

func TestAppendSnappySmall(t *testing.T) {
	for _, kind := range []promwire.MessageType{v1, v2} {
		e := promwire.NewEncoder(kind)
		if size := checkBlocks(t, e, "empty request"); kind == v1 && size != 1 {
			t.Errorf("empty request: %d bytes", size)
		}
		h := prepareAll(t, e, workload.Small())[0]
		e.AppendSample(h, promwire.Sample{Timestamp: workload.Now, Value: 1})
		checkBlocks(t, e, "one sample")
		for range 200 {
			e.AppendSample(h, promwire.Sample{Timestamp: workload.Now, Value: 1})
		}
		checkBlocks(t, e, "one series many times")
	}
}

// TestAppendSnappyBare begins with series that have no labels and no points.
func TestAppendSnappyBare(t *testing.T) {
	req := workload.Batch()
	req.Timeseries = req.Timeseries[:20]
	for i := range 3 {
		req.Timeseries[i] = promwire.TimeSeries{}
	}
	e := promwire.NewEncoder(v1)
	handles := prepareAll(t, e, req)
	for range 3 {
		e.Reset()
		for i, h := range handles {
			appendSeries(e, h, &req.Timeseries[i])
		}
		checkBlocks(t, e, "bare series")
	}
}

// FuzzEncoderSnappy interprets its input as steps: prepare, append, or make blocks and begin anew.
func FuzzEncoderSnappy(f *testing.F) {
	round := bytes.Repeat([]byte{0x20, 0x31, 0x42}, 15)
	f.Add(append(slices.Concat([]byte{0, 1, 2, 3, 4, 5, 6, 7}, round, []byte{0xff}, round, []byte{0xff}, round[:20], []byte{1}, round), 0xff, 0xff))
	f.Fuzz(func(t *testing.T, steps []byte) {
		e := promwire.NewEncoder(v1)
		var handles []promwire.Handle
		appended := 0
		for i, step := range steps[:min(len(steps), 1000)] {
			switch {
			case step == 0xff:
				checkBlocks(t, e, fmt.Sprint("step ", i))
				e.Reset()
				appended = 0
			case step < 0x10:
				h, err := e.Prepare(snappySeries(int(step)+i%3), promwire.Metadata{})
				if err != nil {
					t.Fatal(err)
				}
				handles = append(handles, h)
			case len(handles) > 0:
				ts := promwire.TimeSeries{Samples: []promwire.Sample{{Timestamp: workload.Now, Value: float64(step&0x0f) * float64(i%2)}}}
				if step >= 0xf0 {
					ts = snappyPoints(rand.New(rand.NewPCG(uint64(i), 0)), int64(step))
				}
				appendSeries(e, handles[(int(step>>4)+appended)%len(handles)], &ts)
				appended++
			}
		}
		checkBlocks(t, e, "end")
	})
}
