package senders

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"testing"

	"github.com/promwire/promwire/cmd/promwire/internal/cli"
)

// TestMain lets the test binary be promwire serve, in a process of its own that can be killed.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "serve" {
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
		code := cli.Run(ctx, os.Args[1:], cli.IO{In: os.Stdin, Out: os.Stdout, Err: os.Stderr})
		stop()
		os.Exit(code)
	}
	os.Exit(m.Run())
}
