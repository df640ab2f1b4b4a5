//go:build !unix

package cli

import "os"

// terminalWidth knows of no terminal here: charts have the usual width and no colors.
func terminalWidth(*os.File) (columns int, ok bool) { return 0, false }
