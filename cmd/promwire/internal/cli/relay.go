package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/cores"
	"github.com/promwire/promwire/cmd/promwire/internal/memory"
	"github.com/promwire/promwire/cmd/promwire/internal/outlets"
	"github.com/promwire/promwire/cmd/promwire/internal/promconfig"
	"github.com/promwire/promwire/cmd/promwire/internal/relay"
	"github.com/promwire/promwire/compress/gzip"
	"github.com/promwire/promwire/compress/zstd"
	"github.com/promwire/promwire/remote"
	"github.com/promwire/promwire/server"
	"github.com/promwire/promwire/spool"
)

// gatherTime is how long requests may wait to be forwarded together, blockGatherTime that of remote_write blocks, as in
// Prometheus.
const (
	gatherTime      = 200 * time.Millisecond
	blockGatherTime = 5 * time.Second
)

// mergedSamples bounds requests that have to be decoded on their way, in samples: as many as Prometheus sends, so that
// memory stays small.
const mergedSamples = 2000

type relayFlags struct {
	config   string
	writes   []string
	protocol string
	headers  []string
	timeout  duration
	gather   duration

	mode                 string
	tenantLabel          string
	keepLabel, dropOther bool

	spool     string
	spoolSize size
	spoolAge  duration
	sync      string
	refuse    bool

	deadLetters string
	kept        map[string]*keptOfTarget // by target
	bisect      int
	preflight   preflightFlag

	listen, logLevel string
	hosts            hostFlags
	shutdown         duration
}

func newRelay(streams IO) *cobra.Command {
	f := relayFlags{timeout: duration(remote.DefaultWriteTimeout), gather: duration(gatherTime), spoolSize: spool.DefaultMaxBytes, shutdown: duration(shutdownTime)}
	cmd := &cobra.Command{
		Use:   "relay --spool DIR {--write URL | --config FILE}",
		Short: "Receive remote write, keep it on disk, and forward it to one or many targets",
		Long: `Receive remote write (1.0 and 2.0), keep it on disk, and forward it to one or many targets: to Mimir, Cortex, Thanos
Receive, VictoriaMetrics, Prometheus, or another relay.

A request that is answered with 204 is on disk (see --sync) until every target has it. Each target is served at its own
speed and in order; one that is down or slow holds up no other. What a target refuses for good is dropped and logged
with its answer, and kept in --dead-letters; with --bisect, one bad series costs itself only. Requests are passed on as they came where nothing has to change, but small ones
together; a target that takes Remote Write 1.0 only gets them as 1.0.

The file of --config is a prometheus.yml: its remote_write blocks are the targets, with their authentication, TLS, headers
and write_relabel_configs. Other blocks are ignored. On SIGHUP it is read again; if it can't be used, the old one stays. The tenant of a request (X-Scope-OrgID) is passed on.

The relay has no authentication of its own: it listens on the loopback interface unless --listen says otherwise.`,
		Example: `  promwire relay --spool ./spool --write http://mimir:8080/api/v1/push --header 'X-Scope-OrgID: team'
  promwire relay --spool /var/lib/promwire/relay --config prometheus.yml --listen :9203
  promwire relay --spool ./spool --mode shard --write http://a:8428/api/v1/write --write http://b:8428/api/v1/write`,
		Args: exactArgs(),
		RunE: func(cmd *cobra.Command, _ []string) error { return runRelay(cmd, streams, &f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.config, "config", "", "`FILE` with remote_write blocks, instead of --write")
	flags.StringArrayVar(&f.writes, "write", nil, "`URL` to forward to, the full endpoint as in prometheus.yml (repeatable)")
	flags.StringVar(&f.protocol, "protocol", "auto", "Remote Write version: 1.0, 2.0, or auto, which passes on what comes as long as the target takes it")
	flags.StringArrayVar(&f.headers, "header", nil, "extra header `NAME: VALUE` of all --write, like 'X-Scope-OrgID: tenant' (repeatable)")
	flags.Var(&f.timeout, "timeout", "how long to wait for the answer to one request")
	flags.Var(&f.gather, "gather", "how long requests may wait to be forwarded together, if they are no full one; 0: not at all")
	flags.StringVar(&f.mode, "mode", string(relay.Replicate), "replicate: everything to every target; shard: each series to one of them")
	flags.StringVar(&f.tenantLabel, "tenant-label", "", "`LABEL` whose value is the tenant that a series is forwarded for")
	flags.BoolVar(&f.keepLabel, "keep-tenant-label", false, "leave the --tenant-label on the series")
	flags.StringVar(&f.spool, "spool", "", "`DIR`ectory that keeps requests until they are forwarded")
	flags.Var(&f.spoolSize, "spool-size", "bound on the --spool; beyond it, the oldest is dropped")
	flags.Var(&f.spoolAge, "spool-age", "how long the --spool keeps requests; 0: no bound")
	flags.BoolVar(&f.refuse, "refuse-when-full", false, "answer with 503 when the --spool is full, instead of dropping the oldest")
	flags.StringVar(&f.sync, "sync", "always", "when requests are forced to disk: always, before they are acknowledged; interval, once a second; never. Only the first survives a power cut")
	flags.StringVar(&f.deadLetters, "dead-letters", "", "`DIR`ectory for what targets refuse for good: for each target a file of JSON lines, with reasons")
	flags.IntVar(&f.bisect, "bisect", 0, "how many requests may look for what is bad in one that a target refuses without naming it; 0: none")
	f.preflight.register(flags, ". By default nothing is judged, and requests need not be decoded")
	flags.BoolVar(&f.dropOther, "drop-left-over", false, "give up what the --spool holds for targets that are not given any more")
	flags.StringVar(&f.listen, "listen", "127.0.0.1:9203", "address to listen on, `HOST:PORT`; port 0 takes a free one")
	f.hosts.register(flags)
	flags.Var(&f.shutdown, "shutdown-timeout", "how long to forward what waits at the end; the rest stays in the --spool")
	flags.StringVar(&f.logLevel, "log-level", "info", "debug, info, warn or error")
	return cmd
}

func runRelay(cmd *cobra.Command, streams IO, f *relayFlags) error {
	var level slog.Level
	if err := level.UnmarshalText([]byte(f.logLevel)); err != nil {
		return usagef("--log-level %q: want debug, info, warn or error", f.logLevel)
	}
	logger := slog.New(slog.NewTextHandler(streams.Err, &slog.HandlerOptions{Level: level}))
	if err := require("spool", f.spool); err != nil {
		return err
	}
	if _, ok := syncPolicies[f.sync]; !ok {
		return usagef("--sync %q: want always, interval or never", f.sync)
	}
	ctx := cmd.Context()
	if err := errors.Join(checkAddress(ctx, f.listen), f.hosts.check()); err != nil {
		return err
	}
	c, err := f.settings(cmd, logger)
	if err != nil {
		return err
	}
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", f.listen)
	if err != nil {
		return fmt.Errorf("--listen %s: %w", f.listen, err)
	}
	if c.Spool, err = f.openSpool(&c); err != nil {
		return errors.Join(err, ln.Close())
	}
	r, err := relay.New(c)
	if err != nil {
		return errors.Join(err, ln.Close())
	}
	go cores.Adapt(ctx)
	if f.config != "" {
		defer onHangup(ctx, func() { r.Reload(func() ([]relay.Target, error) { return f.fromFile(logger) }) })()
	}
	return f.serve(ctx, ln, r, streams, logger)
}

// serve receives until ctx ends.
func (f *relayFlags) serve(ctx context.Context, ln net.Listener, r *relay.Relay, streams IO, logger *slog.Logger) error {
	refused := newRefused()
	srv := &http.Server{
		Handler: f.hosts.before(withRefused(r, refused), ln, f.listen, refused), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 5 * time.Minute,
		ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
	}
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(ln) }()
	new(webConfig).warnIfOpen(ln, logger)
	addr := "http://" + ln.Addr().String()
	memory.Settle()
	fmt.Fprintf(streams.Out, "promwire relay is ready, spool in %s\n  remote write  %s%s\n  figures       %s/metrics\n", f.spool, addr, server.WritePath, addr)
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	return errors.Join(err, f.end(srv, r, logger))
}

// end ends receiving first, so that all that is acknowledged gets its chance to be forwarded.
func (f *relayFlags) end(srv *http.Server, r *relay.Relay, logger *slog.Logger) error {
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTime)
	defer cancel()
	if srv.Shutdown(ctx) != nil {
		logger.Warn("some requests did not end in time and are cut off")
		_ = srv.Close()
	}
	last, cancelLast := context.WithTimeout(context.Background(), time.Duration(f.shutdown))
	defer cancelLast()
	return r.End(last)
}

// settings returns what the flags say, without a spool.
func (f *relayFlags) settings(cmd *cobra.Command, logger *slog.Logger) (relay.Config, error) {
	targets, err := f.targets(cmd, logger)
	if err != nil {
		return relay.Config{}, err
	}
	c := relay.Config{
		Targets: targets, Mode: relay.Mode(f.mode), TenantLabel: f.tenantLabel, KeepLabel: f.keepLabel,
		DropLeftOver: f.dropOther, Reloadable: f.config != "", Compressions: []promwire.Compression{zstd.Codec{}, gzip.Codec{}}, Logger: logger,
	}
	if err := c.Check(); err != nil {
		return c, &usageError{err}
	}
	return c, nil
}

// openSpool opens the spool of a relay.
func (f *relayFlags) openSpool(c *relay.Config) (*spool.Spool, error) {
	if err := checkSpoolSize("spool-size", f.spoolSize); err != nil {
		return nil, err
	}
	opts := append(spoolLog(c.Logger), spool.WithMaxBytes(int64(f.spoolSize)), spool.WithMaxAge(time.Duration(f.spoolAge)),
		spool.WithSync(syncPolicies[f.sync]), spool.WithCompressions(c.Compressions...))
	if f.refuse {
		opts = append(opts, spool.WithRefuseWhenFull())
	}
	return spool.Open(f.spool, opts...)
}

var syncPolicies = map[string]spool.Sync{"always": spool.SyncAlways, "interval": spool.SyncInterval, "never": spool.SyncNone}

// targets returns those of the file or of --write.
func (f *relayFlags) targets(cmd *cobra.Command, logger *slog.Logger) ([]relay.Target, error) {
	if f.config != "" {
		for _, name := range []string{"write", "protocol", "header", "timeout", "gather"} {
			if cmd.Flags().Changed(name) {
				return nil, usagef("--%s is for use without --config", name)
			}
		}
		return f.fromFile(logger)
	}
	if len(f.writes) == 0 {
		return nil, usagef("--write or --config is missing")
	}
	var targets []relay.Target
	for _, raw := range f.writes {
		client, err := (&pushFlags{connection: connection{url: raw, headers: f.headers, timeout: f.timeout}, protocol: f.protocol}).client(remote.WithoutRetry())
		if err != nil {
			return nil, usagef("--write: %w", err)
		}
		u, err := url.Parse(raw)
		if err != nil {
			return nil, usagef("--write: %w", err)
		}
		target, err := f.newTarget(placeOf(u), client, logger)
		if err != nil {
			return nil, err
		}
		target.Options.Gather, target.Options.MergeSamples = time.Duration(f.gather), mergedSamples
		targets = append(targets, target)
	}
	return targets, nil
}

func (f *relayFlags) fromFile(logger *slog.Logger) ([]relay.Target, error) {
	blocks, err := promconfig.Load(f.config)
	if err != nil {
		return nil, usagef("--config: %w", err)
	}
	var targets []relay.Target
	for _, b := range blocks {
		target, err := f.ofBlock(b.Name, b, blockGatherTime, logger)
		if err != nil {
			return nil, err
		}
		targets = append(targets, target)
	}
	return targets, nil
}

// ofBlock returns the target of a remote_write block. Requests wait for others for gather, if the block does not say how long.
func (f *relayFlags) ofBlock(name string, b *promconfig.RemoteWrite, gather time.Duration, logger *slog.Logger) (relay.Target, error) {
	client, err := b.Client(remote.WithoutRetry())
	if err != nil {
		return relay.Target{}, usagef("%s: %w", b.Name, err)
	}
	target, err := f.newTarget(name, client, logger)
	if err != nil {
		return target, err
	}
	target.Before, target.MaxAge = b.Relabel, b.MaxAge
	logIgnored(logger, b.Name, b.Ignored)
	o := &target.Options
	o.JoinSamples, o.MinBackoff, o.MaxBackoff = b.MaxSamples, b.MinBackoff, b.MaxBackoff
	o.Gather, o.MergeSamples = cmp.Or(b.BatchDeadline, gather), cmp.Or(b.MaxSamples, mergedSamples)
	if !b.PassesThrough() || b.MaxAge > 0 {
		o.JoinSamples = o.MergeSamples
	}
	return target, nil
}

// keptOfTarget is what a target keeps across reloads.
type keptOfTarget struct {
	letters    *remote.DeadLetterFile // nil for none; open until the process ends, as each line is written at once
	insistence outlets.Insistence
}

// newTarget puts in front of a client what finds out about each item that is refused, and the preflight.
func (f *relayFlags) newTarget(name string, client *remote.WriteClient, logger *slog.Logger) (relay.Target, error) {
	if f.bisect < 0 {
		return relay.Target{}, usagef("--bisect %d is negative", f.bisect)
	}
	kept, err := f.keptOf(name)
	if err != nil {
		return relay.Target{}, fmt.Errorf("--dead-letters: %w", err)
	}
	o := remote.DeliveryOptions{Endpoint: name, MaxBisectRequests: f.bisect}
	if kept.letters != nil {
		o.DeadLetters = kept.letters
	}
	target := relay.Target{Name: name}
	if f.preflight.strict() {
		target.Options.JoinBytes = -1 // a request holds back itself, not those that came beside it
	}
	options := remote.PreflightOptions{Endpoint: name, DeadLetters: o.DeadLetters}
	delivery := remote.NewDelivery(kept.insistence.Before(client), o)
	target.Writer, target.Preflight = f.preflight.before(delivery, options, outlets.LogFindings(logger.With("write", name)))
	return target, nil
}

// keptOf returns what a target keeps.
func (f *relayFlags) keptOf(name string) (*keptOfTarget, error) {
	if there := f.kept[name]; there != nil {
		return there, nil
	}
	kept := &keptOfTarget{}
	if f.deadLetters != "" {
		if err := os.MkdirAll(f.deadLetters, 0o700); err != nil {
			return nil, err
		}
		var err error
		path := filepath.Join(f.deadLetters, promconfig.FileName(name)+".jsonl")
		if kept.letters, err = remote.OpenDeadLetters(path, remote.DeadLetterOptions{Sync: true}); err != nil {
			return nil, err
		}
	}
	if f.kept == nil {
		f.kept = map[string]*keptOfTarget{}
	}
	f.kept[name] = kept
	return kept, nil
}
