//go:build linux

package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/golang/snappy"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/bench/process"
)

// load is what a scenario sends: the same to each system, made anew for each.
type load struct {
	*scenario
	series []promwire.TimeSeries
	size   int   // series of a request
	start  int64 // of the first pass, in milliseconds
}

// content is what was sent, or was read back.
type content struct {
	process.Tally
	sum float64 // of the values, which are multiples of 1/4: exact in any order
}

func (c *content) add(ts *promwire.TimeSeries) {
	c.Add(ts)
	for _, s := range ts.Samples {
		c.sum += s.Value
	}
}

// newLoad makes the series. The last pass is a minute old.
func newLoad(sc *scenario) *load {
	l := &load{scenario: sc}
	l.start = time.Now().Truncate(time.Minute).UnixMilli() - 60_000 - int64(sc.passes)*sc.step
	for i := range sc.copies {
		req := sc.make()
		l.size = len(req.Timeseries)
		for k := range req.Timeseries {
			ts := &req.Timeseries[k]
			if sc.copies > 1 {
				ts.Labels = withCopy(ts.Labels, i)
			}
		}
		l.series = append(l.series, req.Timeseries...)
	}
	return l
}

// withCopy adds a label that tells copies of a series apart.
func withCopy(ls promwire.Labels, i int) promwire.Labels {
	ls = append(ls, promwire.Label{Name: "copy", Value: fmt.Sprintf("c%05d", i)})
	slices.SortFunc(ls, func(a, b promwire.Label) int { return strings.Compare(a.Name, b.Name) })
	return ls
}

// pass calls send with the requests of pass k, which are newer than those of the one before. What random gives decides
// about values.
func (l *load) pass(k int, random *rand.Rand, sent *content, send func(body []byte) error) error {
	var message, body []byte
	for part := range slices.Chunk(l.series, l.size) {
		for i := range part {
			s := &part[i].Samples[0]
			s.Timestamp = l.start + int64(k)*l.step
			if s.Value = float64(1000 * k); random.IntN(2) == 0 { // the others grow evenly
				s.Value += float64(random.IntN(2000)) / 4
			}
			sent.add(&part[i])
		}
		var err error
		if message, err = (&promwire.WriteRequest{Timeseries: part}).AppendProto(message[:0], l.message); err != nil {
			return err
		}
		body = snappy.Encode(body[:cap(body)], message)
		if err := send(body); err != nil {
			return err
		}
	}
	return nil
}

// send posts all passes to url. It calls warm when the ones are answered that are not measured. It returns what was
// sent, and how long the server took for what is measured.
func (l *load) send(ctx context.Context, url string, warm func() error) (sent content, took time.Duration, err error) {
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	random := rand.New(rand.NewPCG(1, 2))
	post := func(body []byte) error {
		begin := time.Now()
		err := process.Post(ctx, client, url, l.message, body)
		took += time.Since(begin)
		return err
	}
	first := 0
	if l.warm {
		first = -1
	}
	for k := first; k < l.passes; k++ {
		if k == 0 {
			took = 0
			if err := warm(); err != nil {
				return sent, 0, err
			}
		}
		if err := l.pass(k, random, &sent, post); err != nil {
			return sent, 0, fmt.Errorf("pass %d: %w", k, err)
		}
	}
	return sent, took, nil
}

func (l *load) measured() float64 { return float64(l.passes * len(l.series)) }

func (l *load) end() time.Time { return time.UnixMilli(l.start + int64(l.passes)*l.step) }
