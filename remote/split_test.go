package remote

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/promwire/promwire"
)

// limited takes requests of at most max samples, and none with the value -1.
type limited struct {
	max int
	got map[string][]int64
}

func (l *limited) Write(_ context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	stats := req.Stats()
	if stats.Samples > l.max {
		return promwire.WriteStats{}, &promwire.HTTPError{StatusCode: http.StatusRequestEntityTooLarge}
	}
	for _, ts := range req.Timeseries {
		for _, s := range ts.Samples {
			if s.Value == -1 {
				return promwire.WriteStats{}, promwire.ErrTooLarge
			}
		}
	}
	for _, ts := range req.Timeseries {
		for _, s := range ts.Samples {
			name := ts.Labels.Get(promwire.MetricName)
			l.got[name] = append(l.got[name], s.Timestamp)
		}
	}
	return stats, nil
}

// Among 10,000 series one is too large even alone: the others arrive in order, and it is named.
func TestSplitNamesWhatIsTooLargeAlone(t *testing.T) {
	const series, bad = 10_000, 6_789
	req := &promwire.WriteRequest{}
	for i := range series {
		ts := promwire.TimeSeries{Labels: promwire.Labels{{Name: promwire.MetricName, Value: fmt.Sprintf("m%d", i)}}}
		ts.Samples = []promwire.Sample{{Timestamp: 1}, {Timestamp: 2}, {Timestamp: 3}}
		req.Timeseries = append(req.Timeseries, ts)
	}
	req.Timeseries[bad].Samples[1].Value = -1
	w := &limited{max: 1000, got: map[string][]int64{}}
	stats, err := NewSplit(w).Write(context.Background(), req)
	var partial *promwire.PartialWriteError
	if !errors.As(err, &partial) || len(partial.Refused) != 1 {
		t.Fatalf("got error %v", err)
	}
	r := partial.Refused[0]
	if r.Series != bad || r.Timestamp != 2 || r.Labels.Get(promwire.MetricName) != "m6789" || !errors.Is(r, promwire.ErrTooLarge) {
		t.Errorf("got refusal %v", r)
	}
	if stats.Samples != 3*series-1 || partial.Written != stats {
		t.Errorf("got %+v written", stats)
	}
	for i := range series {
		want := "[1 2 3]"
		if i == bad {
			want = "[1 3]"
		}
		if got := fmt.Sprint(w.got[fmt.Sprintf("m%d", i)]); got != want {
			t.Fatalf("series %d: got samples at %s, want %s", i, got, want)
		}
	}
}
