package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/promwire/promwire/cmd/promwire/internal/promquery"
)

type queryCommand struct {
	url              string
	headers          []string
	timeout          duration
	time, start, end string
	step             duration
	format, plot     string
	width, height    int
}

func newQuery(streams IO) *cobra.Command {
	f := queryCommand{timeout: duration(2 * time.Minute)}
	cmd := &cobra.Command{
		Use:   "query EXPR",
		Short: "Evaluate PromQL on a server, as a table, chart or image",
		Long: `Evaluate a PromQL expression on a server with the HTTP API of Prometheus: promwire serve, Prometheus and what is like it.

Without --start it evaluates an instant, --time or now. With --start it evaluates a range up to --end, at every --step; without
--step there are about 120 points.

Formats:
  table  an instant: a line per series; a range: a block per series with a line per point; of a scalar or a string the value
  json   the result as the HTTP API has it: {"resultType":"vector","result":[...]}
  csv    a header, then a line per series and point: series,time,value; native histograms as JSON objects; scalars and
         strings have no series
  chart  a range as lines in the terminal, at most eight series; colored on a terminal, unless NO_COLOR is set

--plot draws a range into an SVG or PNG file, at most 20 series; nothing else is printed then, unless --format asks for it.
Native histograms are not drawn: histogram_quantile and the like make numbers of them. Times are in UTC.

Warnings of the server go to standard error. Exit codes: 0 done, also if no series matches; 1 failed, or the server refused the
expression; 2 wrong usage.`,
		Example: `  promwire query 'sum by (job) (rate(jobs_done_total[1h]))'
  promwire query up --time 2026-03-01T12:00:00Z --format csv
  promwire query 'rate(jobs_done_total[5m])' --start -6h --step 1m --format chart
  promwire query 'rate(jobs_done_total[5m])' --start -7d --plot week.svg
  promwire query --url https://prometheus.example:9090 --header 'Authorization: Bearer TOKEN' 'topk(5, up)'`,
		Args: exactArgs("EXPR"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.plot == "" || cmd.Flags().Changed("format") {
				return f.run(cmd.Context(), streams, args[0], f.format)
			}
			return f.run(cmd.Context(), streams, args[0], "")
		},
	}
	f.register(cmd)
	return cmd
}

func (f *queryCommand) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.url, "url", "http://127.0.0.1:9201", "base `URL` of the server, without /api/v1; user and password may be in it")
	flags.StringArrayVar(&f.headers, "header", nil, "extra header `NAME: VALUE`, like 'X-Scope-OrgID: tenant' (repeatable)")
	flags.Var(&f.timeout, "timeout", "how long to wait for the server; 0: for ever")
	flags.StringVar(&f.time, "time", "", "instant to evaluate: RFC 3339, Unix seconds, or relative like -1h (default: now)")
	flags.StringVar(&f.start, "start", "", "begin of a range; like --time")
	flags.StringVar(&f.end, "end", "", "end of the range, inclusive; like --time (default: now)")
	flags.Var(&f.step, "step", "distance of the points of a range, like 30s or 1h")
	flags.StringVar(&f.format, "format", "table", "table, json, csv or chart")
	flags.StringVar(&f.plot, "plot", "", "image `FILE` to draw a range into: .svg or .png")
	flags.IntVar(&f.width, "width", 0, "width of a chart, in characters (default: of the terminal, or 80)")
	flags.IntVar(&f.height, "height", 0, "height of a chart, in lines (default: 15)")
}

// run asks the server and shows the answer; without a format only as an image.
func (f *queryCommand) run(ctx context.Context, streams IO, expr, format string) error {
	r, err := f.request(expr, time.Now())
	if err != nil {
		return err
	}
	if err := f.check(format, r.Step > 0); err != nil {
		return err
	}
	client := promquery.Client{URL: f.url, Header: http.Header{}, Timeout: time.Duration(f.timeout)}
	for _, h := range f.headers {
		name, value, err := cutHeader(h)
		if err != nil {
			return err
		}
		client.Header.Add(name, value)
	}
	a, err := client.Query(ctx, r)
	if err != nil {
		return err
	}
	for _, w := range a.Warnings {
		fmt.Fprintf(streams.Err, "warning: %s\n", w)
	}
	if promquery.Empty(a.Value) {
		fmt.Fprintln(streams.Err, "No series match.")
	}
	if err := f.draw(&r, a, streams.Err); err != nil {
		return err
	}
	return f.print(&r, a, format, streams)
}

// print writes the answer in a format.
func (f *queryCommand) print(r *promquery.Request, a promquery.Answer, format string, streams IO) error {
	out := bufio.NewWriter(streams.Out)
	var err error
	switch format {
	case "table":
		err = promquery.WriteTable(out, a.Value)
	case "json":
		err = promquery.WriteJSON(out, a.Value)
	case "csv":
		err = promquery.WriteCSV(out, a.Value)
	case "chart":
		if promquery.Empty(a.Value) {
			return nil
		}
		var left string
		left, err = promquery.WriteChart(out, r, a.Value, f.terminal(streams.Out))
		note(streams.Err, left)
	}
	return errors.Join(err, out.Flush())
}

// draw writes the image that --plot asks for.
func (f *queryCommand) draw(r *promquery.Request, a promquery.Answer, stderr io.Writer) error {
	if f.plot == "" || promquery.Empty(a.Value) {
		return nil
	}
	image, left, err := promquery.Plot(r, a.Value, imageFormat(f.plot))
	if err != nil {
		return err
	}
	note(stderr, left)
	file, err := newOutput(nil, f.plot)
	if err != nil {
		return err
	}
	_, err = file.Write(image)
	return file.end(err)
}

func note(stderr io.Writer, left string) {
	if left != "" {
		fmt.Fprintf(stderr, "note: %s\n", left)
	}
}

// terminal says what a chart is drawn for.
func (f *queryCommand) terminal(out io.Writer) promquery.Terminal {
	t := promquery.Terminal{Width: f.width, Height: f.height}
	if file, ok := out.(*os.File); ok {
		if columns, ok := terminalWidth(file); ok {
			_, plain := os.LookupEnv("NO_COLOR")
			t.Color = !plain
			if t.Width == 0 {
				t.Width = columns
			}
		}
	}
	return t
}
