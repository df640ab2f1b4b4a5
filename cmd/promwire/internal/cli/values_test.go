package cli

import (
	"math"
	"testing"
	"time"
)

func TestParseDuration(t *testing.T) {
	const day = 24 * time.Hour
	for _, tc := range []struct {
		text string
		want time.Duration
		ok   bool
	}{
		{"0", 0, true},
		{"90m", 90 * time.Minute, true},
		{"1h30m", 90 * time.Minute, true},
		{"15d", 15 * day, true},
		{"1w2d12h", 9*day + 12*time.Hour, true},
		{"1y", 365 * day, true},
		{"0.5h", 30 * time.Minute, true},
		{"", 0, false},
		{"d", 0, false},
		{"-1h", 0, false},
		{"-1d", 0, false},
		{"1d-1h", 0, false},
		{"1.5d", 0, false},
		{"2d1w", 0, false},
		{"5q", 0, false},
		{"300y", 0, false},
		{"292y200d", 0, false},
		{"99999999999999999999d", 0, false},
	} {
		got, err := parseDuration(tc.text)
		if got != tc.want && tc.ok || (err == nil) != tc.ok {
			t.Errorf("%q is %v, %v", tc.text, got, err)
		}
	}
}

func TestDurationFlag(t *testing.T) {
	for text, want := range map[string]string{
		"0": "0s", "15d": "15d", "24h": "1d", "1h": "1h", "90m": "1h30m", "30s": "30s", "1m": "1m", "25h": "25h", "1h0m5s": "1h0m5s", "10m0s": "10m",
	} {
		var d duration
		if err := d.Set(text); err != nil || d.String() != want {
			t.Errorf("%q prints as %q, %v", text, d.String(), err)
		}
	}
}

func TestSizeFlag(t *testing.T) {
	for _, tc := range []struct {
		text, print string
		want        int64
		ok          bool
	}{
		{"0", "0", 0, true},
		{"100", "100B", 100, true},
		{"100B", "100B", 100, true},
		{"1kb", "1KB", 1 << 10, true},
		{"1536MB", "1536MB", 1536 << 20, true},
		{"2TB", "2TB", 2 << 40, true},
		{"8388607TB", "8388607TB", 8388607 << 40, true},
		{"8388608TB", "", 0, false},
		{"-1GB", "", 0, false},
		{"GB", "", 0, false},
		{"1.5GB", "", 0, false},
		{"", "", 0, false},
	} {
		var b size
		err := b.Set(tc.text)
		if (err == nil) != tc.ok || tc.ok && (int64(b) != tc.want || b.String() != tc.print) {
			t.Errorf("%q is %d, prints as %q, %v", tc.text, b, b.String(), err)
		}
	}
}

func TestParseTime(t *testing.T) {
	now := time.UnixMilli(1_772_366_400_000)
	for _, tc := range []struct {
		text string
		want int64 // milliseconds
		ok   bool
	}{
		{"now", now.UnixMilli(), true},
		{"-1h", now.UnixMilli() - 3_600_000, true},
		{"+2d", now.UnixMilli() + 2*86_400_000, true},
		{"-1.5", -1500, true},
		{"1772366400.125", 1_772_366_400_125, true},
		{"0", 0, true},
		{"2026-03-01T12:00:00Z", 1_772_366_400_000, true},
		{"2026-03-01T13:00:00.5+01:00", 1_772_366_400_500, true},
		{"", 0, false},
		{"1h", 0, false},
		{"--1h", 0, false},
		{"tomorrow", 0, false},
		{"2026-03-01", 0, false},
		{"NaN", 0, false},
		{"Inf", 0, false},
		{"1e300", 0, false},
	} {
		got, err := parseTime(tc.text, now)
		if (err == nil) != tc.ok || tc.ok && got.UnixMilli() != tc.want {
			t.Errorf("%q is %v, %v", tc.text, got, err)
		}
	}
}

func FuzzValues(f *testing.F) {
	for _, s := range []string{"1w2d12h", "15d", "-1h", "+1y", "1772366400.125", "2026-03-01T12:00:00Z", "10GB", "0x1p10", "1e18", "µ"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if d, err := parseDuration(s); err == nil && d < 0 {
			t.Errorf("%q is %v", s, d)
		}
		var d duration
		if d.Set(s) == nil {
			var again duration
			if err := again.Set(d.String()); err != nil || again != d {
				t.Errorf("%q prints as %q, which is %v, %v", s, d.String(), time.Duration(again), err)
			}
		}
		var b size
		if b.Set(s) == nil {
			var again size
			if err := again.Set(b.String()); err != nil || again != b || b < 0 {
				t.Errorf("%q prints as %q, which is %d, %v", s, b.String(), again, err)
			}
		}
		if at, err := parseTime(s, time.Unix(0, 0)); err == nil && math.Abs(float64(at.Unix())) > 1e15 {
			t.Errorf("%q is %v", s, at)
		}
	})
}
