package cli

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/outlets"
	"github.com/promwire/promwire/cmd/promwire/internal/transfer"
	"github.com/promwire/promwire/cmd/promwire/internal/transfer/formats"
	"github.com/promwire/promwire/metrics"
	"github.com/promwire/promwire/remote"
)

type pushFlags struct {
	connection
	labels      []string
	metricType  string
	help, unit  string
	time, start string
	protocol    string
	debug       bool
	counts      bool // a dry run counts, and shows nothing
	dryRun      bool
	file        fileFlags
	state       stateFlags
	preflight   preflightFlag
	shown       shownFindings
	check       *outlets.Preflight // nil without --preflight
}

func newPush(streams IO) *cobra.Command {
	var f pushFlags
	cmd := &cobra.Command{
		Use:   "push --url URL {NAME VALUE [NAME VALUE]... | --file FILE}",
		Short: "Push samples over remote write",
		Long: `Push samples over remote write, in one request.

NAME goes out as it is: nothing is added to it, not even _total to that of a counter. VALUE is a number, NaN, +Inf or
-Inf; put -- before the first NAME if one is negative. Labels, time and metadata are those of all samples; NAME may have
labels of its own, as in 'hits{code="200"}'.

With --file, the samples come from files, or with - from the standard input: the text that /metrics shows, OpenMetrics, CSV
(see --csv-map), JSON lines as VictoriaMetrics exports them, or the series notation of promtool; what promwire read writes
comes back bit for bit. Samples without a time get that of --time, and all series get the --label. Files of any size take
constant memory: samples are sorted first, in temporary files if need be, so that each series goes out in order of time.
A bad line is named and skipped (exit code 3), with --strict nothing is sent (exit code 1). What the receiver refuses is
counted by reason. With --resume an interrupted push goes on where it was, and --verify reads all of it back. A --dry-run
reads, checks and counts, and sends nothing. More: docs/import-export.md

With --state, each pair is a recording: VALUE is added to the counter NAME (which then ends in _total), or with --type
observed in a histogram, or set as a gauge. The totals are kept in the file, so that many runs make one series that only
grows; runs wait for each other. A push that fails is counted all the same if it says so, and the next one delivers it:
do not repeat it. Without any NAME, a push with --state delivers what the file keeps.

Exit code 3 says that the receiver stored some of the samples and refused the others. Over Remote Write 1.0 a receiver
cannot say that it stored some: a refusal is exit code 1 there.`,
		Example: `  promwire push --url http://127.0.0.1:9201/api/v1/write orders_total 85 --type counter --label shop=berlin
  promwire push --url http://127.0.0.1:9201/api/v1/write queue_depth 5 --time -5m --debug
  promwire push --url http://127.0.0.1:9201/api/v1/write 'hits{code="200"}' 7 'hits{code="500"}' 1
  curl -s http://127.0.0.1:9100/metrics | promwire push --url http://127.0.0.1:9201/api/v1/write --file - --label job=node
  promwire push --url http://127.0.0.1:9201/api/v1/write --file 'dumps/*.json' --resume dumps.progress --rate 50000 --verify http://127.0.0.1:9201/api/v1/read
  promwire push --url http://127.0.0.1:9201/api/v1/write --file rooms.csv --csv-map time=when:unix_s,value=celsius,metric=temperature,label:room=room
  promwire push --url http://127.0.0.1:9201/api/v1/write -- temperature_celsius -4.5
  promwire push --url http://127.0.0.1:9201/api/v1/write --state /var/lib/backup.state backups_total 1`,
		Args: f.namesAndValues,
		RunE: func(cmd *cobra.Command, args []string) error {
			defer func() { f.shown.total(f.check) }()
			if name := f.file.given(cmd.Flags()); name != "" && len(f.file.paths) == 0 {
				return usagef("--%s needs --file", name)
			}
			return push(cmd.Context(), streams, &f, args)
		},
	}
	flags := cmd.Flags()
	f.register(flags, "/api/v1/write", remote.DefaultWriteTimeout)
	flags.StringArrayVarP(&f.labels, "label", "l", nil, "label `NAME=VALUE` (repeatable)")
	flags.StringVar(&f.metricType, "type", "", "metric type to tell the receiver: counter, gauge, histogram, gaugehistogram, summary, info or stateset")
	flags.StringVar(&f.help, "help-text", "", "what the metric means, to tell the receiver")
	flags.StringVar(&f.unit, "unit", "", "unit of the metric, to tell the receiver, like seconds")
	flags.StringVar(&f.time, "time", "now", "time of the sample: RFC 3339, Unix seconds, or relative like -5m")
	flags.StringVar(&f.start, "start-time", "", "when the counter started from zero (Remote Write 2.0 only); like --time")
	flags.StringVar(&f.protocol, "protocol", "auto", "Remote Write version: 1.0, 2.0, or auto, which tries 2.0 first")
	flags.BoolVar(&f.debug, "debug", false, "print what goes out")
	flags.BoolVar(&f.dryRun, "dry-run", false, "print what would go out (of a --file only how much, without --debug), and change nothing anywhere; --url is not needed")
	f.preflight.register(flags, ". What is refused is shown, and the exit code is 3 or 1; by default nothing is judged")
	f.state.register(flags)
	f.file.register(flags)
	return cmd
}

func (f *pushFlags) namesAndValues(_ *cobra.Command, args []string) error {
	switch {
	case len(f.file.paths) > 0 && len(args) > 0:
		return usagef("unexpected argument %q: the samples are in the --file", args[0])
	case len(f.file.paths) > 0 && (f.state.path != "" || f.metricType != "" || f.help != "" || f.unit != "" || f.start != ""):
		return usagef("--file excludes --state, --type, --help-text, --unit and --start-time")
	case len(f.file.paths) > 0:
		return nil
	case len(args) == 0 && f.state.path == "":
		return usagef("NAME is missing")
	case len(args)%2 != 0:
		return usagef("VALUE of %s is missing", args[len(args)-1])
	default:
		return nil
	}
}

func push(ctx context.Context, streams IO, f *pushFlags, args []string) error {
	if f.state.path != "" {
		return pushState(ctx, streams, f, args)
	}
	if err := f.state.refuse(); err != nil {
		return err
	}
	if len(f.file.paths) > 0 {
		if err := f.file.check(); err != nil {
			return err
		}
		return pushFiles(ctx, streams, f, time.Now())
	}
	req, err := f.request(args, time.Now())
	if err != nil {
		return err
	}
	w, err := f.writer(streams)
	if err != nil {
		return err
	}
	stats, err := w.Write(ctx, req)
	if err != nil {
		return err
	}
	return f.written(streams, stats)
}

// written says how much was written.
func (f *pushFlags) written(streams IO, stats promwire.WriteStats) error {
	if f.dryRun {
		return nil
	}
	_, err := fmt.Fprintf(streams.Out, "samples written: %d\n", stats.Samples)
	return err
}

// writer returns what the samples go to: judged by the preflight, shown, sent.
func (f *pushFlags) writer(streams IO, more ...remote.WriteOption) (promwire.Writer, error) {
	w, err := f.target(streams, more...)
	if err != nil {
		return nil, err
	}
	f.shown.w = streams.Err
	w, f.check = f.preflight.before(w, remote.PreflightOptions{}, f.shown.show)
	return w, nil
}

func (f *pushFlags) target(streams IO, more ...remote.WriteOption) (promwire.Writer, error) {
	if f.dryRun && f.counts && !f.debug {
		return nowhere{}, nil
	}
	if f.dryRun {
		return metrics.NewDebugWriter(streams.Out, nil, metrics.WithTimestamps()), nil
	}
	client, err := f.client(more...)
	if err != nil || !f.debug {
		return client, err
	}
	return metrics.NewDebugWriter(streams.Out, client, metrics.WithTimestamps()), nil
}

// nowhere takes everything.
type nowhere struct{}

// Write implements promwire.Writer.
func (nowhere) Write(_ context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	return req.Stats(), nil
}

// request makes the request of the command line.
func (f *pushFlags) request(args []string, now time.Time) (*promwire.WriteRequest, error) {
	meta, err := f.metadata()
	if err != nil {
		return nil, err
	}
	sample, err := f.times(now)
	if err != nil {
		return nil, err
	}
	req := &promwire.WriteRequest{}
	for i := 0; i < len(args); i += 2 {
		if sample.Value, err = strconv.ParseFloat(args[i+1], 64); err != nil {
			return nil, usagef("VALUE %q of %s is not a number", args[i+1], args[i])
		}
		ls, err := f.labelSet(args[i])
		if err != nil {
			return nil, err
		}
		req.Timeseries = append(req.Timeseries, promwire.TimeSeries{
			Labels: ls, Samples: []promwire.Sample{sample}, Metadata: meta,
		})
	}
	return req, nil
}

// times returns a sample with the times of the command line.
func (f *pushFlags) times(now time.Time) (promwire.Sample, error) {
	var s promwire.Sample
	t, err := parseTime(f.time, now)
	if err != nil {
		return s, usagef("--time: %w", err)
	}
	s.Timestamp = t.UnixMilli()
	if f.start != "" {
		if t, err = parseTime(f.start, now); err != nil {
			return s, usagef("--start-time: %w", err)
		}
		s.StartTimestamp = t.UnixMilli()
	}
	return s, nil
}

// labelPairs returns the labels of the command line.
func (f *pushFlags) labelPairs() ([]promwire.Label, error) {
	var pairs []promwire.Label
	for _, l := range f.labels {
		name, value, found := strings.Cut(l, "=")
		if !found {
			return nil, usagef("--label %q: want NAME=VALUE", l)
		}
		pairs = append(pairs, promwire.Label{Name: name, Value: value})
	}
	return pairs, nil
}

func (f *pushFlags) labelSet(name string) (promwire.Labels, error) {
	pairs, err := f.labelPairs()
	if err != nil {
		return nil, err
	}
	name, own, err := splitSeries(name)
	if err != nil {
		return nil, err
	}
	pairs = append(append(pairs, own...), promwire.Label{Name: promwire.MetricName, Value: name})
	ls, err := promwire.NewLabels(pairs...)
	if err == nil {
		err = ls.Validate(promwire.UTF8Names)
	}
	if err != nil {
		return nil, &usageError{err}
	}
	return ls, nil
}

func (f *pushFlags) metadata() (promwire.Metadata, error) {
	m := promwire.Metadata{Help: f.help, Unit: f.unit}
	if f.metricType == "" {
		return m, nil
	}
	for t := promwire.TypeUnknown; t <= promwire.TypeStateSet; t++ {
		if t.String() == f.metricType {
			m.Type = t
			return m, nil
		}
	}
	return m, usagef("--type %q: want counter, gauge, histogram, gaugehistogram, summary, info or stateset", f.metricType)
}

// client makes the client.
func (f *pushFlags) client(more ...remote.WriteOption) (*remote.WriteClient, error) {
	shared, err := f.options()
	if err != nil {
		return nil, err
	}
	opts := make([]remote.WriteOption, 0, len(shared)+1)
	for _, o := range shared {
		opts = append(opts, o)
	}
	switch f.protocol {
	case "auto":
	case "1.0":
		opts = append(opts, remote.WithMessageType(promwire.WriteV1))
	case "2.0":
		opts = append(opts, remote.WithMessageType(promwire.WriteV2))
	default:
		return nil, usagef("--protocol %q: want 1.0, 2.0 or auto", f.protocol)
	}
	client, err := remote.NewWriteClient(f.url, append(opts, more...)...)
	if err != nil {
		return nil, &usageError{err}
	}
	return client, nil
}

// journal opens the journal of a push of files.
func (f *pushFlags) journal(now time.Time) (*transfer.Journal, error) {
	path := f.file.resume
	if f.dryRun {
		path = ""
	}
	return transfer.OpenJournal(path, "push to "+plainURL(f.url), now.UnixMilli())
}

// splitSeries returns name and labels of a NAME like hits{code="200"}.
func splitSeries(s string) (string, []promwire.Label, error) {
	if !strings.HasSuffix(s, "}") || !strings.Contains(s, "{") {
		return s, nil, nil
	}
	pairs, err := formats.ParseSeries(s)
	if err != nil {
		return "", nil, &usageError{err}
	}
	name, labels := "", []promwire.Label(nil)
	for _, l := range pairs {
		if l.Name == promwire.MetricName {
			name = l.Value
		} else {
			labels = append(labels, l)
		}
	}
	return name, labels, nil
}
