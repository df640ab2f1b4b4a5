//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/bench/process"
	"github.com/promwire/promwire/server"
)

// receiver takes everything, counts it and forgets it.
type receiver struct {
	url   string
	bytes atomic.Int64 // that came in over TCP
	http  *http.Server

	mu       sync.Mutex
	arrived  process.Tally
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
	var t process.Tally
	for i := range req.Timeseries {
		t.Add(&req.Timeseries[i])
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests++
	r.arrived.Merge(t)
	return req.Stats(), nil
}

func (r *receiver) tally() process.Tally {
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
		have := r.tally().Samples
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
