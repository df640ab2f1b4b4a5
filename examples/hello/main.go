// Command hello is the program of the README: it pushes one counter.
package main

import (
	"context"

	"github.com/promwire/promwire/metrics"
	"github.com/promwire/promwire/remote"
)

func main() {
	registry := metrics.NewRegistry()
	metrics.Must(registry.Counter("jobs_done")).Inc()
	client := metrics.Must(remote.NewWriteClient("http://127.0.0.1:9201/api/v1/write"))
	if err := metrics.NewPusher(registry, client).Push(context.Background()); err != nil {
		panic(err)
	}
}
