package webtest_test

import (
	"testing"

	"github.com/promwire/promwire/internal/webtest"
)

func TestNetHTTP(t *testing.T) { webtest.Run(t, webtest.NetHTTP) }

func BenchmarkNetHTTP(b *testing.B) { webtest.Bench(b, webtest.NetHTTP) }
