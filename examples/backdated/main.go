// Command backdated pushes what happened earlier. Its input has a line per job: when it ended, and the seconds it took.
package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/promwire/promwire/metrics"
	"github.com/promwire/promwire/remote"
)

func main() {
	if err := run(os.Stdin, os.Getenv("REMOTE_WRITE_URL")); err != nil {
		log.Fatal(err)
	}
}

func run(in io.Reader, url string) error {
	reg := metrics.NewRegistry(metrics.WithZeroSamples(), metrics.WithConstLabel("job", "nightly"))
	took := metrics.Must(reg.Histogram("job_duration_seconds", metrics.WithBounds(1, 5, 30)))
	client, err := remote.NewWriteClient(url)
	for lines := bufio.NewScanner(in); err == nil && lines.Scan(); {
		when, seconds, _ := strings.Cut(lines.Text(), " ")
		at, err1 := time.Parse(time.RFC3339, when)
		v, err2 := strconv.ParseFloat(seconds, 64)
		err = errors.Join(err1, err2, took.ObserveAt(v, at))
	}
	if err != nil {
		return err // and nothing is pushed
	}
	return metrics.NewPusher(reg, client).Push(context.Background())
}
