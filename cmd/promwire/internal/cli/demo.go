package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/queryapi"
	"github.com/promwire/promwire/cmd/promwire/internal/transfer/formats"
	"github.com/promwire/promwire/cmd/promwire/internal/tsdbstore"
	"github.com/promwire/promwire/examples/billing/billing"
	"github.com/promwire/promwire/metrics"
	"github.com/promwire/promwire/remote"
)

// demoMinFree is the free disk space that the demo asks for: it stores a handful of samples.
const demoMinFree = 16 << 20

func newDemo(streams IO) *cobra.Command {
	var once bool
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "See the whole road: push, store, read back",
		Long: `Start a store in a temporary folder on a free loopback port, push the metrics of a billing service to it over
remote write, read them back over remote read, and compare. Prints what went over the wire, what was stored, and what to try
next; stays up until Ctrl-C, and removes the folder.`,
		Example: "  promwire demo\n  promwire demo --once",
		Args:    exactArgs(),
		RunE:    func(cmd *cobra.Command, _ []string) error { return demo(cmd.Context(), streams, once) },
	}
	cmd.Flags().BoolVar(&once, "once", false, "end after the data were read back")
	return cmd
}

func demo(ctx context.Context, streams IO, once bool) (err error) {
	dir, err := os.MkdirTemp("", "promwire-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	logger := slog.New(slog.NewTextHandler(streams.Err, &slog.HandlerOptions{Level: slog.LevelWarn}))
	store, err := tsdbstore.Open(dir, tsdbstore.Options{Logger: logger, MinFree: demoMinFree})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	srv, err := listen(ctx, "127.0.0.1:0", &webConfig{}, logger)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, srv.stop()) }()
	srv.ready(store, queryapi.Options{}, adminFlags{})
	if err := roundTrip(ctx, streams.Out, srv); err != nil || once {
		return err
	}
	fmt.Fprint(streams.Out, "\nStill up, with data in ", dir, ". Try:\n\n", tryNext(srv), "\nCtrl-C ends it and removes the data.\n")
	select {
	case <-ctx.Done():
		return nil
	case err := <-srv.failed:
		return err
	}
}

// tryNext are commands for the demo's server.
func tryNext(srv *httpServer) string {
	return fmt.Sprintf(`  %[3]s/   in a browser: what arrives, metrics, PromQL

  promwire push --url %[1]s billing_refunds_total 3 --type counter --debug
  promwire read --url %[2]s --match billing_refunds_total
  promwire read --url %[2]s --match '{__name__=~"billing_.+"}' --format json
  promwire query --url %[3]s 'sum by (__name__) ({__name__=~"billing_.+"})'
  curl %[3]s%[4]s

or point a Prometheus at it, in prometheus.yml:

  remote_write:
    - url: %[1]s
  remote_read:
    - url: %[2]s
`, srv.writeURL(), srv.readURL(), srv.url, readyPath)
}

// roundTrip pushes the example, reads it back and compares.
func roundTrip(ctx context.Context, out io.Writer, srv *httpServer) error {
	client, err := remote.NewWriteClient(srv.writeURL())
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "Pushing to %s:\n\n", srv.writeURL())
	pushed := &recorder{next: client}
	now := time.Now()
	if err := billing.Run(ctx, metrics.NewDebugWriter(out, pushed), now); err != nil {
		return fmt.Errorf("push: %w", err)
	}
	reader, err := remote.NewReadClient(srv.readURL())
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "\nStored, read back from %s:\n\n", srv.readURL())
	stored, err := readBack(ctx, reader, now)
	if err != nil {
		return fmt.Errorf("read back: %w", err)
	}
	for i := range stored {
		printSeries(out, &stored[i])
	}
	n, err := compare(pushed.series, stored)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "\n%d samples of %d series came back as they were pushed, bit for bit.\n", n, len(stored))
	return err
}

// printSeries prints a series and its samples on one line.
func printSeries(out io.Writer, ts *promwire.TimeSeries) {
	fmt.Fprint(out, ts.Labels)
	for _, s := range ts.Samples {
		fmt.Fprintf(out, " %s@%s", formats.FormatFloat(s.Value), time.UnixMilli(s.Timestamp).Format("15:04:05.000"))
	}
	fmt.Fprintln(out)
}

// recorder keeps what it passes on.
type recorder struct {
	next   promwire.Writer
	series []promwire.TimeSeries
}

// Write implements promwire.Writer.
func (r *recorder) Write(ctx context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	r.series = append(r.series, req.Clone().Timeseries...)
	return r.next.Write(ctx, req)
}

// readBack reads all series of the example.
func readBack(ctx context.Context, r promwire.Reader, now time.Time) ([]promwire.TimeSeries, error) {
	matchers, err := promwire.ParseSelector(`{__name__=~"billing_.+"}`)
	if err != nil {
		return nil, err
	}
	q := promwire.Query{Start: now.Add(-time.Hour), End: now.Add(time.Hour), Matchers: matchers}
	var out []promwire.TimeSeries
	for ts, err := range promwire.JoinSeries(r.Read(ctx, q)) {
		if err != nil {
			return nil, err
		}
		out = append(out, ts.Clone())
	}
	return out, nil
}

// compare checks that the stored series are those pushed, sample by sample, and counts the samples.
func compare(pushed, stored []promwire.TimeSeries) (int, error) {
	want := map[string][]promwire.Sample{}
	n := 0
	for i := range pushed {
		name := pushed[i].Labels.String()
		want[name] = append(want[name], pushed[i].Samples...)
		n += len(pushed[i].Samples)
	}
	for i := range stored {
		name := stored[i].Labels.String()
		if !slices.EqualFunc(want[name], stored[i].Samples, sameSample) {
			return 0, fmt.Errorf("%s came back as %v, pushed was %v", name, stored[i].Samples, want[name])
		}
		delete(want, name)
	}
	for name := range want {
		return 0, fmt.Errorf("%s did not come back", name)
	}
	return n, nil
}

// sameSample compares bit by bit; the demo's store keeps no start timestamps.
func sameSample(a, b promwire.Sample) bool {
	return a.Timestamp == b.Timestamp && math.Float64bits(a.Value) == math.Float64bits(b.Value)
}
