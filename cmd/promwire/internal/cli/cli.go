// Package cli is the command line of promwire: one file per command.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/promwire/promwire"
)

// The exit codes.
const (
	exitDone    = 0
	exitFailed  = 1
	exitUsage   = 2
	exitPartial = 3 // a receiver refused a part of the data
)

// IO is where a command writes: Out gets the results, Err everything else.
type IO struct {
	In       io.Reader
	Out, Err io.Writer
}

// Run runs the command line in args, without the program's name, and returns the exit code. When ctx ends, a command
// that serves shuts down, and any other one is aborted.
func Run(ctx context.Context, args []string, streams IO) int {
	root := newRoot(streams)
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitDone
	}
	fmt.Fprintf(streams.Err, "%s: %v\n", cmd.CommandPath(), err)
	var usage *usageError
	if errors.As(err, &usage) {
		fmt.Fprintf(streams.Err, "See '%s --help'.\n", cmd.CommandPath())
		return exitUsage
	}
	if hint := hintFor(err); hint != "" {
		fmt.Fprintf(streams.Err, "Hint: %s\n", hint)
	}
	var incomplete *incompleteError
	if errors.As(err, &incomplete) && incomplete.some {
		return exitPartial
	}
	var partial *promwire.PartialWriteError
	if errors.As(err, &partial) && partial.Written != (promwire.WriteStats{}) {
		return exitPartial
	}
	return exitFailed
}

func newRoot(streams IO) *cobra.Command {
	root := &cobra.Command{
		Use:   "promwire",
		Short: "Push, store and read Prometheus metrics over remote write and remote read",
		Long: `Push, store and read Prometheus metrics over remote write and remote read.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 a part of the data was refused.`,
		Example: `  promwire demo
  promwire serve --data ./metrics
  promwire push --url http://127.0.0.1:9201/api/v1/write orders_total 85 --type counter --label shop=berlin
  promwire read --url http://127.0.0.1:9201/api/v1/read --match orders_total`,
		Args:          noCommand,
		RunE:          func(cmd *cobra.Command, _ []string) error { return usagef("which command? %s", commandNames(cmd)) },
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetOut(streams.Out)
	root.SetErr(streams.Err)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return flagError(err) })
	root.AddCommand(newDemo(streams), newServe(streams), newAgent(streams), newRelay(streams), newPush(streams), newRead(streams), newQuery(streams), newCopy(streams), newReady(streams), newVersion(streams))
	return root
}

// noCommand refuses what is not the name of a command.
func noCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return usagef("unknown command %q, want one of: %s", args[0], commandNames(cmd))
}

func commandNames(root *cobra.Command) string {
	names := ""
	for _, c := range root.Commands() {
		if c.IsAvailableCommand() {
			if names != "" {
				names += ", "
			}
			names += c.Name()
		}
	}
	return names
}
