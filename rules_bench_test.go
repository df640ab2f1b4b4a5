package promwire_test

import (
	"testing"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/workload"
)

func BenchmarkRulesApply(b *testing.B) {
	var req promwire.WriteRequest
	if err := req.UnmarshalProtoAlias(encode(b, workload.Batch(), v1), v1); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		for i := range req.Timeseries {
			if _, keep := (promwire.Rules{Type: v2}).Apply(nil, i, &req.Timeseries[i]); !keep {
				b.Fatal("refused")
			}
		}
	}
}
