package cli

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/spf13/pflag"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/transfer"
	"github.com/promwire/promwire/cmd/promwire/internal/transfer/formats"
	"github.com/promwire/promwire/cmd/promwire/internal/transfer/order"
	"github.com/promwire/promwire/cmd/promwire/internal/transfer/tally"
	"github.com/promwire/promwire/remote"
)

// fileFlags are the flags of a push of files.
type fileFlags struct {
	paths     []string
	format    string
	csvMaps   []string
	csvHeader bool
	start     string
	interval  duration
	strict    bool
	memory    size
	tempDir   string
	sendFlags
}

func (f *fileFlags) register(flags *pflag.FlagSet) {
	f.interval, f.memory = duration(time.Minute), order.DefaultMemory
	flags.StringArrayVar(&f.paths, "file", nil, "`FILE` with samples; - is the standard input, and a pattern like 'dumps/*.json' all that match (repeatable)")
	flags.StringVar(&f.format, "format", string(formats.Auto), "format of the --file: text, openmetrics, csv, json or series; auto looks at it")
	flags.StringArrayVar(&f.csvMaps, "csv-map", nil, "where a CSV --file has a sample, like `MAP` time=0:unix_s,value=2,metric=NAME,label:instance=3 (repeatable: several in a record)")
	flags.BoolVar(&f.csvHeader, "csv-header", false, "the first record of a CSV --file holds names, though --csv-map has numbers only")
	flags.StringVar(&f.start, "start", "", "time of the first value of a --file in series notation; like --time")
	flags.Var(&f.interval, "interval", "pause between two values in series notation")
	flags.BoolVar(&f.strict, "strict", false, "send nothing of a --file in which a line is bad, or one series has two values for a time")
	flags.Var(&f.memory, "memory", "memory to sort samples in; beyond that, temporary files are used")
	flags.StringVar(&f.tempDir, "temp-dir", "", "`DIR` for temporary files (default: that of the system)")
	f.sendFlags.register(flags, " of --file")
}

// given returns the name of a flag that only a --file has use for, "" if there is none.
func (f *fileFlags) given(flags *pflag.FlagSet) string {
	for _, name := range []string{
		"format", "csv-map", "csv-header", "start", "interval", "strict", "memory", "temp-dir", "rate", "batch", "resume", "verify", "verify-wait", "verify-tolerance", "progress",
	} {
		if flags.Changed(name) {
			return name
		}
	}
	return ""
}

// fileImport is a push of files on its way.
type fileImport struct {
	*pushFlags
	streams   IO
	progress  *transfer.Progress
	sorter    *order.Sorter
	nBad      int64 // bad lines
	conflicts tally.Tally
}

// pushFiles reads all files, sorts what is in them, and sends it.
func pushFiles(ctx context.Context, streams IO, f *pushFlags, now time.Time) (err error) {
	format, err := formats.Parse(f.file.format, formats.Readable)
	if err != nil {
		return usagef("--format %w", err)
	}
	paths, err := expand(f.file.paths)
	if err != nil {
		return err
	}
	journal, err := f.journal(now)
	if err != nil {
		return err
	}
	options, err := f.readOptions(time.UnixMilli(journal.Now))
	if err != nil {
		return err
	}
	f.counts = true
	w, err := f.bulkWriter(streams)
	if err != nil {
		return err
	}
	in := &fileImport{
		pushFlags: f, streams: streams, progress: f.file.bar(streams),
		sorter: order.New(order.Options{Memory: int(f.file.memory), Dir: f.file.tempDir}),
	}
	defer func() { err = errors.Join(err, in.sorter.Close()) }()
	if journal.Done && f.file.verify == "" {
		return in.finish(journal, nil)
	}
	defer in.progress.End()
	if err := in.read(paths, format, options); err != nil {
		return err
	}
	if !journal.Done {
		if err := in.send(ctx, w, journal); err != nil {
			return err
		}
	}
	verified, err := f.verified(&f.file.sendFlags, func(v *transfer.Verifier) error {
		v.Compared = in.progress.Add
		in.progress.Phase("verifying", "samples", in.sorter.Len())
		return v.Verify(ctx, in.sorter.All(nil))
	})
	if err != nil {
		return err
	}
	in.progress.Complete()
	return in.finish(journal, verified)
}

// readOptions are what files are read with.
func (f *pushFlags) readOptions(now time.Time) (*formats.Options, error) {
	sample, err := f.times(now)
	if err != nil {
		return nil, err
	}
	o := &formats.Options{Now: sample.Timestamp, CSVHeader: f.file.csvHeader, Interval: time.Duration(f.file.interval).Milliseconds()}
	if o.Labels, err = f.labelPairs(); err != nil {
		return nil, err
	}
	for _, text := range f.file.csvMaps {
		m, err := formats.ParseCSVMap(text)
		if err != nil {
			return nil, usagef("--csv-map: %w", err)
		}
		o.CSV = append(o.CSV, m)
	}
	if o.Start = o.Now; f.file.start != "" {
		t, err := parseTime(f.file.start, now)
		if err != nil {
			return nil, usagef("--start: %w", err)
		}
		o.Start = t.UnixMilli()
	}
	if o.Interval <= 0 {
		return nil, usagef("--interval: want at least a millisecond")
	}
	return o, nil
}

// bulkWriter is where much goes: one item that is refused costs itself only. What goes out is judged by the
// preflight: for a dry run by what Prometheus takes, if nothing else is asked.
func (f *pushFlags) bulkWriter(streams IO) (promwire.Writer, error) {
	if f.dryRun && !f.preflight.set {
		if err := f.preflight.Set(remote.LimitsPrometheus.Name); err != nil {
			return nil, err
		}
	}
	f.wrap = transfer.NoteCounts
	w, err := f.writer(streams, remote.WithRetry(patient))
	if err != nil {
		return nil, err
	}
	return transfer.NewCareful(w), nil
}

// read reads all files into the sorter.
func (in *fileImport) read(paths []string, format formats.Format, o *formats.Options) error {
	in.progress.Phase("reading", "bytes", totalSize(paths))
	for _, path := range paths {
		if err := in.readOne(path, format, o); err != nil {
			return fmt.Errorf("--file %w", err)
		}
	}
	in.progress.End()
	if in.sorter.Len() == 0 {
		return fmt.Errorf("--file %s: there are no samples in it", describePaths(paths))
	}
	if !in.file.strict {
		return nil
	}
	for _, err := range in.sorter.All(in.conflict) {
		if err != nil {
			return err
		}
	}
	if n := in.conflicts.Total(); n > 0 {
		in.conflicts.Print(in.streams.Err, "refused")
		return fmt.Errorf("--file: %w (%d times)", promwire.ErrDuplicateTimestamp, n)
	}
	return nil
}

func (in *fileImport) conflict(ls promwire.Labels, at int64) {
	in.conflicts.Add(promwire.ErrDuplicateTimestamp.Error()+": the last one in the files counts", 1, func() string {
		return fmt.Sprintf("%s at %s", ls, transfer.FormatTime(at))
	})
}

// Point implements formats.Sink.
func (in *fileImport) Point(p *formats.Point) error { return in.sorter.Add(p) }

// maxShownBad is how many bad lines a push shows.
const maxShownBad = 20

// Bad implements formats.Sink.
func (in *fileImport) Bad(b *formats.Bad, n int) error {
	if in.file.strict {
		return b
	}
	if in.nBad < maxShownBad {
		in.progress.Clear()
		fmt.Fprintf(in.streams.Err, "bad line: %v\n", b)
	}
	if in.nBad += int64(n); in.nBad > maxShownBad && in.nBad-int64(n) <= maxShownBad {
		in.progress.Clear()
		fmt.Fprintln(in.streams.Err, "bad line: more of them are not shown")
	}
	return nil
}

// send sends what was read.
func (in *fileImport) send(ctx context.Context, w promwire.Writer, journal *transfer.Journal) error {
	in.progress.Phase("sending", "samples", in.sorter.Len())
	in.progress.Add(int(min(journal.Position.Points, math.MaxInt32)))
	s := in.file.sender(w, journal, in.progress)
	err := s.Send(ctx, 0, in.sorter.All(in.conflict))
	if errors.Is(err, transfer.ErrChanged) {
		return fmt.Errorf("--resume %s: %w; remove it to begin anew", in.file.resume, err)
	}
	if err != nil {
		return in.file.interrupted(journal, err)
	}
	in.progress.Complete()
	journal.Done = true
	return journal.Save()
}

// finish says what has become of it all.
func (in *fileImport) finish(journal *transfer.Journal, verified *transfer.Verifier) error {
	report(in.streams.Out, in.verb(), journal.Written)
	in.conflicts.Print(in.streams.Err, "refused")
	out := outcome{written: journal.Written, refused: journal.Refused, verified: verified}
	out.add(in.nBad, "bad lines were skipped")
	out.add(in.conflicts.Total(), "values are in the files twice")
	return out.end(in.streams)
}

// sortedUnique sorts paths, and drops what is there twice.
func sortedUnique(paths []string) []string {
	slices.Sort(paths)
	return slices.Compact(paths)
}
