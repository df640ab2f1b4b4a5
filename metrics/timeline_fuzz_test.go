package metrics_test

import (
	"slices"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/metrics"
)

// attempts holds every sample that a push ever tried to send, stored by the receiver or not.
type attempts struct {
	values map[string]map[int64]float64
	start  map[string]int64
}

// record fails the test if a sample contradicts an earlier attempt: another value at its time, or another start.
func (a *attempts) record(t *testing.T, req *promwire.WriteRequest) {
	for _, ts := range req.Timeseries {
		name := ts.Labels.String()
		for i := range ts.Histograms {
			h := &ts.Histograms[i]
			if err := h.Validate(); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			ts.Samples = append(ts.Samples, promwire.Sample{Timestamp: h.Timestamp, StartTimestamp: h.StartTimestamp, Value: float64(h.Count)})
		}
		if a.values[name] == nil {
			a.values[name] = map[int64]float64{}
			a.start[name] = ts.Samples[0].StartTimestamp
		}
		for _, s := range ts.Samples {
			if v, again := a.values[name][s.Timestamp]; again && v != s.Value {
				t.Fatalf("%s at %d: %v, and %v before", name, s.Timestamp, s.Value, v)
			}
			if s.StartTimestamp != a.start[name] || s.StartTimestamp >= s.Timestamp || s.StartTimestamp == 0 {
				t.Fatalf("%s at %d: start %d, first %d", name, s.Timestamp, s.StartTimestamp, a.start[name])
			}
			a.values[name][s.Timestamp] = s.Value
		}
	}
}

// checkMonotonic fails the test if the attempts together, and so any part of them that was stored, go down in time.
func (a *attempts) checkMonotonic(t *testing.T) {
	for name, values := range a.values {
		var times []int64
		for at := range values {
			times = append(times, at)
		}
		slices.Sort(times)
		for i := 1; i < len(times); i++ {
			if values[times[i]] < values[times[i-1]] {
				t.Fatalf("%s falls from %v at %d to %v at %d", name, values[times[i-1]], times[i-1], values[times[i]], times[i])
			}
		}
	}
}

// Any sequence of recordings, pushes, failures and clock changes gives series without contradiction, and loses nothing.
func FuzzTimeline(f *testing.F) {
	f.Add([]byte{0, 5, 1, 3, 2, 0, 3, 0, 1, 9, 4, 200, 2, 0})
	f.Add([]byte{0, 5, 1, 3, 5, 0, 0, 7, 4, 110, 6, 0, 1, 200, 2, 0})
	f.Add([]byte{1, 130, 1, 126, 3, 0, 0, 1, 4, 100, 3, 0, 1, 129, 4, 128, 2, 0, 2, 0})
	f.Fuzz(func(t *testing.T, ops []byte) {
		reg, p, s, c := setup()
		hits := metrics.Must(reg.Counter("hits"))
		took := metrics.Must(reg.Histogram("took", metrics.WithBounds(100), metrics.WithNativeSchema(8), metrics.WithMaxNativeBuckets(5)))
		a := attempts{map[string]map[int64]float64{}, map[string]int64{}}
		total, observed := 0.0, 0.0
		for i := 0; i+1 < len(ops) && i < 200; i += 2 {
			arg := ops[i+1]
			at := c.now.Add(time.Duration(int(arg)-128) * 300 * time.Microsecond)
			switch op := ops[i] % 7; op {
			case 0:
				hits.Add(float64(arg))
				took.Observe(float64(arg))
				total, observed = total+float64(arg), observed+1
			case 1:
				if hits.AddAt(float64(arg), at) == nil {
					total += float64(arg)
				}
				if took.ObserveAt(float64(arg), at) == nil {
					observed++
				}
			case 2, 3, 5, 6:
				s.err = map[byte]error{3: errDown, 5: &promwire.HTTPError{StatusCode: 400}, 6: &promwire.PartialWriteError{}}[op]
				if err := p.Push(t.Context()); err != nil && err != s.err {
					t.Fatal(err)
				}
			case 4:
				c.advance(time.Duration(int(arg)-100) * time.Millisecond)
			}
		}
		s.err = nil
		hits.Add(0)
		took.Observe(0)
		observed++
		push(t, p)
		for _, req := range s.requests {
			a.record(t, req)
		}
		a.checkMonotonic(t)
		for name, want := range map[string]float64{"hits_total": total, "took_count": observed} {
			if got := s.points(t, name); got[len(got)-1].v != want {
				t.Fatalf("%s: got %v in the end, want %v", name, got[len(got)-1].v, want)
			}
		}
		if got := s.histograms(t, "took"); float64(got[len(got)-1].Count) != observed {
			t.Fatalf("native: got %v in the end, want %v", got[len(got)-1].Count, observed)
		}
	})
}
