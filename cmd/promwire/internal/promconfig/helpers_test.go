package promconfig_test

import (
	"context"
	"io"
	"net/http"
	"testing"

	"github.com/golang/snappy"

	"github.com/promwire/promwire"
)

func request(names ...string) *promwire.WriteRequest {
	req := &promwire.WriteRequest{}
	for _, name := range names {
		req.Timeseries = append(req.Timeseries, promwire.TimeSeries{
			Labels:  promwire.LabelsFromStrings("__name__", name),
			Samples: []promwire.Sample{{Timestamp: 1000, Value: 1}},
		})
	}
	return req
}

// decode returns the series in a request.
func decode(t *testing.T, r *http.Request) []string {
	data, err := io.ReadAll(r.Body)
	if err == nil {
		data, err = snappy.Decode(nil, data)
	}
	var req promwire.WriteRequest
	if err == nil {
		err = req.UnmarshalProto(data, promwire.WriteV2)
	}
	if err != nil {
		t.Error(err)
	}
	var names []string
	for _, ts := range req.Timeseries {
		names = append(names, ts.Labels.String())
	}
	return names
}

type refuseAll struct{}

func (refuseAll) Write(_ context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	e := &promwire.PartialWriteError{}
	for i, ts := range req.Timeseries {
		e.Refused = append(e.Refused, promwire.Refusal{Series: i, Labels: ts.Labels, Reason: promwire.ErrTooOld})
	}
	return promwire.WriteStats{}, e
}
