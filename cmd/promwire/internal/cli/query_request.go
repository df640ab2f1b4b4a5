package cli

import (
	"path/filepath"
	"strings"
	"time"

	"github.com/promwire/promwire/cmd/promwire/internal/promquery"
)

const (
	// defaultPoints is about how many points a range has without --step.
	defaultPoints = 120
	// maxPoints is how many Prometheus gives at most.
	maxPoints = 11_000
)

// request makes the request of the flags.
func (f *queryCommand) request(expr string, now time.Time) (promquery.Request, error) {
	r := promquery.Request{Expr: expr, Time: now}
	var err error
	if f.start == "" {
		if f.end != "" || f.step != 0 {
			return r, usagef("--end and --step are for a range: --start is missing")
		}
		if f.time != "" {
			if r.Time, err = parseTime(f.time, now); err != nil {
				return r, usagef("--time: %w", err)
			}
		}
		return r, nil
	}
	if f.time != "" {
		return r, usagef("--time is for an instant, --start for a range: give one of them")
	}
	now = now.Truncate(time.Second) // for times that are read more easily
	if r.Start, err = parseTime(f.start, now); err != nil {
		return r, usagef("--start: %w", err)
	}
	r.End = now
	if f.end != "" {
		if r.End, err = parseTime(f.end, now); err != nil {
			return r, usagef("--end: %w", err)
		}
	}
	return r, f.steps(&r)
}

// steps checks the range and sets its step.
func (f *queryCommand) steps(r *promquery.Request) error {
	if r.Start.After(r.End) {
		return usagef("--start %s is after --end %s", r.Start.UTC().Format(time.RFC3339), r.End.UTC().Format(time.RFC3339))
	}
	span := r.End.Sub(r.Start)
	if r.Step = time.Duration(f.step); r.Step == 0 {
		r.Step = max(span/defaultPoints, time.Second).Truncate(time.Second)
	}
	if r.Step < time.Millisecond {
		return usagef("--step %s: want at least 1ms", r.Step)
	}
	if span/r.Step > maxPoints {
		return usagef("--step %s makes more than 11,000 points of this range, which servers refuse: make it longer", r.Step)
	}
	return nil
}

// check refuses formats that there are not, and charts of an instant.
func (f *queryCommand) check(format string, ranged bool) error {
	switch format {
	case "", "table", "json", "csv", "chart":
	default:
		return usagef("--format %q: want table, json, csv or chart", format)
	}
	switch {
	case f.plot != "" && imageFormat(f.plot) == "":
		return usagef("--plot %s: want a file that ends in .svg or .png", f.plot)
	case f.plot != "" && !ranged, format == "chart" && !ranged:
		return usagef("a chart needs a range: add --start, such as --start -1h")
	case f.width < 0 || f.width > 1000 || f.height < 0 || f.height > 1000:
		return usagef("--width and --height: want 0 to 1000")
	}
	if err := require("url", f.url); err != nil {
		return err
	}
	_, err := parseBase(f.url)
	return err
}

// imageFormat returns svg or png, "" for other files.
func imageFormat(file string) string {
	switch ext := strings.ToLower(filepath.Ext(file)); ext {
	case ".svg", ".png":
		return ext[1:]
	default:
		return ""
	}
}
