package cli

import (
	"context"
	"fmt"
	"io"
	"iter"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/gateway"
	"github.com/promwire/promwire/cmd/promwire/internal/transfer"
	"github.com/promwire/promwire/cmd/promwire/internal/transfer/formats"
	"github.com/promwire/promwire/cmd/promwire/internal/transfer/tally"
	"github.com/promwire/promwire/remote"
)

// maxSelectors bounds the reads that run side by side: each takes one of the ten places that servers usually have, and
// holds it until all have ended.
const maxSelectors = 8

type readFlags struct {
	connection
	match            []string
	start, end       string
	format, response string
	output           string
	progress         bool
}

func newRead(streams IO) *cobra.Command {
	var f readFlags
	cmd := &cobra.Command{
		Use:   "read --url URL --match SELECTOR",
		Short: "Read series over remote read",
		Long: `Read series over remote read, and print them while they arrive, in the order of their labels.

--url may be the /api/v1/export of a VictoriaMetrics, too, which has no remote read.

Without --start and --end, it reads the last hour. A series that several selectors match is printed once.

Formats, which promwire push --file takes and brings back bit for bit, or says what it can't (docs/import-export.md):
  text         one line per sample: series, value, time in milliseconds; the Prometheus text format, as far as it goes.
               Native histograms are in a form for people
  openmetrics  what any reader of OpenMetrics takes
  json         JSON lines as VictoriaMetrics exports and imports them, one object per part of a series:
               {"metric":{...},"values":[...],"timestamps":[...]}; native histograms too
  csv          a header, then one line per sample: series,time,value; native histograms as JSON objects

Exit code 3 says that the format could not carry a part of the data.`,
		Example: `  promwire read --url http://127.0.0.1:9201/api/v1/read --match orders_total
  promwire read --url http://127.0.0.1:9201/api/v1/read --match 'up{job=~"a|b"}' --match down --start -1d --format json
  promwire read --url http://127.0.0.1:9201/api/v1/read --match '{job="a"}' --start -30d --format json --output a.json
  promwire read --url http://127.0.0.1:8428/api/v1/export --match orders_total --start -1d
  promwire read --url http://127.0.0.1:9201/api/v1/read --match orders_total --start 2026-03-01T00:00:00Z --end 1772366400`,
		Args: exactArgs(),
		RunE: func(cmd *cobra.Command, _ []string) error { return read(cmd.Context(), streams, &f) },
	}
	flags := cmd.Flags()
	f.register(flags, "/api/v1/read", remote.DefaultReadTimeout)
	f.registerRange(flags)
	flags.StringVar(&f.format, "format", string(formats.Text), "text, openmetrics, json or csv")
	flags.StringVarP(&f.output, "output", "o", "", "`FILE` to write to; it is there when all of it is")
	flags.BoolVar(&f.progress, "progress", false, "show progress of an --output also where standard error is no terminal")
	return cmd
}

// registerRange registers what is read.
func (f *readFlags) registerRange(flags *pflag.FlagSet) {
	flags.StringArrayVarP(&f.match, "match", "m", nil, "series `SELECTOR`, like 'up{job=\"a\"}' (repeatable)")
	flags.StringVar(&f.start, "start", "", "begin of the range: RFC 3339, Unix seconds, or relative like -1h (default: an hour before --end)")
	flags.StringVar(&f.end, "end", "now", "end of the range, inclusive; like --start")
	flags.StringVar(&f.response, "response", "auto", "what to ask the server for: samples, chunks, or auto, which prefers chunks")
}

func read(ctx context.Context, streams IO, f *readFlags) error {
	queries, err := f.queries(time.Now())
	if err != nil {
		return err
	}
	format, err := formats.Parse(f.format, formats.Writable)
	if err != nil {
		return usagef("--format %w", err)
	}
	client, err := f.reader()
	if err != nil {
		return err
	}
	out, err := newOutput(streams.Out, f.output)
	if err != nil {
		return err
	}
	n, lost, err := f.print(streams, out, format, readAll(ctx, client, queries))
	if err := out.end(err); err != nil {
		return err
	}
	if n == 0 {
		fmt.Fprintln(streams.Err, "No series match in this range.")
	}
	return f.leftOut(streams, format, n, lost)
}

// print writes series in a format, and returns how many samples there were, and what of them it could not carry.
func (f *readFlags) print(streams IO, out io.Writer, format formats.Format, all iter.Seq2[promwire.TimeSeries, error]) (n int, lost tally.Tally, err error) {
	w, err := formats.NewWriter(format, out, &lost)
	if err != nil {
		return 0, lost, err
	}
	var progress *transfer.Progress
	if f.output != "" {
		progress = progressBar(streams, f.progress)
	}
	progress.Phase("reading", "samples", 0)
	defer progress.End()
	for ts, err := range all {
		if err != nil {
			return n, lost, err
		}
		if err := w.Write(&ts); err != nil {
			return n, lost, err
		}
		n += len(ts.Samples) + len(ts.Histograms)
		progress.Add(len(ts.Samples) + len(ts.Histograms))
	}
	return n, lost, w.End()
}

// leftOut tells what the format could not carry. What is in a form for people is there all the same.
func (f *readFlags) leftOut(streams IO, format formats.Format, n int, lost tally.Tally) error {
	if lost.Total() == 0 {
		return nil
	}
	if format == formats.Text {
		lost.Print(streams.Err, "note")
		return nil
	}
	lost.Print(streams.Err, "left out")
	return &incompleteError{fmt.Sprintf("%d samples are left out: --format json has them", lost.Total()), int64(n) > lost.Total()}
}

// readAll reads the answers to all queries, which must have the same range, as one. A series that answers several of
// them is the same in each, and yielded once.
func readAll(ctx context.Context, r promwire.Reader, queries []promwire.Query) iter.Seq2[promwire.TimeSeries, error] {
	if len(queries) == 1 {
		return r.Read(ctx, queries[0])
	}
	parts := make([]iter.Seq2[promwire.TimeSeries, error], len(queries))
	for i, q := range queries {
		parts[i] = r.Read(ctx, q)
	}
	return union(parts)
}

// queries makes one query per selector.
func (f *readFlags) queries(now time.Time) ([]promwire.Query, error) {
	if len(f.match) == 0 {
		return nil, usagef("--match is missing")
	}
	if len(f.match) > maxSelectors {
		return nil, usagef("--match is given %d times, at most %d are read at once; join them: '{__name__=~\"a|b\"}'",
			len(f.match), maxSelectors)
	}
	end, err := parseTime(f.end, now)
	if err != nil {
		return nil, usagef("--end: %w", err)
	}
	start := end.Add(-time.Hour)
	if f.start != "" {
		if start, err = parseTime(f.start, now); err != nil {
			return nil, usagef("--start: %w", err)
		}
	}
	if start.After(end) {
		return nil, usagef("--start %s is after --end %s", start.Format(time.RFC3339), end.Format(time.RFC3339))
	}
	queries := make([]promwire.Query, 0, len(f.match))
	for _, selector := range f.match {
		matchers, err := promwire.ParseSelector(selector)
		if err != nil {
			return nil, &usageError{err}
		}
		queries = append(queries, promwire.Query{Start: start, End: end, Matchers: matchers})
	}
	return queries, nil
}

// reader makes the client: of remote read, or of an export of VictoriaMetrics.
func (f *readFlags) reader() (promwire.Reader, error) {
	if f.exports() {
		if f.response != "auto" {
			return nil, usagef("--response is for remote read, and %s is an export", gateway.ExportPath)
		}
		return f.exportReader()
	}
	shared, err := f.options()
	if err != nil {
		return nil, err
	}
	opts := make([]remote.ReadOption, 0, len(shared)+1)
	for _, o := range shared {
		opts = append(opts, o)
	}
	switch f.response {
	case "auto":
	case "samples":
		opts = append(opts, remote.WithResponseTypes(promwire.ResponseSamples))
	case "chunks":
		opts = append(opts, remote.WithResponseTypes(promwire.ResponseStreamedXORChunks))
	default:
		return nil, usagef("--response %q: want samples, chunks or auto", f.response)
	}
	client, err := remote.NewReadClient(f.url, opts...)
	if err != nil {
		return nil, &usageError{err}
	}
	return client, nil
}
