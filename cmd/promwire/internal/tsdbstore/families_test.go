package tsdbstore

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/promwire/promwire"
)

func TestMetadata(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir, Options{})
	bucket := float("req_seconds_bucket", 0, 1)
	bucket.Metadata = promwire.Metadata{Type: promwire.TypeHistogram, Help: "h", Unit: "seconds"}
	req := &promwire.WriteRequest{
		Timeseries: []promwire.TimeSeries{bucket, float("none", 0, 1)},
		Metadata: []promwire.MetricMetadata{
			{Family: "c_total", Metadata: promwire.Metadata{Type: promwire.TypeCounter, Help: "line\nbreak"}},
			{Family: "", Metadata: promwire.Metadata{Type: promwire.TypeCounter}},
			{Family: "long", Metadata: promwire.Metadata{Help: strings.Repeat("x", maxFamilyBytes)}},
		},
	}
	for range 2 {
		if _, err := s.Write(t.Context(), req); err != nil {
			t.Fatal(err)
		}
	}
	want := []promwire.MetricMetadata{req.Metadata[0], {Family: "req_seconds", Metadata: bucket.Metadata}}
	if got := s.Families(); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	// Changed once, kept over a restart, though something tore the last line.
	req.Metadata[0].Help = "new"
	if _, err := s.Write(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	appendFile(t, filepath.Join(dir, familiesFile), `{"family":"to`)
	want[0].Help = "new"
	for i := range 2 {
		s = openStore(t, dir, Options{})
		if got := s.Families(); !slices.Equal(got, want) {
			t.Errorf("after restart %d: got %v, want %v", i, got, want)
		}
		m := promwire.MetricMetadata{Family: fmt.Sprintf("restart%d", i), Metadata: promwire.Metadata{Type: promwire.TypeGauge}}
		if _, err := s.Write(t.Context(), &promwire.WriteRequest{Metadata: []promwire.MetricMetadata{m}}); err != nil {
			t.Fatal(err)
		}
		want = append(want, m)
		if got, ok := s.Family("c_total"); !ok || got != want[0].Metadata {
			t.Errorf("c_total is %v, %t", got, ok)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func appendFile(t *testing.T, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestMetadataIsBounded(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir, Options{MaxFamilies: 10})
	for i := range 3000 {
		m := promwire.MetricMetadata{Family: fmt.Sprintf("m%d", i), Metadata: promwire.Metadata{Type: promwire.TypeGauge, Help: strings.Repeat("h", 100)}}
		if _, err := s.Write(t.Context(), &promwire.WriteRequest{Metadata: []promwire.MetricMetadata{m}}); err != nil {
			t.Fatal(err)
		}
	}
	if got := s.Families(); len(got) != 10 {
		t.Errorf("%d families kept", len(got))
	}
	if _, ok := s.Family("m2999"); !ok {
		t.Error("the newest family is gone")
	}
	if s.families.bytes != 10*104+10 && s.families.bytes > 10*120 {
		t.Errorf("%d bytes counted", s.families.bytes)
	}
	info, err := os.Stat(filepath.Join(dir, familiesFile))
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() > 1100*200 {
		t.Errorf("the file grew to %d bytes", info.Size())
	}
}
