package server_test

import (
	"context"
	"fmt"
	"io"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/server"
)

func TestWriteSampleAndExemplarLimits(t *testing.T) {
	req := many(20)
	for i := range 10 {
		req.Timeseries[i].Exemplars = []promwire.Exemplar{{Value: 1, Timestamp: 1}}
	}
	req.Timeseries[19].Samples = nil
	req.Timeseries[19].Histograms = []promwire.Histogram{{Timestamp: 1}}
	for _, version := range bothTypes {
		for road, h := range bothRoads() {
			store, handler := h(server.WithWriteLimits(server.WriteLimits{MaxSamples: 19}))
			expect(t, write(t, handler, version, req), 413, zeros(version), "more than 19 samples")
			if store.calls != 0 {
				t.Errorf("%s: the storage was called", road)
			}
			_, handler = h(server.WithWriteLimits(server.WriteLimits{MaxExemplars: 9}))
			expect(t, write(t, handler, version, req), 413, zeros(version), "more than 9 exemplars")
			_, handler = h(server.WithWriteLimits(server.WriteLimits{MaxSamples: 20, MaxExemplars: 10}))
			if w := write(t, handler, version, req); w.Code != 204 {
				t.Errorf("%s: %d %s", road, w.Code, w.Body)
			}
		}
	}
}

func TestWriteLabelLengths(t *testing.T) {
	req := many(1)
	req.Timeseries = append(req.Timeseries, series([]float64{1}, "__name__", "m", strings.Repeat("n", 31), "v"),
		series([]float64{1}, "__name__", "m", "name", strings.Repeat("v", 41)))
	for road, h := range bothRoads() {
		store, handler := h(server.WithWriteLimits(server.WriteLimits{MaxLabelNameBytes: 30, MaxLabelValueBytes: 40}))
		expect(t, write(t, handler, promwire.WriteV2, req), 400, "1/0/0", "2 × label is too long",
			`name "nnnnn`, "of 31 bytes, limit 30", `value of "name" has 41 bytes, limit 40`)
		if len(store.series) != 1 {
			t.Errorf("%s: %d series written", road, len(store.series))
		}
		_, handler = h(server.WithWriteLimits(server.WriteLimits{MaxLabelNameBytes: 31, MaxLabelValueBytes: 41}))
		expect(t, write(t, handler, promwire.WriteV2, req), 204, "3/0/0")
	}
	for _, n := range []int{64<<10 + 1, 64 << 10} {
		w := write(t, server.NewWriteHandler(newStore()), promwire.WriteV1, &promwire.WriteRequest{
			Timeseries: []promwire.TimeSeries{series([]float64{1}, "__name__", strings.Repeat("v", n))},
		})
		if (w.Code == 400) != (n > 64<<10) {
			t.Errorf("%d bytes: %d %s", n, w.Code, w.Body)
		}
	}
}

func TestWriteValidation(t *testing.T) {
	unsorted := promwire.TimeSeries{Labels: promwire.Labels{{Name: "b", Value: "1"}, {Name: "__name__", Value: "unsorted"}}, Samples: []promwire.Sample{{Timestamp: 1}}}
	empty := promwire.TimeSeries{Labels: promwire.Labels{{Name: "__name__", Value: "empty"}, {Name: "a", Value: ""}}, Samples: []promwire.Sample{{Timestamp: 1}}}
	invalid := promwire.TimeSeries{Labels: promwire.Labels{{Name: "__name__", Value: "invalid"}, {Name: "a", Value: "\xff"}}, Samples: []promwire.Sample{{Timestamp: 1}}}
	both := promwire.TimeSeries{Labels: promwire.LabelsFromStrings("__name__", "both"), Samples: []promwire.Sample{{Timestamp: 1}}, Histograms: []promwire.Histogram{{Timestamp: 2}}}
	nothing := promwire.TimeSeries{Labels: promwire.LabelsFromStrings("__name__", "nothing")}
	duplicate := promwire.TimeSeries{Labels: promwire.Labels{{Name: "__name__", Value: "dup"}, {Name: "a", Value: "1"}, {Name: "a", Value: "2"}}, Samples: []promwire.Sample{{Timestamp: 1}}}
	req := &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{unsorted, empty, invalid, both, nothing, duplicate}}
	for _, tt := range []struct {
		validation promwire.Validation
		stored     string
	}{
		{promwire.ValidateUsual, "both,empty,unsorted"},
		{promwire.ValidateStrict, ""},
		{promwire.ValidateLenient, "both,empty,invalid,unsorted"},
	} {
		for road, h := range bothRoads() {
			store, handler := h(server.WithValidation(tt.validation))
			w := write(t, handler, promwire.WriteV2, req)
			var names []string
			for _, ts := range store.sorted(promwire.Query{}) {
				names = append(names, ts.Labels.Get("__name__"))
			}
			if got := strings.Join(names, ","); got != tt.stored || w.Code != 400 || !strings.Contains(w.Body.String(), "label name is repeated") {
				t.Errorf("%s, %d: stored %q, want %q; %d %s", road, tt.validation, got, tt.stored, w.Code, w.Body)
			}
			if refused := strings.Contains(w.Body.String(), "neither samples nor"); refused != (tt.validation != promwire.ValidateLenient) {
				t.Errorf("%s, %d: %s", road, tt.validation, w.Body)
			}
			if ts := store.series[`invalid{a="�"}`]; (ts != nil) != (tt.validation == promwire.ValidateLenient) {
				t.Errorf("%s, %d: invalid UTF-8 is stored as %v", road, tt.validation, ts)
			}
		}
	}
	h := server.NewWriteHandler(newStore(), server.WithValidation(promwire.ValidateLenient))
	expect(t, do(h, request(promwire.WriteV2, unhex(t, "2208 5f5f6e616d655f5f 2202 7570 2a0f 0a020001 1209 09 000000000000f03f"))), 204, "1/0/0")
}

func TestTenantLimits(t *testing.T) {
	store := slowStore{make(chan struct{}), make(chan struct{})}
	msg := encode(t, promwire.WriteV2, many(100))
	h := server.NewWriteHandler(store, server.WithTenant(server.TenantFromHeader("T")), server.WithWriteLimits(server.WriteLimits{MaxSeries: 100}),
		server.WithTenantLimits(func(tenant string) server.WriteLimits {
			switch tenant {
			case "small":
				return server.WriteLimits{MaxSeries: 99}
			case "one":
				return server.WriteLimits{MaxConcurrent: 1}
			case "few bytes":
				return server.WriteLimits{MaxBytesInFlight: len(msg)}
			case "big":
				return server.WriteLimits{MaxSeries: -1}
			default:
				return server.WriteLimits{}
			}
		}))
	send := func(tenant string, n int) *httptest.ResponseRecorder {
		r := request(promwire.WriteV2, encode(t, promwire.WriteV2, many(n)))
		r.Header.Set("T", tenant)
		return do(h, r)
	}
	finish := func(tenant string, n, status int) {
		t.Helper()
		got := make(chan *httptest.ResponseRecorder)
		go func() { got <- send(tenant, n) }()
		<-store.begun
		store.goOn <- struct{}{}
		expect(t, <-got, status, fmt.Sprint(n, "/0/0"))
	}
	finish("", 100, 204)
	expect(t, send("", 101), 413, "0/0/0", "more than 100 series")
	expect(t, send("small", 100), 413, "0/0/0", "more than 99 series")
	finish("big", 200, 204)
	for _, tenant := range []string{"one", "few bytes"} {
		for range 2 { // a second time: what was taken was given back
			first := make(chan *httptest.ResponseRecorder)
			go func() { first <- send(tenant, 100) }()
			<-store.begun
			r := request(promwire.WriteV2, msg)
			r.Header.Set("T", tenant)
			if tenant == "one" {
				r.Body = io.NopCloser(unreadable{t})
			}
			w := do(h, r)
			expect(t, w, 503, "0/0/0", "tenant")
			if w.Header().Get("Retry-After") != "1" {
				t.Errorf("Retry-After %q", w.Header().Get("Retry-After"))
			}
			other := make(chan *httptest.ResponseRecorder)
			go func() { other <- send("other", 100) }()
			<-store.begun
			store.goOn <- struct{}{}
			store.goOn <- struct{}{}
			expect(t, <-first, 204, "100/0/0")
			expect(t, <-other, 204, "100/0/0")
		}
	}
}

// A request that is too large to be decoded at once arrives in parts, whole, and what is refused is named by its place in the
// request.
func TestWriteParts(t *testing.T) {
	const n = 40_000 * 64 / strconv.IntSize // structs of series take half the memory on small machines
	req := many(n)
	for _, i := range []int{5, 20_000, n - 1} {
		req.Timeseries[i].Labels = promwire.Labels{{Name: "no", Value: "name"}}
	}
	req.Metadata = nil
	for _, version := range bothTypes {
		store := newStore()
		parts, at := 0, 0
		h := server.NewWriteHandler(writerFunc(func(ctx context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
			parts++
			at += len(req.Timeseries)
			return store.Write(ctx, req)
		}))
		for round := range 2 {
			parts, at = 0, 0
			written := ""
			if version == promwire.WriteV2 {
				written = fmt.Sprint(n-3, "/0/0")
			}
			expect(t, write(t, h, version, req), 400, written, "refused 3 items", "series 5 ", "series 20000 ", fmt.Sprint("series ", n-1, " "))
			if parts < 2 || at != n-3 || len(store.series) != n-3 {
				t.Errorf("%s, round %d: %d series in %d parts, %d stored", version, round, at, parts, len(store.series))
			}
		}
		// The storage refuses everything the second time, with other values.
		for i := range req.Timeseries {
			req.Timeseries[i].Samples[0].Value++
		}
		zero := ""
		if version == promwire.WriteV2 {
			zero = "0/0/0"
		}
		expect(t, write(t, h, version, req), 400, zero, fmt.Sprint("refused ", n, " items"), "series 0 ")
		// Malformed behind the first part: nothing is written.
		parts = 0
		expect(t, do(h, request(version, append(encode(t, version, req), 0x0a, 0x05, 0x01))), 400, zero, "decode ")
		expect(t, do(server.NewWriteHandler(store, server.WithWriteLimits(server.WriteLimits{MaxSeries: n - 1})), request(version, encode(t, version, req))),
			413, zero, fmt.Sprint("more than ", n-1, " series"))
		if parts != 0 {
			t.Errorf("%d parts of a malformed message were written", parts)
		}
	}
}

// A storage that fails between parts gets no more of them, and the answer counts what was written.
func TestWritePartsFail(t *testing.T) {
	parts, roomy := 0, server.WithWriteLimits(server.WriteLimits{MaxSeries: 200_000})
	h := server.NewWriteHandler(writerFunc(func(_ context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
		if parts++; parts == 2 {
			return promwire.WriteStats{}, promwire.ErrUnavailable
		}
		return promwire.WriteStats{Samples: 7}, nil
	}), roomy)
	req := many(80_000 * 64 / strconv.IntSize)
	expect(t, write(t, h, promwire.WriteV2, req), 503, "7/0/0")
	if parts != 2 {
		t.Errorf("%d parts", parts)
	}
	parts = 0
	h = server.NewWriteHandler(writerFunc(func(_ context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
		if parts++; parts == 2 {
			return promwire.WriteStats{}, promwire.ErrTooOld
		}
		return promwire.WriteStats{Samples: 7}, nil
	}), roomy)
	w := write(t, h, promwire.WriteV2, req)
	if parts < 3 {
		t.Errorf("%d parts", parts)
	}
	expect(t, w, 400, fmt.Sprint(7*(parts-1), "/0/0"), "older than the out-of-order window")
}
