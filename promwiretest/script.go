package promwiretest

import (
	"math/rand/v2"
	"net/http"
)

// Script says what goes wrong with which request: n counts the requests since [Receiver.SetScript], from 0. It is
// called by several goroutines at once, before the request's body is read.
type Script func(n int, r *http.Request) Fault

// Always makes the same fault each time.
func Always(f Fault) Script {
	return func(int, *http.Request) Fault { return f }
}

// Sequence gives the first request the first fault and so on; requests after the last fault go well.
func Sequence(faults ...Fault) Script {
	return func(n int, _ *http.Request) Fault {
		if n < len(faults) {
			return faults[n]
		}
		return Fault{}
	}
}

// Times makes the same fault for the first n requests: a burst.
func Times(n int, f Fault) Script {
	return func(i int, _ *http.Request) Fault {
		if i < n {
			return f
		}
		return Fault{}
	}
}

// Random makes one of the faults, each as often, for this share of the requests (0 to 1). The same seed gives the same
// fault for the same number of a request.
func Random(seed uint64, share float64, faults ...Fault) Script {
	return func(n int, _ *http.Request) Fault {
		r := rand.New(rand.NewPCG(seed, uint64(n)))
		if r.Float64() >= share {
			return Fault{}
		}
		return faults[r.IntN(len(faults))]
	}
}
