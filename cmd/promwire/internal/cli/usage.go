package cli

import (
	"fmt"
	"regexp"

	"github.com/spf13/cobra"
)

// usageError says that the command line is wrong.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error {
	return &usageError{fmt.Errorf(format, args...)}
}

var negativeNumber = regexp.MustCompile(`^unknown shorthand flag: '[0-9.]' in (-[0-9.]+)`)

// flagError makes a usage error of what flag parsing found.
func flagError(err error) error {
	if m := negativeNumber.FindStringSubmatch(err.Error()); m != nil {
		return usagef("%s looks like a flag: put -- before negative numbers, as in: promwire push --url URL -- NAME %s", m[1], m[1])
	}
	return &usageError{err}
}

// exactArgs demands these arguments.
func exactArgs(names ...string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		switch {
		case len(args) < len(names):
			return usagef("%s is missing", names[len(args)])
		case len(args) > len(names):
			return usagef("unexpected argument %q", args[len(names)])
		default:
			return nil
		}
	}
}

// require marks a flag without which the command cannot work. Cobra's own check would not be a usage error.
func require(flag, value string) error {
	if value == "" {
		return usagef("--%s is missing", flag)
	}
	return nil
}
