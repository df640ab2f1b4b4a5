package serieshash_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/serieshash"
)

// TestBytes has the published values of XXH64 with seed 0.
func TestBytes(t *testing.T) {
	for text, want := range map[string]uint64{
		"":    0xEF46DB3751D8E999,
		"a":   0xD24EC4F1A98C6E5B,
		"abc": 0x44BC2CF5AD770999,
		"Nobody inspects the spammish repetition": 0xFBCEA83C8A378BF1,
	} {
		if got := serieshash.Bytes([]byte(text)); got != want {
			t.Errorf("%q: %#x, want %#x", text, got, want)
		}
	}
}

// TestLabelsStayTheSame pins values that deployments rely on: a change moves series between shards.
func TestLabelsStayTheSame(t *testing.T) {
	long := promwire.LabelsFromStrings("__name__", "x", "long", strings.Repeat("v", 2000))
	for _, tt := range []struct {
		ls   promwire.Labels
		want uint64
	}{
		{nil, 0xEF46DB3751D8E999},
		{promwire.LabelsFromStrings("__name__", "up", "job", "node"), serieshash.Bytes([]byte("__name__\xffup\xffjob\xffnode\xff"))},
		{long, serieshash.Bytes([]byte("__name__\xffx\xfflong\xff" + strings.Repeat("v", 2000) + "\xff"))},
	} {
		if got := serieshash.Labels(tt.ls); got != tt.want {
			t.Errorf("%.60s: %#x, want %#x", tt.ls.String(), got, tt.want)
		}
	}
	up := promwire.LabelsFromStrings("__name__", "up", "job", "node")
	if n := testing.AllocsPerRun(100, func() { serieshash.Labels(up) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestShares counts how evenly series are spread.
func TestShares(t *testing.T) {
	const series = 100_000
	targets := []uint64{}
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		targets = append(targets, serieshash.Bytes([]byte(name)))
	}
	byRank, byScore := make([]int, 5), make([]int, 5)
	for i := range series {
		h := serieshash.Labels(promwire.LabelsFromStrings("__name__", "m", "i", fmt.Sprint(i)))
		byRank[serieshash.Shard(h, 5)]++
		byScore[serieshash.Rendezvous(h, targets)]++
	}
	for i := range 5 {
		for _, n := range []int{byRank[i], byScore[i]} {
			if n < series/5*97/100 || n > series/5*103/100 {
				t.Errorf("shares: %v by number, %v by name", byRank, byScore)
			}
		}
	}
}
