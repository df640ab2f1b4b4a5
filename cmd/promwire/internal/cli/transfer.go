package cli

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/transfer"
	"github.com/promwire/promwire/cmd/promwire/internal/transfer/tally"
	"github.com/promwire/promwire/remote"
)

// patient is how long transfers wait for a receiver that does not answer: nobody wants to begin anew after hours.
var patient = remote.RetryOptions{MaxAttempts: -1, MaxElapsed: 5 * time.Minute}

// sendFlags are those of commands that send much.
type sendFlags struct {
	rate       float64
	batch      int
	resume     string
	verify     string
	verifyWait duration
	tolerance  float64
	progress   bool
}

func (f *sendFlags) register(flags *pflag.FlagSet, what string) {
	flags.Float64Var(&f.rate, "rate", 0, "send at most so many `SAMPLES`"+what+" in a second; 0: as fast as they are taken")
	flags.IntVar(&f.batch, "batch", transfer.DefaultBatch, "`SAMPLES`"+what+" in a request")
	flags.StringVar(&f.resume, "resume", "", "`FILE` that keeps what is done: after an interruption, the same command goes on there")
	flags.StringVar(&f.verify, "verify", "", "afterwards, read all of it back from this remote-read `URL`, or the /api/v1/export of a VictoriaMetrics, and compare value by value")
	f.verifyWait = duration(20 * time.Second)
	flags.Var(&f.verifyWait, "verify-wait", "how long --verify waits for what is not there yet: some servers show new data after seconds")
	flags.Float64Var(&f.tolerance, "verify-tolerance", 0, "`FRACTION` of a value by which --verify lets it differ, like 1e-11 for VictoriaMetrics, which keeps no more digits; 0: not by a bit")
	flags.BoolVar(&f.progress, "progress", false, "show progress also where standard error is no terminal")
}

func (f *sendFlags) check() error {
	if f.batch <= 0 || f.rate < 0 {
		return usagef("--batch and --rate: want more than 0")
	}
	if f.tolerance < 0 || f.tolerance >= 1 || f.tolerance != f.tolerance {
		return usagef("--verify-tolerance %v: want 0 to less than 1", f.tolerance)
	}
	return nil
}

// bar shows progress if somebody can see it.
func (f *sendFlags) bar(streams IO) *transfer.Progress { return progressBar(streams, f.progress) }

func progressBar(streams IO, always bool) *transfer.Progress {
	file, isFile := streams.Err.(*os.File)
	terminal := false
	if isFile {
		info, err := file.Stat()
		terminal = err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb"
	}
	if !terminal && !always {
		return nil
	}
	return transfer.NewProgress(streams.Err, terminal)
}

func (f *sendFlags) sender(w promwire.Writer, journal *transfer.Journal, progress *transfer.Progress) *transfer.Sender {
	batch := f.batch
	if f.rate > 0 { // a second's worth at most, so that the rate is even
		batch = max(1, min(batch, int(f.rate)))
	}
	return &transfer.Sender{Writer: w, Journal: journal, Batch: batch, Pace: transfer.NewPace(f.rate), Sent: progress.Add}
}

// interrupted says how to go on.
func (f *sendFlags) interrupted(journal *transfer.Journal, err error) error {
	so := fmt.Sprintf("after %d samples and histograms", journal.Written.Samples+journal.Written.Histograms)
	if f.resume == "" {
		return fmt.Errorf("%s: %w", so, err)
	}
	return fmt.Errorf("%s: %w (the same command goes on there, by --resume %s)", so, err, f.resume)
}

// verified reads back from a URL, if that is asked for, and returns what was found; nil without a --verify.
func (f *pushFlags) verified(s *sendFlags, run func(*transfer.Verifier) error) (*transfer.Verifier, error) {
	if s.verify == "" || f.dryRun {
		return nil, nil
	}
	reader, err := (&readFlags{connection: connection{url: s.verify, headers: f.headers, timeout: f.timeout}, response: "auto"}).reader()
	if err != nil {
		return nil, err
	}
	v := &transfer.Verifier{Reader: reader, Wait: time.Duration(s.verifyWait), Tolerance: s.tolerance}
	return v, run(v)
}

// verb says what happened to samples.
func (f *pushFlags) verb() string {
	if f.dryRun {
		return "to write (dry run)"
	}
	return "written"
}

// report prints counts; those of samples always.
func report(w io.Writer, what string, n promwire.WriteStats) {
	fmt.Fprintf(w, "samples %s: %d\n", what, n.Samples)
	if n.Histograms > 0 {
		fmt.Fprintf(w, "histograms %s: %d\n", what, n.Histograms)
	}
	if n.Exemplars > 0 {
		fmt.Fprintf(w, "exemplars %s: %d\n", what, n.Exemplars)
	}
}

// outcome is how a transfer has ended.
type outcome struct {
	written  promwire.WriteStats
	refused  tally.Tally
	verified *transfer.Verifier // nil if nothing was read back
	faults   []string
}

// add notes what was left out, if there is any.
func (o *outcome) add(n int64, what string) {
	if n > 0 {
		o.faults = append(o.faults, fmt.Sprintf("%d %s", n, what))
	}
}

// incompleteError says that a part of the data was left out; some says that another part was not.
type incompleteError struct {
	text string
	some bool
}

func (e *incompleteError) Error() string { return e.text }

// end prints what was refused or is missing, and returns the error that makes the exit code.
func (o *outcome) end(streams IO) error {
	o.refused.Print(streams.Err, "refused")
	o.add(o.refused.Total(), "items were refused")
	if v := o.verified; v != nil {
		missing := v.Missing.Total()
		fmt.Fprintf(streams.Out, "samples verified: %d of %d\n", v.Points-missing, v.Points)
		v.Missing.Print(streams.Err, "missing")
		if o.add(missing, "samples are missing"); missing > 0 {
			return errors.New(strings.Join(o.faults, ", "))
		}
	}
	if len(o.faults) == 0 {
		return nil
	}
	return &incompleteError{strings.Join(o.faults, ", "), o.written != promwire.WriteStats{}}
}

// plainURL returns a URL without user, password and query, for files.
func plainURL(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return "?"
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return u.String()
}
