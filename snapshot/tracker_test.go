package snapshot_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/snapshot"
)

// sample is a series with a value and an exemplar, both at a time.
func sample(name string, at int64) promwire.TimeSeries {
	return promwire.TimeSeries{
		Labels:    promwire.LabelsFromStrings("__name__", name),
		Samples:   []promwire.Sample{{Timestamp: at, Value: 1}},
		Exemplars: []promwire.Exemplar{{Labels: promwire.LabelsFromStrings("id", fmt.Sprint(at)), Timestamp: at}},
		Metadata:  promwire.Metadata{Type: promwire.TypeCounter},
	}
}

func histogram(name string, at int64) promwire.TimeSeries {
	return promwire.TimeSeries{Labels: promwire.LabelsFromStrings("__name__", name), Histograms: []promwire.Histogram{{Timestamp: at}}}
}

// TestRounds runs requests through one tracker. A request is what a round has; the text is what is sent of it.
func TestRounds(t *testing.T) {
	all := snapshot.Tracker{MarkAll: true}
	for _, step := range []struct {
		name    string
		now     int64
		have    []promwire.TimeSeries
		failed  bool
		want    string
		refused int
	}{
		{
			"first", 10,
			[]promwire.TimeSeries{sample("a", 10), histogram("b", 5), sample("c", 99)},
			false,
			"# TYPE a counter\na 1 10 # {id=\"10\"} 0 10\nb {count:0, sum:0} 5\n# TYPE c counter\nc 1 99 # {id=\"99\"} 0 99\n", 0,
		},
		{
			"exemplar is known, all but one went away, and it fails", 20,
			[]promwire.TimeSeries{sample("a", 10)},
			true,
			"# TYPE a counter\na 1 10\nb stale 20\n# TYPE c counter\nc stale 100\n", 0,
		},
		{
			"again, with one that is back", 30,
			[]promwire.TimeSeries{sample("a", 30), histogram("b", 30)},
			false,
			"# TYPE a counter\na 1 30 # {id=\"30\"} 0 30\nb {count:0, sum:0} 30\n# TYPE c counter\nc stale 100\n", 0,
		},
		{
			"repeated", 40,
			[]promwire.TimeSeries{sample("a", 40), sample("a", 40), sample("a", 41), histogram("b", 40)},
			false,
			"# TYPE a counter\na 1 40 # {id=\"40\"} 0 40\na 1 41 # {id=\"41\"} 0 41\nb {count:0, sum:0} 40\n", 1,
		},
		{"all went away", 50, nil, false, "# TYPE a counter\na stale 50\nb stale 50\n", 0},
		{"nothing is left", 60, nil, false, "", 0},
	} {
		req := &promwire.WriteRequest{Timeseries: step.have}
		refused := all.Observe(req, step.now, nil)
		all.AppendMarkers(req, step.now)
		if !step.failed {
			all.Settle()
		}
		if got := string(req.AppendText(nil, promwire.TextOptions{Timestamps: true})); got != step.want {
			t.Errorf("%s: got\n%s\nwant\n%s", step.name, got, step.want)
		}
		if len(refused) != step.refused || len(refused) > 0 && (refused[0].Series != 1 || !errors.Is(refused[0], snapshot.ErrRepeated)) {
			t.Errorf("%s: refused %v", step.name, refused)
		}
	}
}

// TestNoMarkerWithoutMarkAllOrAfterForget counts the markers of series that went away.
func TestNoMarkerWithoutMarkAllOrAfterForget(t *testing.T) {
	for _, c := range []struct {
		name   string
		forget bool
		at     int64
		want   int
	}{{"time of the request", false, 10, 1}, {"time of its own", false, 9, 0}, {"forgotten", true, 10, 0}} {
		tracker, req := snapshot.Tracker{}, &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{sample("a", c.at)}}
		tracker.Observe(req, 10, nil)
		tracker.Settle()
		tracker.End()
		if c.forget {
			tracker.Forget()
		}
		req.Reset()
		tracker.AppendMarkers(req, 20)
		if len(req.Timeseries) != c.want {
			t.Errorf("%s: %d markers, want %d", c.name, len(req.Timeseries), c.want)
		}
	}
}

func TestFinal(t *testing.T) {
	partial := &promwire.PartialWriteError{}
	for _, c := range []struct {
		err  error
		want bool
	}{
		{nil, true},
		{errors.New("refused connection"), false},
		{partial, true},
		{fmt.Errorf("wrapped: %w", partial), true},
		{&promwire.PartialWriteError{Err: &promwire.HTTPError{StatusCode: 503}}, false},
		{&promwire.PartialWriteError{Err: &promwire.HTTPError{StatusCode: 400}}, true},
		{&promwire.HTTPError{StatusCode: 422}, true},
		{&promwire.HTTPError{StatusCode: 401}, false},
	} {
		if got := snapshot.Final(c.err); got != c.want {
			t.Errorf("%v: got %v", c.err, got)
		}
	}
}
