// Command registry pushes metrics of client_golang, those that a program has already, to a remote-write endpoint.
package main

import (
	"context"
	"errors"
	"log"
	"os"
	"os/signal"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/promwire/promwire/adapter/clientgolang"
	"github.com/promwire/promwire/remote"
)

var started = promauto.NewCounter(prometheus.CounterOpts{Name: "jobs_started_total", Help: "Jobs that were started."})

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, "http://127.0.0.1:9201/api/v1/write"); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, url string) error {
	client, err := remote.NewWriteClient(url)
	if err != nil {
		return err
	}
	pusher := clientgolang.NewPusher(prometheus.DefaultGatherer, client, clientgolang.WithLabel("job", "example"))
	started.Inc()
	err = pusher.Run(ctx, 15*time.Second) // until Ctrl-C
	return errors.Join(err, pusher.Close(context.WithoutCancel(ctx)))
}
