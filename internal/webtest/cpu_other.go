//go:build !unix

package webtest

import "time"

func cpuTime() time.Duration { return 0 }
