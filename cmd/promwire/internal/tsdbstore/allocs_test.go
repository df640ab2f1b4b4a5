//go:build !race

package tsdbstore

import (
	"fmt"
	"testing"

	"github.com/promwire/promwire"
)

// What a request of known series costs in memory does not depend on how many they are: the rest is the TSDB's.
func TestWriteBodyAllocations(t *testing.T) {
	s := openStore(t, t.TempDir(), Options{})
	for _, mt := range []promwire.MessageType{promwire.WriteV1, promwire.WriteV2} {
		at := base - hour
		body := func(series int) *promwire.Body {
			at++
			req := &promwire.WriteRequest{}
			for i := range series {
				req.Timeseries = append(req.Timeseries, promwire.TimeSeries{
					Labels:  labelsOf("__name__", "m", "type", string(mt), "i", fmt.Sprint(i), "n", fmt.Sprint(series)),
					Samples: []promwire.Sample{{Timestamp: at, Value: 1}},
				})
			}
			return newBody(t, req, mt)
		}
		for _, series := range []int{2000, 10} { // a smaller request after a larger one
			const runs = 20
			var bodies []*promwire.Body
			for range runs + 2 {
				bodies = append(bodies, body(series))
			}
			mustWriteBody(t, s, bodies[0])
			i := 0
			allocs := testing.AllocsPerRun(runs, func() {
				i++
				mustWriteBody(t, s, bodies[i])
			})
			if allocs > 60 {
				t.Errorf("%s: %v allocations for %d series", mt, allocs, series)
			}
		}
	}
}
