// Command program is instrumented with OpenTelemetry, and pushes its metrics to a remote-write endpoint.
package main

import (
	"context"
	"errors"
	"log"

	"go.opentelemetry.io/otel/sdk/metric"

	otelexport "github.com/promwire/promwire/adapter/otel"
	"github.com/promwire/promwire/remote"
)

func main() {
	if err := run(context.Background(), "http://127.0.0.1:9201/api/v1/write"); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, url string) error {
	client, err := remote.NewWriteClient(url)
	if err != nil {
		return err
	}
	reader := metric.NewPeriodicReader(otelexport.New(client)) // each minute
	provider := metric.NewMeterProvider(metric.WithReader(reader))
	return errors.Join(work(ctx, provider), provider.Shutdown(ctx)) // Shutdown pushes a last time
}

func work(ctx context.Context, provider *metric.MeterProvider) error {
	orders, err := provider.Meter("example").Int64Counter("shop.orders")
	if err == nil {
		orders.Add(ctx, 3)
	}
	return err
}
