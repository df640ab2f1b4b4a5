package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/cores"
	"github.com/promwire/promwire/cmd/promwire/internal/gateway"
	"github.com/promwire/promwire/cmd/promwire/internal/memory"
	"github.com/promwire/promwire/cmd/promwire/internal/relay"
	"github.com/promwire/promwire/cmd/promwire/internal/web"
	"github.com/promwire/promwire/server"
	"github.com/promwire/promwire/spool"
)

// upstreamFlags are those of a server before an engine. They have a prefix, since most of them mean nothing without one.
type upstreamFlags struct {
	upstream           string
	write, query, read string
	config             string
	headers            []string
	spoolSize          size
	deadLetters        string
	bisect             int
	preflight          preflightFlag

	toEngine relayFlags // how requests go to the engine
}

const upstreamLong = `

With --upstream it stores nothing but is a gateway to an engine that there is already. Writes lie in a spool below
--data before they are acknowledged, and go from there to the engine, whether it is up or not; a full spool answers with
503. Queries (Prometheus' API) are passed on to the engine. Remote read is offered whatever the engine has: Thanos and
VictoriaMetrics, which have none, are asked by their own APIs. The tenant (X-Scope-OrgID) is passed on; credentials of
clients are not: the engine gets those of the URLs, of --upstream.header or of --upstream.config, which is read again on SIGHUP; if
it can't be used, the old one stays. --query.timeout and --query.max-concurrency hold for queries and reads (at most 10),
--query.max-samples for reads that are answered with samples.`

const upstreamExample = `
  promwire serve --data ./spool --upstream victoriametrics=http://127.0.0.1:8428
  promwire serve --data ./spool --upstream mimir=http://mimir:8080 --upstream.header 'X-Scope-OrgID: team'
  promwire serve --data ./spool --upstream thanos=http://query:10902 --upstream.write http://receive:19291/api/v1/receive`

// register adds the flags to those of serve.
func (f *upstreamFlags) register(cmd *cobra.Command) {
	f.spoolSize = spool.DefaultMaxBytes
	cmd.Long += upstreamLong
	cmd.Example += upstreamExample
	flags := cmd.Flags()
	flags.StringVar(&f.upstream, "upstream", "", "be a gateway to an engine: `KIND=URL`, with prometheus, mimir, cortex, thanos or victoriametrics as KIND, which knows the paths below URL")
	flags.StringVar(&f.write, "upstream.write", "", "the engine's remote-write endpoint `URL`, if it is not below that of --upstream")
	flags.StringVar(&f.query, "upstream.query", "", "the `URL` to which /api/v1/query is appended, likewise")
	flags.StringVar(&f.read, "upstream.read", "", "the engine's remote-read endpoint `URL`, likewise")
	flags.StringArrayVar(&f.headers, "upstream.header", nil, "extra header `NAME: VALUE` for the engine (repeatable)")
	flags.StringVar(&f.config, "upstream.config", "", "`FILE` with one remote_write block, as in prometheus.yml: URL, authentication, TLS and headers, for queries and reads too; read again on SIGHUP")
	flags.Var(&f.spoolSize, "upstream.spool-size", "bound on what waits for the engine on disk; beyond it, writes are answered with 503")
	flags.StringVar(&f.deadLetters, "upstream.dead-letters", "", "`DIR`ectory for what the engine refuses for good, with reasons")
	flags.IntVar(&f.bisect, "upstream.bisect", 0, "how many requests may look for what is bad in one that the engine refuses without naming it; 0: none")
	flags.Var(&f.preflight, "upstream.preflight", "judge what goes out by what the engine takes, before it is sent: `PROFILE[:MODE]`, see promwire relay --help")
}

// localOnly are flags that mean nothing without the embedded store.
var localOnly = []string{"retention.time", "retention.size", "out-of-order-window", "min-free-disk", "start-timestamps", "config", "multi-tenant", "max-tenants", "tenant-idle", "web.enable-admin-api", "query.max-memory", "query.lookback-delta"}

// check refuses flags that don't go together.
func (f *upstreamFlags) check(cmd *cobra.Command) error {
	if f.upstream == "" {
		for _, name := range []string{"write", "query", "read", "header", "config", "spool-size", "dead-letters", "bisect", "preflight"} {
			if cmd.Flags().Changed("upstream." + name) {
				return usagef("--upstream.%s is for use with --upstream", name)
			}
		}
		return nil
	}
	for _, name := range localOnly {
		if cmd.Flags().Changed(name) {
			return usagef("--%s is for use without --upstream", name)
		}
	}
	if f.config != "" && (f.write != "" || len(f.headers) > 0) {
		return usagef("--upstream.write and --upstream.header are for use without --upstream.config")
	}
	return nil
}

// serveUpstream runs the gateway until ctx ends.
func serveUpstream(ctx context.Context, streams IO, s serveFlags) error {
	logger, err := s.log.logger(streams.Err)
	if err != nil {
		return err
	}
	if err := errors.Join(require("data", s.data), s.query.check(), checkAddress(ctx, s.listen)); err != nil {
		return err
	}
	if err := s.web.load(); err != nil {
		return err
	}
	f := &s.upstream
	c, err := f.settings(&s, logger)
	if err != nil {
		return err
	}
	signal.Ignore(syscall.SIGHUP) // until there is something to reload
	srv, err := listen(ctx, s.listen, &s.web, logger)
	if err != nil {
		return err
	}
	h, g, err := f.open(s.data, c, srv.own)
	if err != nil {
		return errors.Join(err, srv.stop())
	}
	srv.handler.Store(&h)
	defer onHangup(ctx, func() { f.reload(g, srv.own, logger) })()
	go cores.Adapt(ctx)
	memory.Settle()
	fmt.Fprintf(streams.Out, "promwire is ready, before %s, spool in %s\n", f.upstreamName(), s.data)
	srv.printURLs(streams.Out)
	select {
	case <-ctx.Done():
	case err = <-srv.failed:
	}
	err = errors.Join(err, srv.stop())
	last, cancel := context.WithTimeout(context.Background(), shutdownTime)
	defer cancel()
	return errors.Join(err, g.End(last))
}

// open opens the spool, begins to deliver what it holds, and returns the gateway with the page before it.
func (f *upstreamFlags) open(data string, c gateway.Config, own *ownMetrics) (http.Handler, *gateway.Gateway, error) {
	if _, err := os.Stat(filepath.Join(data, "wal")); err == nil {
		return nil, nil, usagef("--data %s holds what promwire serve stored without --upstream: choose another one", data)
	}
	if err := checkSpoolSize("upstream.spool-size", f.spoolSize); err != nil {
		return nil, nil, err
	}
	opts := append(spoolLog(c.Logger), spool.WithMaxBytes(int64(f.spoolSize)), spool.WithRefuseWhenFull(),
		spool.WithCompressions(c.Relay.Compressions...))
	var err error
	if c.Relay.Spool, err = spool.Open(filepath.Join(data, "spool"), opts...); err != nil {
		return nil, nil, err
	}
	var g *gateway.Gateway
	page := web.NewGateway(func() web.Gateway { return f.state(data, g.State()) })
	c.Relay.Tap = func(w relay.Intake) promwire.Writer { return page.Tap(w) }
	c.Relay.Options = []server.WriteOption{page.Option(), server.WithMetrics(own.handlers)}
	c.Options = []server.ReadOption{page.Option(), server.WithMetrics(own.handlers)}
	if g, err = gateway.New(c); err != nil {
		return nil, nil, err
	}
	metrics := own.pageWith(textGatherer(g.WriteMetrics))
	return page.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == metricsPath {
			metrics.ServeHTTP(w, r)
			return
		}
		g.ServeHTTP(w, r)
	})), g, nil
}

// state is what the page shows.
func (f *upstreamFlags) state(data string, s gateway.State) web.Gateway {
	return web.Gateway{
		Engine: f.upstreamName(), Dir: data, SpoolBytes: s.SpoolBytes, SpoolMax: int64(f.spoolSize),
		Pending: s.Pending, Oldest: s.Oldest.Milliseconds(), Sent: s.Sent, Refused: s.Refused, Retries: s.Retries,
	}
}

// upstreamName is the engine, without credentials.
func (f *upstreamFlags) upstreamName() string {
	kind, u, _ := strings.Cut(f.upstream, "=")
	return kind + " at " + plainURL(u)
}
