package cli

import (
	"cmp"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/gateway"
	"github.com/promwire/promwire/cmd/promwire/internal/promconfig"
	"github.com/promwire/promwire/cmd/promwire/internal/relay"
	"github.com/promwire/promwire/compress/gzip"
	"github.com/promwire/promwire/compress/zstd"
	"github.com/promwire/promwire/remote"
)

// settings returns what the flags say, without a spool.
func (f *upstreamFlags) settings(s *serveFlags, logger *slog.Logger) (gateway.Config, error) {
	endpoints, err := gateway.ParseUpstream(f.upstream)
	if err != nil {
		return gateway.Config{}, usagef("--upstream: %w", err)
	}
	if endpoints.Write == "" && f.write == "" && f.config == "" {
		return gateway.Config{}, usagef("--upstream.write is missing: the endpoint of Thanos Receive, such as http://127.0.0.1:19291/api/v1/receive")
	}
	f.write = cmp.Or(f.write, endpoints.Write)
	f.toEngine = relayFlags{deadLetters: f.deadLetters, bisect: f.bisect, preflight: f.preflight}
	target, connection, err := f.road(logger)
	if err != nil {
		return gateway.Config{}, err
	}
	c := gateway.Config{
		Engine: gateway.Engine{
			Endpoints: endpoints, Link: gateway.NewLink(connection), Timeout: time.Duration(s.query.timeout), TempDir: s.data,
		},
		Relay: relay.Config{
			Targets: []relay.Target{target}, Mode: relay.Replicate, Logger: logger,
			Compressions: []promwire.Compression{zstd.Codec{}, gzip.Codec{}},
		},
		MaxConcurrency: s.query.maxConcurrency, MaxSamples: s.query.maxSamples, Logger: logger,
	}
	e := &c.Engine
	e.Query, e.Read = cmp.Or(f.query, e.Query), cmp.Or(f.read, e.Read)
	if _, err := gateway.ParseURL(e.Query); err != nil {
		return c, usagef("--upstream.query: %w", err)
	}
	if _, err := e.Reader(); err != nil {
		return c, usagef("--upstream.read: %w", err)
	}
	return c, nil
}

// road returns how the engine is reached now, for writes, and for queries and reads: by the file, or by the flags.
func (f *upstreamFlags) road(logger *slog.Logger) (relay.Target, gateway.Connection, error) {
	if f.config != "" {
		return f.roadOfFile(logger)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 32
	c := gateway.Connection{Transport: transport, Header: http.Header{}}
	opts := []remote.WriteOption{remote.WithHTTPClient(&http.Client{Transport: transport}), remote.WithoutRetry()}
	for _, h := range f.headers {
		name, value, found := strings.Cut(h, ":")
		if !found {
			return relay.Target{}, c, usagef("--upstream.header %q: want 'NAME: VALUE'", h)
		}
		c.Header.Set(strings.TrimSpace(name), strings.TrimSpace(value))
		opts = append(opts, remote.WithHeader(strings.TrimSpace(name), strings.TrimSpace(value)))
	}
	client, err := remote.NewWriteClient(f.write, opts...)
	if err != nil {
		return relay.Target{}, c, usagef("--upstream.write: %w", err)
	}
	target, err := f.toEngine.newTarget(upstreamTarget, client, logger)
	target.Options.Gather, target.Options.MergeSamples = gatherTime, mergedSamples
	return target, c, err
}

// upstreamTarget is the engine for the spool, wherever it is.
const upstreamTarget = "upstream"

func (f *upstreamFlags) roadOfFile(logger *slog.Logger) (relay.Target, gateway.Connection, error) {
	var c gateway.Connection
	blocks, err := promconfig.Load(f.config)
	if err == nil && len(blocks) != 1 {
		err = errors.New("want one remote_write block: there is one engine")
	}
	if err != nil {
		return relay.Target{}, c, usagef("--upstream.config: %w", err)
	}
	if c.Transport, c.Header, err = blocks[0].Connection(); err != nil {
		return relay.Target{}, c, usagef("--upstream.config: %w", err)
	}
	target, err := f.toEngine.ofBlock(upstreamTarget, blocks[0], gatherTime, logger)
	return target, c, err
}

// reload has --upstream.config take effect. If it can't be used, the old one stays.
func (f *upstreamFlags) reload(g *gateway.Gateway, own *ownMetrics, logger *slog.Logger) {
	if f.config == "" {
		logger.Info("SIGHUP: there is no --upstream.config to read again")
		return
	}
	target, connection, err := f.road(logger)
	if err == nil {
		err = g.Reconnect(target, connection)
	}
	own.reload.done(err)
	if err != nil {
		logger.Error("the configuration can't be used; the old one stays", "err", err)
		return
	}
	logger.Info("the configuration was read again", "file", f.config)
}
