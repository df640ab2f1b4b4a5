// Command spool is what cron runs on a machine that is often offline: it keeps what it measures on disk, and delivers
// what this run and earlier ones kept as soon as there is a network.
package main

import (
	"context"
	"log"
	"os"
	"time"

	"github.com/promwire/promwire/metrics"
	"github.com/promwire/promwire/remote"
	"github.com/promwire/promwire/spool"
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := run(ctx, os.Getenv("SPOOL_DIR"), os.Getenv("REMOTE_WRITE_URL"), time.Now()); err != nil {
		log.Fatal(err)
	}
}

// run fails only if the measurement can't be kept; that it can't be delivered yet is no failure.
func run(ctx context.Context, dir, url string, now time.Time) error {
	if err := keep(ctx, dir, now); err != nil {
		return err
	}
	client, err := remote.NewWriteClient(url)
	if err != nil {
		return err
	}
	delivered, err := spool.Drain(ctx, dir, client)
	log.Printf("delivered %d samples", delivered.Samples)
	if err != nil {
		log.Printf("the rest stays in %s: %v", dir, err)
	}
	return nil
}

func keep(ctx context.Context, dir string, now time.Time) error {
	s, err := spool.Open(dir)
	if err != nil {
		return err
	}
	defer s.Close()
	reg := metrics.NewRegistry(metrics.WithConstLabel("job", "probe"))
	if err := metrics.Must(reg.Gauge("probe_uptime_seconds")).SetAt(float64(now.Unix()%86400), now); err != nil {
		return err
	}
	return metrics.NewPusher(reg, s).Push(ctx)
}
