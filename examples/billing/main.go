// Command billing pushes the metrics of a small billing service to a remote-write endpoint, and prints each request:
//
//	go run ./examples/billing --url http://127.0.0.1:9201/api/v1/write
package main

import (
	"cmp"
	"context"
	"flag"
	"io"
	"log"
	"os"
	"os/signal"
	"time"

	"github.com/promwire/promwire/examples/billing/billing"
	"github.com/promwire/promwire/metrics"
	"github.com/promwire/promwire/remote"
)

func main() {
	endpoint := cmp.Or(os.Getenv("REMOTE_WRITE_URL"), "http://127.0.0.1:9201/api/v1/write")
	flag.StringVar(&endpoint, "url", endpoint, "remote-write `URL`; the default comes from REMOTE_WRITE_URL")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, endpoint, os.Stdout, time.Now()); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, url string, out io.Writer, now time.Time) error {
	client, err := remote.NewWriteClient(url, remote.WithUserAgent("billing/1.0"))
	if err != nil {
		return err
	}
	return billing.Run(ctx, metrics.NewDebugWriter(out, client), now)
}
