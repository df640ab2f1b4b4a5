// Command cronjob is what cron runs: its counters go on where the last run ended.
package main

import (
	"context"
	"errors"
	"log"
	"os"
	"time"

	"github.com/promwire/promwire/metrics"
	"github.com/promwire/promwire/remote"
)

func main() {
	if err := run(os.Getenv("REMOTE_WRITE_URL"), os.Getenv("STATE_FILE")); err != nil {
		log.Fatal(err)
	}
}

func run(url, file string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	client, err := remote.NewWriteClient(url)
	if err != nil {
		return err
	}
	state, err := metrics.OpenState(ctx, file) // waits for a run that is not over
	if err != nil {
		return err
	}
	reg := metrics.NewRegistry(metrics.WithState(state), metrics.WithConstLabel("job", "backup"))
	metrics.Must(reg.Counter("backup_runs")).Inc()
	metrics.Must(reg.Histogram("backup_duration_seconds")).Observe(1.5)
	err = metrics.NewPusher(reg, client).Push(ctx) // if it fails, the next run delivers this one, too
	return errors.Join(err, state.Close())
}
