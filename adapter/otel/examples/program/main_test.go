package main

import (
	"context"
	"net/http/httptest"
	"testing"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/server"
)

type values map[string]float64

func (v values) Write(_ context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	for _, ts := range req.Timeseries {
		v[ts.Labels.Get("__name__")] = ts.Samples[0].Value
	}
	return req.Stats(), nil
}

func TestRun(t *testing.T) {
	store := values{}
	receiver := httptest.NewServer(server.NewWriteHandler(store))
	defer receiver.Close()
	if err := run(t.Context(), receiver.URL); err != nil {
		t.Fatal(err)
	}
	if store["shop_orders_total"] != 3 || store["target_info"] != 1 {
		t.Errorf("got %v", store)
	}
}
