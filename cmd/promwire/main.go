// Command promwire pushes, stores and reads Prometheus metrics over remote write and remote read. See promwire --help.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/promwire/promwire/cmd/promwire/internal/cli"
)

func main() { os.Exit(run()) }

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	return cli.Run(ctx, os.Args[1:], cli.IO{In: os.Stdin, Out: os.Stdout, Err: os.Stderr})
}
