package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/promwire/promwire/cmd/promwire/internal/memory"
	"github.com/promwire/promwire/cmd/promwire/internal/tenants"
	"github.com/promwire/promwire/cmd/promwire/internal/tsdbstore"
)

// shutdownTime is how long requests that run may take when the server ends.
const shutdownTime = 10 * time.Second

type serveFlags struct {
	listen, data           string
	retention, window      duration
	retentionSize, minFree size
	startTimestamps        bool
	query                  queryFlags
	web                    webConfig
	upstream               upstreamFlags
	log                    logFlags
	config                 configFile
	admin                  adminFlags
	tenants                tenantFlags
}

func newServe(streams IO) *cobra.Command {
	f := serveFlags{
		retention: duration(tsdbstore.DefaultRetention), window: duration(tsdbstore.DefaultOutOfOrderWindow),
		minFree: tsdbstore.DefaultMinFree,
		query:   defaultQueryFlags(),
	}
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Store what is pushed, and answer remote read and PromQL",
		Long: `Store what is pushed over remote write (1.0 and 2.0) in a Prometheus TSDB, and answer remote read and the
HTTP API of Prometheus: PromQL, series, labels, metadata. As a Prometheus data source for Grafana it has the URL
http://HOST:PORT, without a path; promtool query takes the same, and a Prometheus scrapes /federate. For people it has a page at that address: what
arrives, metrics, PromQL.

What is acknowledged survives a crash of the process. The server listens on the loopback interface unless --listen says
otherwise; --web.config.file gives it TLS and authentication. It ends on SIGINT or SIGTERM, after the requests that run.`,
		Example: `  promwire serve --data ./metrics
  promwire serve --listen :9201 --data /var/lib/promwire --retention.time 90d --retention.size 50GB`,
		Args: exactArgs(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			f.query.shown = flagValues(cmd)
			if err := f.upstream.check(cmd); err != nil {
				return err
			}
			if f.upstream.upstream != "" {
				return serveUpstream(cmd.Context(), streams, f)
			}
			if err := f.tenants.checkUse(cmd.Flags()); err != nil {
				return err
			}
			return serve(cmd.Context(), streams, f)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.listen, "listen", "127.0.0.1:9201", "address to listen on, `HOST:PORT`; port 0 takes a free one")
	flags.StringVar(&f.data, "data", "promwire-data", "`DIR`ectory of the data; made if it does not exist")
	flags.Var(&f.retention, "retention.time", "how long samples are kept; 0: for ever")
	flags.Var(&f.retentionSize, "retention.size", "bound on the size of all blocks, like 50GB; 0: none")
	flags.Var(&f.window, "out-of-order-window", "how late samples may come; 0: not at all")
	flags.Var(&f.minFree, "min-free-disk", "free disk space below which writes are answered with 503; 0: no check")
	flags.BoolVar(&f.startTimestamps, "start-timestamps", false, "store start timestamps of Remote Write 2.0; makes remote read slower")
	f.query.register(flags)
	f.config.register(flags)
	f.web.register(flags)
	f.admin.register(flags)
	f.tenants.register(flags)
	f.upstream.register(cmd)
	f.log.register(flags)
	return cmd
}

func serve(ctx context.Context, streams IO, f serveFlags) error {
	logger, err := f.log.logger(streams.Err)
	if err != nil {
		return err
	}
	if err := require("data", f.data); err != nil {
		return err
	}
	if err := errors.Join(f.query.check(), checkAddress(ctx, f.listen)); err != nil {
		return err
	}
	if err := errors.Join(f.web.load(), f.tenants.check(f.data)); err != nil {
		return err
	}
	options, err := f.options(logger)
	if err != nil {
		return err
	}
	memory.Collect(int64(f.query.maxMemory))
	signal.Ignore(syscall.SIGHUP) // until there is something to reload
	srv, err := listen(ctx, f.listen, &f.web, logger)
	if err != nil {
		return err
	}
	store, err := f.open(srv, options)
	if err != nil {
		return errors.Join(err, srv.stop())
	}
	defer onHangup(ctx, func() { f.reload(store, srv.own, logger) })()
	memory.Settle()
	fmt.Fprintf(streams.Out, "promwire is ready, data in %s\n", f.data)
	srv.printURLs(streams.Out)
	select {
	case <-ctx.Done():
	case err = <-srv.failed:
	}
	return errors.Join(err, srv.stop(), store.Close())
}

// openStore is what has to be done with a store, or several, that are open.
type openStore interface {
	reconfigurable
	io.Closer
}

// open opens what is kept in --data and makes it reachable.
func (f *serveFlags) open(srv *httpServer, o tsdbstore.Options) (openStore, error) {
	if f.tenants.on {
		set, err := tenants.Open(f.data, f.tenants.limit, o)
		if err != nil {
			return nil, err
		}
		srv.readyForTenants(set, f.query.options(), time.Duration(f.tenants.idle), f.admin)
		return set, nil
	}
	store, err := tsdbstore.Open(f.data, o)
	if err != nil {
		return nil, err
	}
	srv.ready(store, f.query.options(), f.admin)
	return store, nil
}

// printURLs prints what can be reached where.
func (s *httpServer) printURLs(out io.Writer) {
	if !s.pageless {
		fmt.Fprintf(out, "  page          %s/\n", s.url)
	}
	fmt.Fprintf(out, "  remote write  %s\n  remote read   %s\n  queries       %s (PromQL, for Grafana too)\n  health        %s%s, %s%s\n",
		s.writeURL(), s.readURL(), s.url, s.url, healthyPath, s.url, readyPath)
}

// checkAddress refuses what is no address to listen on, whatever the machine.
func checkAddress(ctx context.Context, addr string) error {
	_, port, err := net.SplitHostPort(addr)
	if err == nil {
		_, err = net.DefaultResolver.LookupPort(ctx, "tcp", port)
	}
	if err != nil {
		return usagef("--listen %s: want HOST:PORT, such as 127.0.0.1:9201 or :9201", addr)
	}
	return nil
}

// listen starts to answer on addr: that it is alive, but not ready.
func listen(ctx context.Context, addr string, web *webConfig, logger *slog.Logger) (*httpServer, error) {
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("--listen %s: %w", addr, err)
	}
	web.warnIfOpen(ln, logger)
	s := &httpServer{url: web.scheme() + "://" + ln.Addr().String(), logger: logger, own: newOwnMetrics(logger), failed: make(chan error, 1)}
	s.http = &http.Server{
		Handler: web.hosts.before(s, ln, addr, s.own.refused), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, IdleTimeout: 5 * time.Minute,
		ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
	}
	go func() {
		if err := web.serve(ln, s.http, logger); !errors.Is(err, http.ErrServerClosed) {
			s.failed <- err
		}
	}()
	return s, nil
}
