package tsdbstore

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/promwire/promwire"
)

// TestMalformedMessageLeavesNoSeries breaks the end of a message of new series: the answer is an error, and the head
// holds none of them.
func TestMalformedMessageLeavesNoSeries(t *testing.T) {
	s, err := Open(t.TempDir(), Options{MinFree: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	req := promwire.WriteRequest{}
	for i := range 100 {
		req.Timeseries = append(req.Timeseries, promwire.TimeSeries{
			Labels:  promwire.LabelsFromStrings(promwire.MetricName, "m", "i", fmt.Sprint(i)),
			Samples: []promwire.Sample{{Timestamp: time.Now().UnixMilli(), Value: 1}},
		})
	}
	for _, mt := range []promwire.MessageType{promwire.WriteV1, promwire.WriteV2} {
		msg, err := req.AppendProto(nil, mt)
		if err != nil {
			t.Fatal(err)
		}
		var body promwire.Body
		body.Reset(msg[:len(msg)-3], "", mt, 1<<20)
		var malformed *promwire.DecodeError
		if _, err := s.WriteBody(context.Background(), &body); !errors.As(err, &malformed) {
			t.Errorf("%s: got %v, want a DecodeError", mt, err)
		}
		if n := s.db.Head().NumSeries(); n != 0 {
			t.Errorf("%s: %d series are left", mt, n)
		}
	}
}
