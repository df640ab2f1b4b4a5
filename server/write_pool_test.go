package server_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/server"
)

// What a request leaves in pooled memory must not show in the next one.
func TestWritePooledMemory(t *testing.T) {
	for road, h := range bothRoads() {
		t.Run(road, func(t *testing.T) {
			store, handler := h()
			mixed := many(300)
			mixed.Timeseries[7].Exemplars = []promwire.Exemplar{{Labels: promwire.LabelsFromStrings("trace_id", "t"), Value: 1, Timestamp: 1}}
			mixed.Timeseries[8].Histograms = []promwire.Histogram{{Timestamp: 1, Count: 0}}
			mixed.Timeseries[9].Labels = promwire.Labels{{Name: "no", Value: "name"}}
			expect(t, write(t, handler, promwire.WriteV2, mixed), 400, "299/1/1", "series 9 ")
			for i := range 3 {
				clear(store.series)
				req := &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{series([]float64{1}, "__name__", fmt.Sprint("m", i))}}
				for _, version := range bothTypes {
					if w := write(t, handler, version, req); w.Code != 204 {
						t.Fatalf("%d %s", w.Code, w.Body)
					}
				}
				if got := store.series[fmt.Sprint("m", i)]; len(store.series) != 1 || len(got.Samples) != 1 || len(got.Histograms)+len(got.Exemplars) != 0 {
					t.Fatalf("stored %v", store.series)
				}
			}
		})
	}
}

func TestWriteParallel(t *testing.T) {
	for road, h := range bothRoads() {
		t.Run(road, func(t *testing.T) {
			store, handler := h()
			var wg sync.WaitGroup
			for worker := range 8 {
				wg.Go(func() {
					for i := range 20 {
						req := &promwire.WriteRequest{}
						for k := range (worker*i)%50 + 1 {
							req.Timeseries = append(req.Timeseries, series([]float64{1, 2}, "__name__", "m", "at", fmt.Sprint(worker, "/", i, "/", k)))
						}
						w := write(t, handler, bothTypes[i%2], req)
						if w.Code != 204 {
							t.Errorf("%d %s", w.Code, w.Body)
						}
					}
				})
			}
			wg.Wait()
			want := 0
			for worker := range 8 {
				for i := range 20 {
					want += (worker*i)%50 + 1
				}
			}
			if len(store.series) != want {
				t.Errorf("%d series stored, want %d", len(store.series), want)
			}
			for key, ts := range store.series {
				if key != ts.Labels.String() || len(ts.Samples) != 2 {
					t.Fatalf("series %s became %s with %d samples", key, ts.Labels, len(ts.Samples))
				}
			}
		})
	}
}

// A storage that panics ends its own request; what others see in pooled memory is their own.
func TestWritePanic(t *testing.T) {
	var kept *promwire.WriteRequest
	h := server.NewWriteHandler(writerFunc(func(_ context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
		if req.Timeseries[0].Labels.Get("__name__") == "bomb" {
			kept = req
			panic("storage bug")
		}
		if req == kept {
			t.Error("memory of the request that panicked was used again")
		}
		return req.Stats(), nil
	}))
	for range 3 {
		func() {
			defer func() {
				if recover() != "storage bug" {
					t.Error("the panic was swallowed")
				}
			}()
			write(t, h, promwire.WriteV2, &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{series([]float64{1}, "__name__", "bomb")}})
		}()
		expect(t, write(t, h, promwire.WriteV2, many(3)), 204, "3/0/0")
		if got := kept.Timeseries[0].Labels.String(); got != "bomb" {
			t.Errorf("kept request reads %q", got)
		}
	}
}

// Header values of one answer must not change with the next one.
func TestWriteHeaderValuesStay(t *testing.T) {
	h := server.NewWriteHandler(newStore())
	first := write(t, h, promwire.WriteV2, many(3))
	for n := range 600 {
		expect(t, write(t, h, promwire.WriteV2, &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{
			series(make([]float64, n+1), "__name__", strings.Repeat("m", n+1)),
		}}), 204, fmt.Sprint(n+1, "/0/0"))
	}
	expect(t, first, 204, "3/0/0")
}
