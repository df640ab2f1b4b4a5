package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/agent"
	"github.com/promwire/promwire/cmd/promwire/internal/memory"
	"github.com/promwire/promwire/cmd/promwire/internal/outlets"
	"github.com/promwire/promwire/cmd/promwire/internal/promconfig"
	"github.com/promwire/promwire/cmd/promwire/internal/scrape"
	"github.com/promwire/promwire/remote"
	"github.com/promwire/promwire/spool"
)

type agentFlags struct {
	config          string
	scrapes, writes []string

	interval, scrapeTimeout duration
	job, instance           string
	labels                  []string
	honorLabels             bool
	maxBody                 size
	sampleLimit             int

	protocol     string
	headers      []string
	timeout      duration
	batchSamples int
	batchWait    duration
	memory       size
	preflight    preflightFlag

	spool     string
	spoolSize size
	dropOther bool
	spoolAge  duration

	listen, logLevel      string
	hosts                 hostFlags
	shutdown, reportEvery duration
}

// maxScrapeTimeout bounds the default of --scrape-timeout, which is the interval.
const maxScrapeTimeout = 10 * time.Second

func newAgent(streams IO) *cobra.Command {
	f := agentFlags{
		interval: duration(15 * time.Second), maxBody: scrape.DefaultMaxBody, timeout: duration(remote.DefaultWriteTimeout),
		batchWait: duration(agent.DefaultBatchDeadline), memory: remote.DefaultQueueMemory,
		spoolSize: spool.DefaultMaxBytes,
		shutdown:  duration(shutdownTime), reportEvery: duration(5 * time.Minute),
	}
	cmd := &cobra.Command{
		Use:   "agent {--scrape URL --write URL | --config FILE}",
		Short: "Scrape targets and push what they expose",
		Long: `Scrape targets, as Prometheus does, and push what they expose over remote write: from where Prometheus can't reach.

Each series gets the labels job and instance, and each scrape the series up and scrape_*. Text, OpenMetrics and protobuf
are understood, native histograms, exemplars and metadata included. A bad line costs that line, and is logged. Series
that a target exposes no more, or that it can't be asked for, get stale markers.

What can't be written is tried again and waits in memory, or with --spool on disk; what a receiver refuses for good is dropped and logged with
its answer. Several --write are independent of each other. On SIGINT or SIGTERM the agent stops scraping, sends what
waits for up to --shutdown-timeout, and ends with exit code 0.

The file of --config has the blocks global, scrape_configs and remote_write of a prometheus.yml, with static_configs and
file_sd_configs. On SIGHUP it is read again; if it can't be used, the old one stays.`,
		Example: `  promwire agent --scrape http://127.0.0.1:9100/metrics --write http://prometheus:9090/api/v1/write
  promwire agent --scrape http://a:9100/metrics --scrape http://b:9100/metrics --job node --label site=berlin \
    --write http://one:9090/api/v1/write --write http://two:9090/api/v1/write --interval 30s
  promwire agent --config agent.yml --listen 127.0.0.1:9202`,
		Args: exactArgs(),
		RunE: func(cmd *cobra.Command, _ []string) error { return runAgent(cmd.Context(), streams, &f, cmd) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.config, "config", "", "`FILE` with scrape_configs and remote_write, instead of --scrape and --write")
	flags.StringArrayVar(&f.scrapes, "scrape", nil, "`URL` of a target, like http://127.0.0.1:9100/metrics (repeatable)")
	flags.StringArrayVar(&f.writes, "write", nil, "`URL` to write to, the full endpoint as in prometheus.yml (repeatable)")
	flags.Var(&f.interval, "interval", "from one scrape of a target to the next")
	flags.Var(&f.scrapeTimeout, "scrape-timeout", "how long a scrape may take; by default the interval, and at most 10s")
	flags.StringVar(&f.job, "job", "agent", "label job of all series")
	flags.StringVar(&f.instance, "instance", "", "label instance; by default host and port of the target")
	flags.StringArrayVarP(&f.labels, "label", "l", nil, "further label `NAME=VALUE` for all series (repeatable)")
	flags.BoolVar(&f.honorLabels, "honor-labels", false, "keep exposed labels that the agent would set as well")
	flags.Var(&f.maxBody, "max-body", "bound on the uncompressed answer of a target")
	flags.IntVar(&f.sampleLimit, "sample-limit", 0, "bound on the samples of one scrape; 0: none of its own")
	flags.StringVar(&f.protocol, "protocol", "auto", "Remote Write version: 1.0, 2.0, or auto, which tries 2.0 first")
	flags.StringArrayVar(&f.headers, "header", nil, "extra header `NAME: VALUE` of all --write, like 'X-Scope-OrgID: tenant' (repeatable)")
	flags.Var(&f.timeout, "timeout", "how long to wait for the answer to one request")
	flags.IntVar(&f.batchSamples, "batch-samples", agent.DefaultBatchSamples, fmt.Sprintf("bound on the samples of one request, at most %d; a scrape that fits stays together", agent.MaxBatchSamples))
	flags.Var(&f.batchWait, "batch-deadline", "how long small scrapes wait for others to share their request")
	flags.Var(&f.memory, "queue-memory", "memory for what waits, for each --write; beyond it, the oldest is dropped")
	f.preflight.register(flags, "; a request is what goes out together, so strict may hold back other targets. By default nothing is judged")
	flags.StringVar(&f.spool, "spool", "", "`DIR`ectory that keeps what waits on disk, instead of memory: it rides out outages and restarts")
	flags.Var(&f.spoolSize, "spool-size", "bound on the --spool; beyond it, the oldest is dropped")
	flags.BoolVar(&f.dropOther, "drop-left-over", false, "give up what the --spool holds for places that are not given any more")
	flags.Var(&f.spoolAge, "spool-age", "how long the --spool keeps what waits; 0: no bound")
	flags.StringVar(&f.listen, "listen", "", "address for /metrics, /-/healthy and /-/ready, `HOST:PORT`; by default none")
	f.hosts.register(flags)
	flags.Var(&f.shutdown, "shutdown-timeout", "how long to send what waits at the end")
	flags.Var(&f.reportEvery, "report-every", "from one line with figures in the log to the next; 0: only at the end")
	flags.StringVar(&f.logLevel, "log-level", "info", "debug, info, warn or error")
	return cmd
}

// configOnly are the flags that have no say beside --config.
var configOnly = []string{
	"scrape", "write", "interval", "scrape-timeout", "job", "instance", "label", "honor-labels", "max-body", "sample-limit",
	"protocol", "header", "timeout",
}

func runAgent(ctx context.Context, streams IO, f *agentFlags, cmd *cobra.Command) error {
	var level slog.Level
	if err := level.UnmarshalText([]byte(f.logLevel)); err != nil {
		return usagef("--log-level %q: want debug, info, warn or error", f.logLevel)
	}
	logger := slog.New(slog.NewTextHandler(streams.Err, &slog.HandlerOptions{Level: level}))
	c := agent.Config{
		DropLeftOver: f.dropOther, Reloadable: f.config != "", Logger: logger, BatchSamples: f.batchSamples, BatchDeadline: time.Duration(f.batchWait),
		ShutdownTimeout: time.Duration(f.shutdown), ReportEvery: time.Duration(f.reportEvery),
	}
	if err := f.hosts.check(); err != nil {
		return err
	}
	if f.batchSamples < 1 || f.batchSamples > agent.MaxBatchSamples {
		return usagef("--batch-samples %d: want 1 to %d", f.batchSamples, agent.MaxBatchSamples)
	}
	if f.memory == 0 {
		return usagef("--queue-memory must not be 0")
	}
	if c.BatchDeadline == 0 {
		c.BatchDeadline = -1 // none, for the queue
	}
	var err error
	if f.config != "" {
		for _, name := range configOnly {
			if cmd.Flags().Changed(name) {
				return usagef("--%s is for use without --config", name)
			}
		}
		err = f.fromFile(&c)
	} else {
		err = f.fromFlags(&c)
	}
	if err != nil {
		return err
	}
	if c.Spool, err = f.openSpool(logger); err != nil {
		return err
	}
	a, err := agent.New(c)
	if errors.Is(err, outlets.ErrLeftOver) {
		return err
	}
	if err != nil {
		return &usageError{err}
	}
	if f.listen != "" {
		stop, err := f.serve(ctx, a, logger)
		if err != nil {
			return err
		}
		defer stop()
	}
	if f.config != "" {
		defer onHangup(ctx, func() {
			a.Reload(func() ([]*scrape.Job, []agent.Outlet, error) {
				c := agent.Config{Logger: logger}
				err := f.fromFile(&c)
				return c.Jobs, c.Outlets, err
			})
		})()
	}
	memory.Settle()
	a.Run(ctx)
	return nil
}

// openSpool returns the spool of the command line, nil for none.
func (f *agentFlags) openSpool(logger *slog.Logger) (*spool.Spool, error) {
	if f.spool == "" {
		return nil, nil //nolint:nilnil // there need not be one
	}
	if err := checkSpoolSize("spool-size", f.spoolSize); err != nil {
		return nil, err
	}
	return spool.Open(f.spool, append(spoolLog(logger), spool.WithMaxBytes(int64(f.spoolSize)), spool.WithMaxAge(time.Duration(f.spoolAge)))...)
}

// checkSpoolSize refuses a bound that leaves no room for anything.
func checkSpoolSize(flag string, bound size) error {
	if bound < spool.MinMaxBytes {
		return usagef("--%s of %d bytes: want at least %d", flag, int64(bound), spool.MinMaxBytes)
	}
	return nil
}

// spoolLog makes a spool log what it loses, and what goes wrong with its files.
func spoolLog(logger *slog.Logger) []spool.Option {
	return []spool.Option{spool.WithLogger(outlets.Errors(logger)), spool.WithHooks(spool.Hooks{
		Dropped: func(d spool.Drop) {
			logger.Error("the spool had to drop samples", "reason", d.Reason, "samples", d.Dropped.Samples+d.Dropped.Histograms)
		},
	})}
}

// fromFile takes jobs and outlets from the configuration file.
func (f *agentFlags) fromFile(c *agent.Config) error {
	file, err := promconfig.LoadAgent(f.config)
	if err != nil {
		return usagef("--config: %w", err)
	}
	c.Jobs = file.Jobs
	for _, w := range file.Writes {
		logIgnored(c.Logger, w.Name, w.Ignored)
		if w.MaxSamples > agent.MaxBatchSamples {
			c.Logger.Warn("max_samples_per_send is bounded", "write", w.Name, "limit", agent.MaxBatchSamples)
		}
		client, err := w.Client(remote.WithoutRetry()) // the queue or the spool repeats
		if err != nil {
			return usagef("--config: %w", err)
		}
		o := agent.Outlet{Name: w.Name, Before: w.Relabel, Options: remote.QueueOptions{
			MemoryBytes: int(f.memory), MaxSampleAge: w.MaxAge, MinBackoff: w.MinBackoff, MaxBackoff: w.MaxBackoff,
			BatchSamples: w.MaxSamples, BatchDeadline: w.BatchDeadline,
		}}
		f.judge(&o, client, c.Logger)
		c.Outlets = append(c.Outlets, o)
	}
	return nil
}

// logIgnored says what a remote_write block has and what has no meaning here.
func logIgnored(logger *slog.Logger, block string, fields []string) {
	if len(fields) > 0 {
		logger.Warn("fields that have no meaning here are ignored", "write", block, "fields", strings.Join(fields, " "))
	}
}

// fromFlags makes one job of all --scrape, and an outlet of each --write.
func (f *agentFlags) fromFlags(c *agent.Config) error {
	job, err := f.newJob()
	if err != nil {
		return err
	}
	c.Jobs = []*scrape.Job{job}
	if len(f.writes) == 0 {
		return usagef("--write is missing")
	}
	seen := map[string]bool{}
	for _, raw := range f.writes {
		o, err := f.newOutlet(raw, c.Logger)
		if err != nil {
			return err
		}
		if seen[raw] {
			return usagef("--write %s is given twice", o.Name)
		}
		seen[raw] = true
		c.Outlets = append(c.Outlets, o)
	}
	return nil
}

func (f *agentFlags) newJob() (*scrape.Job, error) {
	interval, timeout := time.Duration(f.interval), time.Duration(f.scrapeTimeout)
	if timeout == 0 {
		timeout = min(interval, maxScrapeTimeout)
	}
	switch {
	case len(f.scrapes) == 0:
		return nil, usagef("--scrape is missing")
	case interval < time.Millisecond:
		return nil, usagef("--interval %v: want at least 1ms", interval)
	case timeout > interval:
		return nil, usagef("--scrape-timeout %v is longer than the --interval %v", timeout, interval)
	case f.instance != "" && len(f.scrapes) > 1:
		return nil, usagef("--instance would be that of several targets: use a --config")
	case f.job == "":
		return nil, usagef("--job must not be empty")
	case f.maxBody == 0:
		return nil, usagef("--max-body must not be 0")
	case f.sampleLimit < 0:
		return nil, usagef("--sample-limit %d is negative", f.sampleLimit)
	}
	var targets []scrape.Target
	for _, raw := range f.scrapes {
		u, err := url.Parse(raw)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return nil, usagef("--scrape: want a URL like http://127.0.0.1:9100/metrics")
		}
		ls, err := f.targetLabels(u)
		if err != nil {
			return nil, err
		}
		targets = append(targets, scrape.Target{URL: raw, Labels: ls, Interval: interval, Timeout: timeout})
	}
	return &scrape.Job{
		Name: f.job, Find: func() ([]scrape.Target, error) { return targets, nil },
		Client:      &http.Client{Transport: http.DefaultTransport.(*http.Transport).Clone()},
		HonorLabels: f.honorLabels, Limits: scrape.Limits{Body: int64(f.maxBody), Samples: f.sampleLimit},
	}, nil
}

// targetLabels returns the labels of a target. Those of --label win.
func (f *agentFlags) targetLabels(u *url.URL) (promwire.Labels, error) {
	all := map[string]string{"job": f.job, "instance": f.instance}
	if f.instance == "" {
		all["instance"] = u.Host
		if u.Port() == "" {
			all["instance"] = net.JoinHostPort(u.Hostname(), map[string]string{"http": "80", "https": "443"}[u.Scheme])
		}
	}
	for _, l := range f.labels {
		name, value, found := strings.Cut(l, "=")
		if !found || name == "" || strings.HasPrefix(name, "__") {
			return nil, usagef("--label %q: want NAME=VALUE", l)
		}
		all[name] = value
	}
	ls := promwire.LabelsFromMap(all)
	named := append(promwire.Labels{{Name: promwire.MetricName, Value: "up"}}, ls...).Normalize()
	if err := named.Validate(promwire.UTF8Names); err != nil {
		return nil, &usageError{err}
	}
	return ls, nil
}

// newOutlet makes an outlet of a --write. A URL with a scheme that nothing can be written to is no reason to end: what
// is to go there counts as refused.
func (f *agentFlags) newOutlet(raw string, logger *slog.Logger) (agent.Outlet, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return agent.Outlet{}, usagef("--write: want the full endpoint, like http://prometheus:9090/api/v1/write")
	}
	o := agent.Outlet{
		Name:    placeOf(u),
		Options: remote.QueueOptions{MemoryBytes: int(f.memory)},
	}
	connection := connection{url: raw, headers: f.headers, timeout: f.timeout}
	client, err := (&pushFlags{connection: connection, protocol: f.protocol}).client(remote.WithoutRetry())
	if err != nil && (u.Scheme == "http" || u.Scheme == "https") {
		return agent.Outlet{}, err
	}
	if err != nil {
		logger.Error("nothing can be written there", "write", o.Name, "error", err)
		o.Writer = agent.Failing(err)
		return o, nil
	}
	f.judge(&o, client, logger)
	return o, nil
}

// judge makes client the writer of an outlet, behind the preflight.
func (f *agentFlags) judge(o *agent.Outlet, client promwire.Writer, logger *slog.Logger) {
	options := remote.PreflightOptions{Endpoint: o.Name}
	o.Writer, o.Preflight = f.preflight.before(client, options, outlets.LogFindings(logger.With("write", o.Name)))
}

// placeOf is a URL without user and query, for people to read.
func placeOf(u *url.URL) string {
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

// serve serves figures and health. It returns the function that ends it.
func (f *agentFlags) serve(ctx context.Context, a *agent.Agent, logger *slog.Logger) (func(), error) {
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", f.listen)
	if err != nil {
		return nil, fmt.Errorf("--listen %s: %w", f.listen, err)
	}
	refused := newRefused()
	srv := &http.Server{
		Handler: f.hosts.before(withRefused(a, refused), ln, f.listen, refused), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, WriteTimeout: time.Minute,
		ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
	}
	go func() { _ = srv.Serve(ln) }() // ends with Close
	logger.Info("listening", "url", "http://"+ln.Addr().String())
	return func() { _ = srv.Close() }, nil
}
