package cli

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// units are what durations may be written in, besides those of Go.
var units = []struct {
	suffix string
	length time.Duration
}{{"y", 365 * 24 * time.Hour}, {"w", 7 * 24 * time.Hour}, {"d", 24 * time.Hour}}

// parseDuration parses a duration like 90m, 15d or 1w2d12h: Go's units, and before them y, w and d.
func parseDuration(s string) (time.Duration, error) {
	rest, total := s, time.Duration(0)
	for _, u := range units {
		number, after, found := strings.Cut(rest, u.suffix)
		if !found {
			continue
		}
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil || n < 0 || n > int64((math.MaxInt64-total)/u.length) {
			return 0, fmt.Errorf("%q is not a duration like 90m, 15d or 1w2d", s)
		}
		total, rest = total+time.Duration(n)*u.length, after
	}
	if rest == "" && rest != s {
		return total, nil
	}
	if rest == "0" {
		rest = "0s"
	}
	d, err := time.ParseDuration(rest)
	if err != nil || d < 0 || total+d < 0 {
		return 0, fmt.Errorf("%q is not a duration like 90m, 15d or 1w2d", s)
	}
	return total + d, nil
}

// duration is a flag that takes what parseDuration does.
type duration time.Duration

func (d *duration) Set(s string) error {
	v, err := parseDuration(s)
	*d = duration(v)
	return err
}

func (d *duration) String() string {
	v := time.Duration(*d)
	if day := 24 * time.Hour; v >= day && v%day == 0 {
		return strconv.FormatInt(int64(v/day), 10) + "d"
	}
	s := v.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

func (d *duration) Type() string { return "duration" }

// size is a flag for a number of bytes like 512MB or 10GB, in powers of 1024.
type size int64

var sizes = []struct {
	suffix string
	shift  uint
}{{"TB", 40}, {"GB", 30}, {"MB", 20}, {"KB", 10}, {"B", 0}, {"", 0}}

func (b *size) Set(s string) error {
	for _, u := range sizes {
		number, found := strings.CutSuffix(strings.ToUpper(s), u.suffix)
		if !found {
			continue
		}
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil || n < 0 || n > math.MaxInt64>>u.shift {
			break
		}
		*b = size(n << u.shift)
		return nil
	}
	return fmt.Errorf("%q is not a size like 512MB or 10GB", s)
}

func (b *size) String() string {
	for _, u := range sizes {
		if *b != 0 && *b%(1<<u.shift) == 0 {
			return strconv.FormatInt(int64(*b>>u.shift), 10) + u.suffix
		}
	}
	return "0"
}

func (b *size) Type() string { return "size" }

// parseTime parses a point in time: RFC 3339, seconds since the Unix epoch, now, or a duration before or after it.
func parseTime(s string, now time.Time) (time.Time, error) {
	if s == "now" {
		return now, nil
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, nil
	}
	if sec, err := strconv.ParseFloat(s, 64); err == nil && math.Abs(sec) < 1e12 {
		return time.UnixMilli(int64(math.Round(sec * 1000))), nil
	}
	for sign, direction := range map[string]time.Duration{"-": -1, "+": 1} {
		if rest, found := strings.CutPrefix(s, sign); found {
			if d, err := parseDuration(rest); err == nil {
				return now.Add(direction * d), nil
			}
		}
	}
	return time.Time{}, fmt.Errorf("%q is not a time: want 2006-01-02T15:04:05Z, Unix seconds, now, or a duration like -1h", s)
}
