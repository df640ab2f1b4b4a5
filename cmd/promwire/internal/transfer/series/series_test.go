package series_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/transfer/series"
)

func TestParse(t *testing.T) {
	line, err := series.Parse(`a_99999999{b="x 99999999", c='}'} 1 2+1x2 _x2 stale -3x1`)
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprint(line.Labels)
	for _, v := range line.Values {
		got += fmt.Sprintf(" %v/%v", v.Value, v.Omitted)
	}
	if want := `a_99999999{b="x 99999999",c="}"} 1/false 2/false 3/false 4/false 0/true 0/true NaN/false -3/false -3/false`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if !promwire.IsStaleNaN(line.Values[6].Value) {
		t.Error("no stale marker")
	}
}

// Lines that stand for too much are refused before they take memory.
func TestBound(t *testing.T) {
	for _, line := range []string{
		"a 1x4000000000", "a 1x18446744073709551615", "a 1+1x999999 1x999999", `a{b="c"} _x1000001`, "a {{buckets:[1 1 1 1 1 1 1 1 1 1 1 1 1 1 1]}}x999999",
		"{a=\"x\"} {{count:1}}+{{count:1}}x999999 1x999999", "a 1x4_000_000",
	} {
		if _, err := series.Parse(line); !errors.Is(err, promwire.ErrTooLarge) {
			t.Errorf("%s: %v", line, err)
		}
	}
}

// FuzzParse: no line takes more than its bound, or panics.
func FuzzParse(f *testing.F) {
	for _, line := range []string{
		`a{b="x 9"} 1 2+1x2 _ stale -3`, `{__name__="h"} {{schema:1 count:2 sum:3 buckets:[1 1]}}x3`, "a 1x999999", "a {{offset:-5 buckets:[1]}}+{{buckets:[2]}}x10",
	} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		found, err := series.Parse(line)
		if err == nil && len(found.Values) > series.MaxValues+len(line) {
			t.Errorf("%d values", len(found.Values))
		}
	})
}
