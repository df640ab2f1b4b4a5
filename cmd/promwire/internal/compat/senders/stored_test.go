package senders

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/remote"
)

// stored is what promwire has of a sender, by time.
type stored struct {
	floats    map[string]map[int64]float64 // by name, or name and bound
	native    map[int64]promwire.Histogram
	exemplars map[string]bool // the label of those of the counter
	failed    []int64         // when scrapes failed, by the series up
}

// read asks promwire for everything of a sender. While it is not there, nothing is stored.
func (r *receiver) read(t *testing.T, x *sender) stored {
	t.Helper()
	c, err := remote.NewReadClient(r.url + "/api/v1/read")
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseIdleConnections()
	s := stored{floats: map[string]map[int64]float64{}, native: map[int64]promwire.Histogram{}, exemplars: map[string]bool{}}
	now := time.Now()
	query := promwire.Query{Start: now.Add(-24 * time.Hour), End: now.Add(time.Hour), Matchers: []promwire.Matcher{{Name: "sender", Value: x.name}}}
	for ts, err := range c.Read(t.Context(), query) {
		if err != nil {
			t.Fatal(err)
		}
		s.take(ts)
	}
	if x.exemplars {
		s.exemplars = r.exemplars(t, x)
	}
	return s
}

// take adds a part of a series. Markers of the end of series are none of the values that were scraped.
func (s *stored) take(ts promwire.TimeSeries) {
	name := strings.Clone(ts.Labels.Get(promwire.MetricName))
	if le, err := strconv.ParseFloat(ts.Labels.Get("le"), 64); err == nil {
		name += fmt.Sprint(" ", le)
	}
	if s.floats[name] == nil {
		s.floats[name] = map[int64]float64{}
	}
	for _, v := range ts.Samples {
		if name == "up" && v.Value == 0 {
			s.failed = append(s.failed, v.Timestamp)
		}
		if !promwire.IsStaleNaN(v.Value) {
			s.floats[name][v.Timestamp] = v.Value
		}
	}
	for i := range ts.Histograms {
		if name == "native_seconds" && !promwire.IsStaleNaN(ts.Histograms[i].Sum) {
			s.native[ts.Histograms[i].Timestamp] = ts.Histograms[i].Clone()
		}
	}
}

// exemplars asks the query API, as remote read has none.
func (r *receiver) exemplars(t *testing.T, x *sender) map[string]bool {
	t.Helper()
	now := time.Now().Unix()
	query := url.Values{
		"query": {fmt.Sprintf("scrapes_total{sender=%q}", x.name)},
		"start": {fmt.Sprint(now - 86400)}, "end": {fmt.Sprint(now + 3600)},
	}
	resp, err := http.Get(r.url + "/api/v1/query_exemplars?" + query.Encode())
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct {
		Data []struct {
			Exemplars []struct{ Labels struct{ Scrape string } }
		}
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("exemplars: %s, %v", resp.Status, err)
	}
	all := map[string]bool{}
	for _, series := range answer.Data {
		for _, e := range series.Exemplars {
			all[e.Labels.Scrape] = true
		}
	}
	return all
}
