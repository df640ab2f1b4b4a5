package main

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/remote"
)

// storedAt is where a value is: in which series, at which time.
type storedAt struct {
	series string
	time   int64
}

// stored are values; of histograms, their sums.
type stored map[storedAt]float64

// checkAcknowledged reads everything back, and returns how many samples were acknowledged.
func checkAcknowledged(t *testing.T, p *process, writers []*crashWriter) int {
	t.Helper()
	return checkFrom(t, p, writers, 0)
}

// checkFrom reads back the requests from number from on of all writers, over remote read and by the query API.
func checkFrom(t *testing.T, p *process, writers []*crashWriter, from int) (acknowledged int) {
	t.Helper()
	want, oldest := acknowledgedFrom(writers, from)
	if len(want) == 0 {
		return 0
	}
	for how, got := range map[string]stored{"remote read": readBack(t, p.read, oldest), "a query": queryBack(t, p.url, oldest)} {
		missing := want.notIn(got)
		for _, at := range missing[:min(len(missing), 10)] {
			v, ok := got[at]
			t.Errorf("%s: %s at %d was acknowledged as %v: found %t, %v", how, at.series, at.time, want[at], ok, v)
		}
		if len(missing) > 0 {
			t.Fatalf("%s: %d of %d acknowledged samples are lost", how, len(missing), len(want))
		}
	}
	return len(want)
}

// acknowledgedFrom returns what has to be there, and its first time.
func acknowledgedFrom(writers []*crashWriter, from int) (want stored, oldest int64) {
	want, oldest = stored{}, math.MaxInt64
	for _, w := range writers {
		for n := from; n < w.acked; n++ {
			for _, ts := range w.request(n).Timeseries {
				at := timeOf(ts)
				want[storedAt{ts.Labels.String(), at}] = valueOf(ts)
				oldest = min(oldest, at)
			}
		}
	}
	return want, oldest
}

// notIn returns where got has nothing, or something else.
func (s stored) notIn(got stored) (missing []storedAt) {
	for at, v := range s {
		if g, ok := got[at]; !ok || g != v {
			missing = append(missing, at)
		}
	}
	return missing
}

// timeOf returns the time of the only sample of a series.
func timeOf(ts promwire.TimeSeries) int64 {
	if len(ts.Histograms) > 0 {
		return ts.Histograms[0].Timestamp
	}
	return ts.Samples[0].Timestamp
}

func valueOf(ts promwire.TimeSeries) float64 {
	if len(ts.Histograms) > 0 {
		return ts.Histograms[0].Sum
	}
	return ts.Samples[0].Value
}

// writtenSeries selects what crashWriters write.
const writtenSeries = `{__name__=~"m|new|h"}`

// readBack reads everything from this time on over remote read.
func readBack(t *testing.T, url string, from int64) stored {
	t.Helper()
	client, err := remote.NewReadClient(url)
	if err != nil {
		t.Fatal(err)
	}
	matchers, err := promwire.ParseSelector(writtenSeries)
	if err != nil {
		t.Fatal(err)
	}
	got := stored{}
	q := promwire.Query{Start: time.UnixMilli(from), End: time.Now().Add(time.Hour), Matchers: matchers}
	for ts, err := range client.Read(t.Context(), q) {
		if err != nil {
			t.Fatal(err)
		}
		series := ts.Labels.String()
		for _, s := range ts.Samples {
			got[storedAt{series, s.Timestamp}] = s.Value
		}
		for _, h := range ts.Histograms {
			got[storedAt{series, h.Timestamp}] = h.Sum
		}
	}
	return got
}

// queryBack asks the query API for everything from this time on.
func queryBack(t *testing.T, base string, from int64) stored {
	t.Helper()
	now := time.Now()
	query := fmt.Sprintf("%s[%dms]", writtenSeries, now.UnixMilli()-from+1000) // a bit more, for times are floats here
	code, text := request(t, http.MethodGet, base+"/api/v1/query?"+url.Values{
		"query": {query}, "time": {strconv.FormatFloat(float64(now.UnixMilli())/1000, 'f', 3, 64)},
	}.Encode(), nil)
	var answer struct {
		Data struct {
			Result []struct {
				Metric             map[string]string
				Values, Histograms []queryPoint
			}
		}
	}
	if err := json.Unmarshal([]byte(text), &answer); err != nil || code != http.StatusOK {
		t.Fatalf("%s: %d %.300s, %v", query, code, text, err)
	}
	got := stored{}
	for _, r := range answer.Data.Result {
		var pairs []string
		for name, value := range r.Metric {
			pairs = append(pairs, name, value)
		}
		series := promwire.LabelsFromStrings(pairs...).String()
		for _, p := range append(r.Values, r.Histograms...) {
			got[storedAt{series, p.time}] = p.value
		}
	}
	return got
}

// queryPoint is a point of the query API; of a histogram, its sum.
type queryPoint struct {
	time  int64
	value float64
}

// UnmarshalJSON implements [json.Unmarshaler].
func (p *queryPoint) UnmarshalJSON(text []byte) error {
	var seconds float64
	var value json.RawMessage
	if err := json.Unmarshal(text, &[]any{&seconds, &value}); err != nil {
		return err
	}
	p.time = int64(math.Round(seconds * 1000))
	var v string
	if value[0] == '{' {
		var h struct{ Sum string }
		if err := json.Unmarshal(value, &h); err != nil {
			return err
		}
		v = h.Sum
	} else if err := json.Unmarshal(value, &v); err != nil {
		return err
	}
	var err error
	p.value, err = strconv.ParseFloat(v, 64)
	return err
}
