package spool_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/promwire/promwire/spool"
)

func Example() {
	dir, err := os.MkdirTemp("", "spool")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()

	// The first run has no network.
	s, err := spool.Open(dir)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := s.Write(ctx, request(1, 2)); err != nil {
		log.Fatal(err)
	}
	s.Close()

	// The next one has; the target would be a remote.WriteClient.
	delivered, err := spool.Drain(ctx, dir, &target{})
	fmt.Println(delivered.Samples, "samples delivered,", err)
	// Output: 2 samples delivered, <nil>
}
