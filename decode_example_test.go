package promwire_test

import (
	"fmt"

	"github.com/promwire/promwire"
)

// A walk sees each series of a message without keeping them all.
func ExampleDecoder() {
	req := promwire.WriteRequest{Timeseries: []promwire.TimeSeries{
		{
			Labels:  promwire.LabelsFromStrings("__name__", "up", "job", "node"),
			Samples: []promwire.Sample{{Timestamp: 1000, Value: 1}},
		},
	}}
	message, err := req.AppendProto(nil, promwire.WriteV2)
	if err != nil {
		fmt.Println(err)
		return
	}

	var d promwire.Decoder
	d.Reset(message, promwire.WriteV2)
	for d.Next() {
		ts := d.Series() // valid until the next call of Next
		fmt.Println(ts.Labels, ts.Samples[0].Value)
	}
	if d.Err() != nil {
		fmt.Println(d.Err())
	}
	// Output: up{job="node"} 1
}
