package backends

import (
	"errors"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/remote"
)

const (
	many  = 10_000
	badAt = 5_432 // the index of the bad one
)

// TestOneBad writes 10,000 series of which one is bad, in each way that the server refuses: a remote.Delivery names that
// one, and the server has the others.
func TestOneBad(t *testing.T) {
	each(t, func(t *testing.T, f found) {
		s, kinds := f.run(t, f.Program), 0
		c, now := client(t, s.write), time.Now().UnixMilli()
		for _, o := range oddities() {
			err := prepare(t, c, o, "probe", now)
			if err == nil {
				_, err = c.Write(t.Context(), &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{placed(o.series, "probe"+o.title, now)}})
			}
			if err == nil || promwire.Retryable(err) { // TestBehaviour says which: 500 looks like a server in trouble
				continue
			}
			kinds++
			t.Run(o.title, func(t *testing.T) { oneBad(t, s, c, o, now) })
		}
		if kinds == 0 {
			t.Error("nothing was refused")
		}
		t.Logf("%s refused %d kinds", f, kinds)
	})
}

// prepare writes what is to be there before an oddity.
func prepare(t *testing.T, c *remote.WriteClient, o oddity, prefix string, now int64) error {
	t.Helper()
	for _, ts := range o.before {
		if _, err := c.Write(t.Context(), &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{placed(ts, prefix+o.title, now)}}); err != nil {
			return err
		}
	}
	return nil
}

func oneBad(t *testing.T, s *instance, c *remote.WriteClient, o oddity, now int64) {
	t.Helper()
	if err := prepare(t, c, o, "", now); err != nil {
		t.Fatal(err)
	}
	req := &promwire.WriteRequest{}
	for i := range many {
		ts := promwire.TimeSeries{
			Labels:  promwire.LabelsFromStrings(promwire.MetricName, "good", "beside", o.title, "n", strconv.Itoa(i)),
			Samples: []promwire.Sample{{Timestamp: now, Value: float64(i)}},
		}
		if i == badAt {
			ts = placed(o.series, o.title, now)
		}
		req.Timeseries = append(req.Timeseries, ts)
	}
	var letters []string
	d := remote.NewDelivery(c, remote.DeliveryOptions{MaxBisectRequests: 100, OnRefused: func(all []remote.DeadLetter) {
		for _, l := range all {
			letters = append(letters, l.Series.Labels.String())
		}
	}})
	stats, err := d.Write(t.Context(), req)
	var partial *promwire.PartialWriteError
	if !errors.As(err, &partial) || len(partial.Refused) != 1 || partial.Refused[0].Series != badAt {
		t.Fatalf("got %.500v, want that series %d is refused", err, badAt)
	}
	if want := fmt.Sprint([]string{req.Timeseries[badAt].Labels.String()}); fmt.Sprint(letters) != want {
		t.Errorf("letters %v, want %s", letters, want)
	}
	if stats.Samples != many-1 {
		t.Errorf("wrote %+v", stats)
	}
	got := s.query(t, "beside", o.title)
	if len(got) != many-1 {
		t.Errorf("stored %d series, want %d", len(got), many-1)
	}
	for _, g := range got {
		if len(g.Samples) != 1 || g.Labels.Get("n") != fmt.Sprint(g.Samples[0].Value) {
			t.Fatalf("stored %v", g)
		}
	}
	t.Logf("%d requests to find it", d.Stats().BisectRequests)
}
