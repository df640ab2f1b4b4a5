package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/spf13/cobra"

	"github.com/promwire/promwire"
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
}

func newRead(streams IO) *cobra.Command {
	var f readFlags
	cmd := &cobra.Command{
		Use:   "read --url URL --match SELECTOR",
		Short: "Read series over remote read",
		Long: `Read series over remote read, and print them while they arrive, in the order of their labels.

Without --start and --end, it reads the last hour. A series that several selectors match is printed once.

Formats:
  text  one line per sample: series, value, time in milliseconds; the Prometheus text format, as far as it goes
  json  one object per line and series, several for a long one: {"metric":{...},"values":[[seconds,"value"],...]} as in
        the HTTP API of Prometheus; native histograms have the fields of remote write: "histograms":[[seconds,{...}],...]
  csv   a header, then one line per sample: series,time,value`,
		Example: `  promwire read --url http://127.0.0.1:9201/api/v1/read --match orders_total
  promwire read --url http://127.0.0.1:9201/api/v1/read --match 'up{job=~"a|b"}' --match down --start -1d --format json
  promwire read --url http://127.0.0.1:9201/api/v1/read --match orders_total --start 2026-03-01T00:00:00Z --end 1772366400`,
		Args: exactArgs(),
		RunE: func(cmd *cobra.Command, _ []string) error { return read(cmd.Context(), streams, &f) },
	}
	flags := cmd.Flags()
	f.register(flags, "/api/v1/read", remote.DefaultReadTimeout)
	flags.StringArrayVarP(&f.match, "match", "m", nil, "series `SELECTOR`, like 'up{job=\"a\"}' (repeatable)")
	flags.StringVar(&f.start, "start", "", "begin of the range: RFC 3339, Unix seconds, or relative like -1h (default: an hour before --end)")
	flags.StringVar(&f.end, "end", "now", "end of the range, inclusive; like --start")
	flags.StringVar(&f.format, "format", "text", "text, json or csv")
	flags.StringVar(&f.response, "response", "auto", "what to ask the server for: samples, chunks, or auto, which prefers chunks")
	return cmd
}

func read(ctx context.Context, streams IO, f *readFlags) error {
	queries, err := f.queries(time.Now())
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(streams.Out, 64<<10)
	format, err := newFormat(f.format, out)
	if err != nil {
		return err
	}
	client, err := f.reader()
	if err != nil {
		return err
	}
	n := 0
	for ts, err := range readAll(ctx, client, queries) {
		if err != nil {
			return errors.Join(err, out.Flush())
		}
		n++
		if err := format.write(&ts); err != nil {
			return err
		}
	}
	if err := format.end(); err != nil {
		return err
	}
	if n == 0 {
		fmt.Fprintln(streams.Err, "No series match in this range.")
	}
	return out.Flush()
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

// reader makes the client.
func (f *readFlags) reader() (*remote.ReadClient, error) {
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
