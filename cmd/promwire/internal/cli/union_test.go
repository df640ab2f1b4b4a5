package cli

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"testing"

	"github.com/promwire/promwire"
)

// parts makes a sequence of series; the number of samples tells the parts apart, and an empty name is an error.
func parts(names ...string) iter.Seq2[promwire.TimeSeries, error] {
	return func(yield func(promwire.TimeSeries, error) bool) {
		for i, name := range names {
			ts := promwire.TimeSeries{Labels: promwire.LabelsFromStrings("__name__", name), Samples: []promwire.Sample{{Timestamp: int64(i)}}}
			if name == "" {
				yield(promwire.TimeSeries{}, errBroken)
				return
			}
			if !yield(ts, nil) {
				return
			}
		}
	}
}

var errBroken = errors.New("broken")

func TestUnion(t *testing.T) {
	for _, tc := range []struct {
		name string
		in   [][]string
		want []string // name and index in the sequence it came from
	}{
		{"nothing", nil, nil},
		{"empty ones", [][]string{{}, {}}, nil},
		{"one", [][]string{{"a", "b"}}, []string{"a0", "b1"}},
		{"apart", [][]string{{"a", "d"}, {"b", "c"}}, []string{"a0", "b0", "c1", "d1"}},
		{"the same", [][]string{{"a", "b"}, {"a", "b"}}, []string{"a0", "b1"}},
		{"parts stay together", [][]string{{"a", "a", "b"}, {"a", "a", "a", "c"}}, []string{"a0", "a1", "b2", "c3"}},
		{"more parts in the second", [][]string{{"b"}, {"a", "b", "b"}}, []string{"a0", "b0"}},
		{"an error ends it", [][]string{{"a", "c"}, {"b", ""}}, []string{"a0", "b0", "broken"}},
		{"an error at once", [][]string{{"a"}, {""}}, []string{"broken"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var in []iter.Seq2[promwire.TimeSeries, error]
			for _, names := range tc.in {
				in = append(in, parts(names...))
			}
			var got []string
			for ts, err := range union(in) {
				if err != nil {
					got = append(got, err.Error())
					continue
				}
				got = append(got, fmt.Sprint(ts.Labels.Get("__name__"), ts.Samples[0].Timestamp))
			}
			if !slices.Equal(got, tc.want) {
				t.Errorf("got %v, want %v", got, tc.want)
			}
			for range union(in) { // may be left
				break
			}
		})
	}
}
