package remote_test

import (
	"context"
	"fmt"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/promwiretest"
	"github.com/promwire/promwire/remote"
)

// What Mimir would refuse is named before it is sent, and what can be mended is mended.
func ExampleNewPreflight() {
	backend := promwiretest.NewReceiver()
	defer backend.Close()
	client, err := remote.NewWriteClient(backend.URL)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.CloseIdleConnections()
	now := time.UnixMilli(1_700_000_000_000)
	writer := remote.NewPreflight(client, remote.PreflightOptions{
		Profile:   remote.LimitsMimir,
		Names:     remote.NamesEscape,
		OnFinding: func(_ context.Context, f remote.Finding) { fmt.Println(f.Series, f.Rule, f.Action) },
		Now:       func() time.Time { return now },
	})
	at := func(ms int64) []promwire.Sample { return []promwire.Sample{{Timestamp: ms, Value: 1}} }
	stats, err := writer.Write(context.Background(), &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{
		{Labels: promwire.LabelsFromStrings("__name__", "http.requests"), Samples: at(now.UnixMilli())},
		{Labels: promwire.LabelsFromStrings("__name__", "up"), Samples: at(now.Unix())},
		{Labels: promwire.LabelsFromStrings("__name__", "up", "job", "node"), Samples: at(now.UnixMilli())},
	}})
	fmt.Println(stats.Samples, "written")
	fmt.Println(err)
	// Output:
	// 0 name repaired
	// 1 time unit dropped
	// 2 written
	// partial write: 2 samples, 0 histograms, 0 exemplars written, 1 item refused; series 1 up at 1700000000: timestamp is outside the range that the store accepts: 1700000000 looks like seconds; timestamps are milliseconds since 1970
}
