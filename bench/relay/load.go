//go:build linux

package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"time"

	"github.com/golang/snappy"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/bench/process"
)

// load is requests of the same series, each newer than the one before, encoded as Prometheus would.
type load struct {
	message promwire.MessageType
	bodies  [][]byte
	size    int           // samples of a request
	sent    process.Tally // of all requests, as far as the rules leave them
}

// Times begin ahead of the clock, as Prometheus forwards nothing from before its start, and end before they are too far
// ahead for it, ten minutes; in milliseconds.
const (
	ahead = 240_000
	span  = 300_000
)

// newLoad makes requests of n samples in all, at least.
func newLoad(sc *scenario, n int) (*load, error) {
	req, random := sc.make(), rand.New(rand.NewPCG(1, 2))
	all := len(req.Timeseries)
	l := &load{message: sc.message, size: all / max(sc.parts, 1)}
	count := (n + all - 1) / all
	start, step := time.Now().UnixMilli()+ahead, int64(span/count)
	for k := range count {
		for i := range req.Timeseries {
			ts := &req.Timeseries[i]
			ts.Samples[0].Timestamp = start + int64(k)*step
			if random.IntN(2) == 0 { // the others stand still
				ts.Samples[0].Value += float64(random.IntN(1000)) / 4
			}
			if !sc.relabel || !dropped(ts.Labels) {
				l.sent.Add(ts)
			}
		}
		for part := range slices.Chunk(req.Timeseries, l.size) {
			msg, err := (&promwire.WriteRequest{Timeseries: part}).AppendProto(nil, sc.message)
			if err != nil {
				return nil, err
			}
			l.bodies = append(l.bodies, snappy.Encode(nil, msg))
		}
	}
	if sc.relabel {
		l.sent.Series = 0 // the rules change labels
	}
	return l, nil
}

// send posts all requests to url, at rate samples a second, one after the other.
func (l *load) send(ctx context.Context, url string, rate int) error {
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	begin := time.Now()
	for i, body := range l.bodies {
		if rate > 0 {
			due := begin.Add(time.Duration(float64(i*l.size) / float64(rate) * float64(time.Second)))
			time.Sleep(time.Until(due))
		}
		if err := process.Post(ctx, client, url, l.message, body); err != nil {
			return fmt.Errorf("request %d: %w", i, err)
		}
	}
	return nil
}
