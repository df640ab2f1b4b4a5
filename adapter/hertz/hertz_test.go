package promhertz_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/cloudwego/hertz/pkg/app"
	"github.com/cloudwego/hertz/pkg/app/middlewares/server/recovery"
	hertz "github.com/cloudwego/hertz/pkg/app/server"
	"github.com/cloudwego/hertz/pkg/common/config"
	"github.com/cloudwego/hertz/pkg/common/hlog"
	"github.com/cloudwego/hertz/pkg/network/netpoll"
	"github.com/cloudwego/hertz/pkg/network/standard"

	"github.com/promwire/promwire"
	promhertz "github.com/promwire/promwire/adapter/hertz"
	"github.com/promwire/promwire/internal/webtest"
	"github.com/promwire/promwire/promwiretest"
	"github.com/promwire/promwire/promwiretest/protocol"
	"github.com/promwire/promwire/server"
)

// prefetched is what hertz reads of a body before it calls a handler, at most: one byte less if the body is not longer
// than its MaxRequestBodySize.
const prefetched = 8<<10 + 1

// onStandard and onNetpoll are servers on each of hertz's transports.
var (
	onStandard = serverWith(hertz.WithTransport(standard.NewTransporter))
	onNetpoll  = serverWith(hertz.WithTransport(netpoll.NewTransporter), hertz.WithSenseClientDisconnection(true))
)

func serverWith(options ...config.Option) webtest.Server {
	return webtest.Server{Prefetched: prefetched, Start: func(tb testing.TB, s promwire.Storage, opts ...server.Option) string {
		h, url := newServer(tb, options...)
		promhertz.Mount(h, s, opts...)
		return start(tb, h, url)
	}}
}

func newServer(tb testing.TB, options ...config.Option) (h *hertz.Hertz, url string) {
	hlog.SetOutput(io.Discard)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	h = hertz.New(append([]config.Option{hertz.WithStreamBody(true), hertz.WithListener(l), hertz.WithDisablePrintRoute(true)}, options...)...)
	h.Use(recovery.Recovery())
	return h, "http://" + l.Addr().String()
}

func start(tb testing.TB, h *hertz.Hertz, url string) string {
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := h.Run(); err != nil {
			tb.Error(err)
		}
	}()
	tb.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		ctx, cancel := context.WithCancel(context.Background())
		cancel() // connections of the tests are closed anyway
		_ = h.Shutdown(ctx)
		<-done
	})
	return url
}

func TestStandard(t *testing.T) { webtest.Run(t, onStandard) }

func TestNetpoll(t *testing.T) { webtest.Run(t, onNetpoll) }

// Without streams, bodies come as a whole.
func TestWholeBodies(t *testing.T) {
	s := serverWith(hertz.WithStreamBody(false), hertz.WithSenseClientDisconnection(true), hertz.WithTransport(standard.NewTransporter))
	protocol.Run(t, s.Start(t, promwiretest.NewMemory(promwiretest.RefuseOlder)))
}

// What is left of a HEAD request's body is not read, and its answer has no text.
func TestHead(t *testing.T) {
	url := onStandard.Start(t, promwiretest.NewMemory(promwiretest.RefuseOlder))
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "HEAD %s HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n%s", server.WritePath, strings.Repeat("x", prefetched))
	answer, err := io.ReadAll(conn)
	if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 405 ") || !strings.HasSuffix(string(answer), "\r\n\r\n") {
		t.Errorf("answer %q, %v", answer, err)
	}
}

func BenchmarkServer(b *testing.B) {
	b.Run("impl=nethttp", func(b *testing.B) { webtest.Bench(b, webtest.NetHTTP) })
	b.Run("impl=hertz", func(b *testing.B) { webtest.Bench(b, onStandard) })
	b.Run("impl=hertz-netpoll", func(b *testing.B) { webtest.Bench(b, onNetpoll) })
}

// A tenant can come from the path, or from middleware.
func TestTenant(t *testing.T) {
	webtest.RunTenants(t, func(tb testing.TB, s promwire.Storage) (url string) {
		h, url := newServer(tb, hertz.WithTransport(standard.NewTransporter))
		tenant := server.WithTenant(func(r *http.Request) (string, error) { return r.PathValue("tenant"), nil })
		promhertz.Mount(h.Group("/path/:tenant"), s, tenant)
		group := h.Group("/middleware/:tenant", func(ctx context.Context, c *app.RequestContext) {
			c.Next(promwire.ContextWithTenant(ctx, strings.Clone(c.Param("tenant"))))
		})
		group.POST("/api/v1/write", promhertz.Write(s))
		group.POST("/api/v1/read", promhertz.Read(s))
		return start(tb, h, url)
	})
}
