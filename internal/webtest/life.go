package webtest

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/promwiretest"
	"github.com/promwire/promwire/server"
)

// clientGoesAway closes the connection while the storage waits for the end of the request's context.
func clientGoesAway(t *testing.T, s Server) {
	entered, cancelled := make(chan struct{}, 1), make(chan error, 1)
	wait := func(ctx context.Context) error {
		entered <- struct{}{}
		select {
		case <-ctx.Done():
		case <-time.After(patience):
		}
		cancelled <- ctx.Err()
		return promwire.ErrUnavailable
	}
	store := &storage{
		write: func(ctx context.Context, _ *promwire.WriteRequest) (promwire.WriteStats, error) {
			return promwire.WriteStats{}, wait(ctx)
		},
		read: func(ctx context.Context, yield func(promwire.TimeSeries, error) bool) {
			yield(promwire.TimeSeries{}, wait(ctx))
		},
	}
	url := s.Start(t, store)
	read := readBody(promwire.ResponseStreamedXORChunks)
	write := smallBody(t, promwire.WriteV2)
	for name, request := range map[string]string{
		"read":  head(server.ReadPath, promwire.ContentTypeProtobuf, len(read)) + string(read),
		"write": head(server.WritePath, promwire.ContentTypeWriteV2, len(write)) + string(write),
	} {
		c := dial(t, url)
		c.send(request)
		<-entered
		c.Close()
		if err := <-cancelled; err == nil {
			t.Errorf("%s: the client was gone, and the storage was not told within %s", name, patience)
		}
	}
}

// toldTenants is a storage that tells the tenant of each request.
func toldTenants() (*storage, <-chan string) {
	tenants := make(chan string, 2)
	tell := func(ctx context.Context) { tenants <- promwire.TenantFromContext(ctx) }
	return &storage{
		write: func(ctx context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
			tell(ctx)
			return req.Stats(), nil
		},
		read: func(ctx context.Context, _ func(promwire.TimeSeries, error) bool) { tell(ctx) },
	}, tenants
}

func tenant(t *testing.T, s Server) {
	store, tenants := toldTenants()
	url := s.Start(t, store, server.WithTenant(server.TenantFromHeader(promwire.HeaderTenant)))
	for _, name := range []string{"team-a", "b"} {
		post(t, url, server.WritePath, promwire.ContentTypeWriteV2, smallBody(t, promwire.WriteV2), promwire.HeaderTenant, name)
		if got := <-tenants; got != name {
			t.Errorf("write of tenant %q, want %q", got, name)
		}
		post(t, url, server.ReadPath, promwire.ContentTypeProtobuf, readBody(), promwire.HeaderTenant, name)
		if got := <-tenants; got != name {
			t.Errorf("read of tenant %q, want %q", got, name)
		}
	}
}

// storagePanics costs that one request.
func storagePanics(t *testing.T, s Server) {
	var panics atomic.Bool
	panics.Store(true)
	store := &storage{
		write: func(_ context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
			if panics.Load() {
				panic("disk on fire")
			}
			return req.Stats(), nil
		},
		read: func(context.Context, func(promwire.TimeSeries, error) bool) {
			if panics.Load() {
				panic("disk on fire")
			}
		},
	}
	url := s.Start(t, store)
	read, write := string(readBody()), string(smallBody(t, promwire.WriteV2))
	ask := func(c *conn, path, body string) *http.Response {
		c.send(head(path, promwire.ContentTypeProtobuf+";proto=io.prometheus.write.v2.Request", len(body)), body)
		resp, err := http.ReadResponse(c.reader, nil)
		if err != nil {
			return nil
		}
		io.Copy(io.Discard, resp.Body)
		return resp
	}
	for path, body := range map[string]string{server.WritePath: write, server.ReadPath: read} {
		panics.Store(true)
		if resp := ask(dial(t, url), path, body); resp != nil && resp.StatusCode < 500 {
			t.Errorf("%s: status %d after a panic", path, resp.StatusCode)
		}
		panics.Store(false)
		if resp := ask(dial(t, url), path, body); resp == nil || resp.StatusCode >= 300 {
			t.Errorf("%s: the request after a panic: %+v", path, resp)
		}
	}
}

// sideBySide has several clients write and read at the same time, each series its own.
func sideBySide(t *testing.T, s Server) {
	memory := promwiretest.NewMemory(promwiretest.RefuseOlder)
	url := s.Start(t, memory)
	var group sync.WaitGroup
	for client := range 8 {
		group.Go(func() {
			c := dial(t, url)
			for n := range 20 {
				body := writeBody(t, promwire.WriteV2, &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{{
					Labels:  promwire.LabelsFromStrings("__name__", "m", "client", fmt.Sprint(client)),
					Samples: []promwire.Sample{{Timestamp: int64(n+1) * 1000, Value: float64(client)}},
				}}})
				c.send(head(server.WritePath, promwire.ContentTypeWriteV2, len(body)), string(body))
				c.expect(http.StatusNoContent, "")
				if n%5 == 0 {
					read := readBody(promwire.ResponseStreamedXORChunks)
					c.send(head(server.ReadPath, promwire.ContentTypeProtobuf, len(read)), string(read))
					c.expect(http.StatusOK, "m")
				}
			}
		})
	}
	group.Wait()
	for _, ts := range memory.All() {
		for _, sample := range ts.Samples {
			if fmt.Sprint(sample.Value) != ts.Labels.Get("client") || len(ts.Samples) != 20 {
				t.Fatalf("%s has %d samples, one of them %v", ts.Labels, len(ts.Samples), sample)
			}
		}
	}
}

// RunTenants checks a server that takes the tenant from the path: below /path/TENANT by a hook of the handlers, below
// /middleware/TENANT by middleware of the framework, which puts it into the context.
func RunTenants(t *testing.T, start func(tb testing.TB, s promwire.Storage) (url string)) {
	store, tenants := toldTenants()
	url := start(t, store)
	for _, prefix := range []string{"/path/", "/middleware/"} {
		for _, name := range []string{"team-a", "b"} {
			write := post(t, url, prefix+name+server.WritePath, promwire.ContentTypeWriteV2, smallBody(t, promwire.WriteV2))
			read := post(t, url, prefix+name+server.ReadPath, promwire.ContentTypeProtobuf, readBody())
			if write.StatusCode != http.StatusNoContent || read.StatusCode != http.StatusOK {
				t.Fatalf("%s: status %d and %d", prefix, write.StatusCode, read.StatusCode)
			}
			for range 2 {
				if got := <-tenants; got != name {
					t.Errorf("%s: tenant %q, want %q", prefix, got, name)
				}
			}
		}
	}
}
