package agent

import (
	"fmt"
	"strings"
	"testing"

	"github.com/promwire/promwire"
)

func TestPieces(t *testing.T) {
	gauge := func(names ...string) (out []promwire.TimeSeries) {
		for _, n := range names {
			out = append(out, promwire.TimeSeries{Labels: promwire.LabelsFromStrings("__name__", n)})
		}
		return out
	}
	histogram := func(name, path string, buckets int) (out []promwire.TimeSeries) {
		for i := range buckets {
			out = append(out, promwire.TimeSeries{Labels: promwire.LabelsFromStrings("__name__", name+"_bucket", "le", fmt.Sprint(i), "path", path)})
		}
		for _, s := range []string{"_sum", "_count"} {
			out = append(out, promwire.TimeSeries{Labels: promwire.LabelsFromStrings("__name__", name+s, "path", path)})
		}
		return out
	}
	for _, c := range []struct {
		name   string
		series []promwire.TimeSeries
		limit  int
		want   string
	}{
		{"none", nil, 3, ""},
		{"fits", gauge("a", "b", "c"), 3, "3"},
		{"gauges", gauge("a", "b", "c", "d"), 3, "3 1"},
		{"a family stays together", append(gauge("a", "b"), histogram("h", "/", 3)...), 5, "2 5"},
		{"a metric stays together", append(histogram("h", "/", 3), histogram("h", "/x", 3)...), 7, "5 5"},
		{"no place to cut", histogram("h", "/", 9), 4, "4 4 3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var sizes []string
			var all []promwire.TimeSeries
			for _, p := range pieces(c.series, c.limit) {
				sizes = append(sizes, fmt.Sprint(len(p)))
				all = append(all, p...)
			}
			if got := strings.Join(sizes, " "); got != c.want || fmt.Sprint(all) != fmt.Sprint(c.series) {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}
