//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/serieshash"
	"github.com/promwire/promwire/server"
)

// tally is what a set of samples is known by, in whatever order they come.
type tally struct {
	samples int
	points  uint64 // a sum over times and values
	series  uint64 // one that has the labels in it; 0 if they are not known
}

func (t *tally) add(ts *promwire.TimeSeries) {
	labels := serieshash.Labels(ts.Labels)
	for _, s := range ts.Samples {
		point := mix(mix(uint64(s.Timestamp)) ^ math.Float64bits(s.Value))
		t.samples++
		t.points += point
		t.series += mix(point ^ labels)
	}
}

// mix spreads the bits of x over all of them.
func mix(x uint64) uint64 {
	x ^= x >> 32
	x *= 0xd6e8feb86659fd93
	x ^= x >> 32
	x *= 0xd6e8feb86659fd93
	return x ^ x>>32
}

// receiver takes everything, counts it and forgets it.
type receiver struct {
	url   string
	bytes atomic.Int64 // that came in over TCP
	http  *http.Server

	mu       sync.Mutex
	arrived  tally
	requests int
}

func newReceiver(ctx context.Context) (*receiver, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &receiver{url: "http://" + l.Addr().String() + server.WritePath}
	r.http = &http.Server{Handler: server.NewWriteHandler(r), ReadHeaderTimeout: time.Minute}
	go func() {
		if err := r.http.Serve(&countingListener{l, &r.bytes}); !errors.Is(err, http.ErrServerClosed) {
			panic(err)
		}
	}()
	return r, nil
}

// Write implements promwire.Writer.
func (r *receiver) Write(_ context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	var t tally
	for i := range req.Timeseries {
		t.add(&req.Timeseries[i])
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests++
	r.arrived.samples += t.samples
	r.arrived.points += t.points
	r.arrived.series += t.series
	return req.Stats(), nil
}

func (r *receiver) tally() tally {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.arrived
}

// wait returns when n samples have arrived. It gives up when nothing comes for a while.
func (r *receiver) wait(ctx context.Context, n int) error {
	const patience = time.Minute
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for last, since := -1, time.Now(); ; {
		have := r.tally().samples
		switch {
		case have >= n:
			return nil
		case have != last:
			last, since = have, time.Now()
		case time.Since(since) > patience:
			return fmt.Errorf("%d of %d samples arrived, and no more for %v", have, n, patience)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

type countingListener struct {
	net.Listener
	bytes *atomic.Int64
}

func (l *countingListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &countingConn{c, l.bytes}, nil
}

type countingConn struct {
	net.Conn
	bytes *atomic.Int64
}

func (c *countingConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.bytes.Add(int64(n))
	return n, err
}
