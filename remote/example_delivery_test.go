package remote_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/promwiretest"
	"github.com/promwire/promwire/remote"
)

// One bad series costs itself only: it is found, kept, and can be replayed when its cause is gone.
func ExampleDelivery() {
	bad := func(ls promwire.Labels) bool { return ls.Get("__name__") == "bad" }
	receiver := promwiretest.NewReceiver()
	defer receiver.Close()
	receiver.SetScript(promwiretest.Always(promwiretest.RefuseSeries(bad, promwiretest.RefuseAll)))

	folder, err := os.MkdirTemp("", "letters")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, "refused.jsonl")
	letters, err := remote.OpenDeadLetters(path, remote.DeadLetterOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer letters.Close()

	client, err := remote.NewWriteClient(receiver.URL)
	if err != nil {
		fmt.Println(err)
		return
	}
	delivery := remote.NewDelivery(client, remote.DeliveryOptions{MaxBisectRequests: 50, DeadLetters: letters})
	req := &promwire.WriteRequest{}
	for _, name := range []string{"a", "b", "bad", "c"} {
		req.Timeseries = append(req.Timeseries, promwire.TimeSeries{
			Labels:  promwire.LabelsFromStrings("__name__", name),
			Samples: []promwire.Sample{{Timestamp: 1_700_000_000_000, Value: 1}},
		})
	}
	stats, err := delivery.Write(context.Background(), req)
	fmt.Println(stats.Samples, "written,", "failed:", err != nil, "try again:", promwire.Retryable(err))

	file, err := os.Open(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer file.Close()
	for letter, err := range remote.ReadDeadLetters(file) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(letter.Series.Labels, letter.Series.Samples[0].Value, letter.Status == http.StatusBadRequest)
	}
	// Output:
	// 3 written, failed: true try again: false
	// bad 1 true
}
