package cli

import (
	"context"
	"fmt"
	"iter"
	"math"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/transfer"
	"github.com/promwire/promwire/remote"
)

// copyFlags are the two ends, and what goes from one to the other.
type copyFlags struct {
	from   readFlags
	to     pushFlags
	send   sendFlags
	window duration
}

func newCopy(streams IO) *cobra.Command {
	var f copyFlags
	cmd := &cobra.Command{
		Use:   "copy --from URL --to URL --match SELECTOR",
		Short: "Copy series from a remote-read endpoint to a remote-write endpoint",
		Long: `Copy series from a remote-read endpoint to a remote-write endpoint, in constant memory.

The range is read and sent in windows of --window, oldest first, so that a receiver without an out-of-order window takes
all of it. Values arrive bit for bit, native histograms and stale markers included; remote read has neither exemplars nor
metadata. What the receiver refuses is counted by reason (exit code 3). With --resume an interrupted copy goes on after the
last acknowledged request, and --verify compares both ends value by value, afterwards (exit code 1 if something is missing).

Credentials of each end are in its URL, or in its headers. A server with external labels adds them to what it answers, and
so they are copied too.`,
		Example: `  promwire copy --from http://old:9090/api/v1/read --to http://new:9201/api/v1/write --match '{job="billing"}' --start -30d
  promwire copy --from https://user:password@old.example.org/api/v1/read --to https://new.example.org/api/v1/push --to-header 'X-Scope-OrgID: team' \
    --match '{__name__=~".+"}' --start 2026-01-01T00:00:00Z --end 2026-02-01T00:00:00Z --resume january.progress --rate 100000 \
    --verify https://new.example.org/prometheus/api/v1/read`,
		Args: exactArgs(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			defer func() { f.to.shown.total(f.to.check) }()
			return copySeries(cmd.Context(), streams, &f)
		},
	}
	flags := cmd.Flags()
	f.from.timeout, f.to.timeout = duration(remote.DefaultReadTimeout), duration(remote.DefaultWriteTimeout)
	flags.StringVar(&f.from.url, "from", "", "the remote-read endpoint `URL`, like http://127.0.0.1:9201/api/v1/read, or the /api/v1/export of a VictoriaMetrics")
	flags.StringArrayVar(&f.from.headers, "from-header", nil, "extra header `NAME: VALUE` for --from (repeatable)")
	flags.Var(&f.from.timeout, "from-timeout", "how long to wait for --from; 0: for ever")
	flags.StringVar(&f.to.url, "to", "", "the remote-write endpoint `URL`, like http://127.0.0.1:9201/api/v1/write")
	flags.StringArrayVar(&f.to.headers, "to-header", nil, "extra header `NAME: VALUE` for --to and --verify (repeatable)")
	flags.Var(&f.to.timeout, "to-timeout", "how long to wait for --to, each time; 0: for ever")
	f.from.registerRange(flags)
	f.window = duration(transfer.DefaultWindow)
	flags.Var(&f.window, "window", "how much time is read at once")
	flags.StringVar(&f.to.protocol, "protocol", "auto", "Remote Write version: 1.0, 2.0, or auto, which tries 2.0 first")
	flags.BoolVar(&f.to.dryRun, "dry-run", false, "read, judge and count, and send nothing; --to is not needed")
	f.to.preflight.register(flags, ". By default nothing is judged")
	f.send.register(flags, "")
	return cmd
}

func copySeries(ctx context.Context, streams IO, f *copyFlags) error {
	if err := f.check(); err != nil {
		return err
	}
	path := f.send.resume
	if f.to.dryRun {
		path = ""
	}
	journal, err := transfer.OpenJournal(path, f.task(), time.Now().UnixMilli())
	if err != nil {
		return err
	}
	queries, err := f.from.queries(time.UnixMilli(journal.Now))
	if err != nil {
		return err
	}
	reader, err := f.from.reader()
	if err != nil {
		return err
	}
	f.to.counts = true
	w, err := f.to.bulkWriter(streams)
	if err != nil {
		return err
	}
	c := &transfer.Copy{
		Start: queries[0].Start, End: queries[0].End, Window: time.Duration(f.window),
		Read: func(ctx context.Context, start, end time.Time) iter.Seq2[promwire.TimeSeries, error] {
			part := append([]promwire.Query(nil), queries...)
			for i := range part {
				part[i].Start, part[i].End = start, end
			}
			return readAll(ctx, reader, part)
		},
	}
	return f.run(ctx, streams, c, w, journal)
}

// run copies, verifies and reports.
func (f *copyFlags) run(ctx context.Context, streams IO, c *transfer.Copy, w promwire.Writer, journal *transfer.Journal) error {
	progress := f.send.bar(streams)
	defer progress.End()
	if !journal.Done {
		seconds := progressOf(progress, c)
		progress.Phase("copying", "hours", seconds)
		if err := c.Send(ctx, f.send.sender(w, journal, nil)); err != nil {
			return f.send.interrupted(journal, err)
		}
		progress.Complete()
		journal.Done = true
		if err := journal.Save(); err != nil {
			return err
		}
	}
	verified, err := f.to.verified(&f.send, func(v *transfer.Verifier) error {
		v.Compared = nil
		progress.Phase("verifying", "hours", progressOf(progress, c))
		return c.Verify(ctx, v)
	})
	if err != nil {
		return err
	}
	progress.Complete()
	report(streams.Out, f.to.verb(), journal.Written)
	out := outcome{written: journal.Written, refused: journal.Refused, verified: verified}
	return out.end(streams)
}

// progressOf makes c show how many hours are done, and returns how many there are.
func progressOf(p *transfer.Progress, c *transfer.Copy) int64 {
	hour := time.Hour.Milliseconds()
	done, shown := int64(0), int64(0)
	c.Progress = func(ms int) {
		done += int64(ms)
		p.Add(int(done/hour - shown))
		shown = done / hour
	}
	return int64(math.Ceil(c.End.Sub(c.Start).Hours()))
}

func (f *copyFlags) check() error {
	if err := require("from", f.from.url); err != nil {
		return err
	}
	if !f.to.dryRun {
		if err := require("to", f.to.url); err != nil {
			return err
		}
	}
	if time.Duration(f.window) < time.Millisecond {
		return usagef("--window: want at least a millisecond")
	}
	return f.send.check()
}

// task is what a journal is for.
func (f *copyFlags) task() string {
	return fmt.Sprintf("copy from %s to %s: %s, %s to %s in windows of %s", plainURL(f.from.url), plainURL(f.to.url),
		strings.Join(f.from.match, " "), f.from.start, f.from.end, f.window.String())
}
