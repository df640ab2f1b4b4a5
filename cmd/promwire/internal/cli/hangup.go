package cli

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// onHangup calls reload at each SIGHUP, until ctx ends or the result is called, which waits for a reload that runs.
func onHangup(ctx context.Context, reload func()) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	var running sync.WaitGroup
	running.Go(func() {
		defer signal.Stop(hangups)
		for {
			select {
			case <-ctx.Done():
				return
			case <-hangups:
				reload()
			}
		}
	})
	return func() {
		cancel()
		running.Wait()
	}
}
