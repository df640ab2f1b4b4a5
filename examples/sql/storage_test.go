package main

import (
	"fmt"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/promwiretest"
	"github.com/promwire/promwire/promwiretest/protocol"
	"github.com/promwire/promwire/server"
)

func open(tb testing.TB, file string) *Storage {
	tb.Helper()
	s, err := Open(file)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

func TestStorage(t *testing.T) {
	dir, n := t.TempDir(), 0
	promwiretest.TestStorage(t, func() promwire.Storage {
		n++
		return open(t, filepath.Join(dir, fmt.Sprintf("%d.db", n)))
	}, promwiretest.WithOrder(promwiretest.TakeOlder))
}

func TestProtocol(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "metrics.db"))
	defer s.Close()
	srv := httptest.NewServer(server.NewHandler(s))
	defer srv.Close()
	protocol.Run(t, srv.URL)
}

// What was written is in the file, which another process may have open.
func TestReopen(t *testing.T) {
	file := filepath.Join(t.TempDir(), "odd name?#%41.db")
	first := open(t, file)
	defer first.Close() // after the second: a process that was killed closes nothing
	want := promwire.TimeSeries{
		Labels:  promwire.LabelsFromStrings("__name__", "up", "zero", "a\x00\x01b"),
		Samples: []promwire.Sample{{Timestamp: 1000, Value: promwire.StaleNaN()}},
	}
	if _, err := first.Write(t.Context(), &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{want}}); err != nil {
		t.Fatal(err)
	}
	second := open(t, file)
	defer second.Close()
	q := promwire.Query{Start: time.UnixMilli(0), End: time.UnixMilli(1000), Matchers: []promwire.Matcher{{Name: "__name__", Value: "up"}}}
	var got []promwire.TimeSeries
	for ts, err := range second.Read(t.Context(), q) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, ts.Clone())
	}
	promwiretest.WantSeries(t, got, string((&promwire.WriteRequest{Timeseries: []promwire.TimeSeries{want}}).AppendText(nil, promwire.TextOptions{Timestamps: true})))
}
