package main

import (
	"context"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/promwire/promwire"
)

// receiver hangs in its first request, and keeps the newest value of the next ones.
type receiver struct {
	requests int
	value    float64
}

func (r *receiver) Write(ctx context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	if r.requests++; r.requests == 1 {
		<-ctx.Done()
		return promwire.WriteStats{}, ctx.Err()
	}
	samples := req.Timeseries[0].Samples
	r.value = samples[len(samples)-1].Value
	return req.Stats(), nil
}

func TestHandlerKeepsItsDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &receiver{}
		h := handler(store)
		for i, want := range []time.Duration{300 * time.Millisecond, 0} {
			begin, rw := time.Now(), httptest.NewRecorder()
			h(rw, httptest.NewRequestWithContext(t.Context(), "GET", "/", nil))
			if took := time.Since(begin); took != want || rw.Body.String() != "hello\n" {
				t.Errorf("call %d took %v, want %v, and answered %q", i, took, want, rw.Body)
			}
		}
		if store.value != 2 {
			t.Errorf("counted %v, want both calls", store.value)
		}
	})
}
