package server_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/server"
)

const (
	vectorW1 = "0a280a0e0a085f5f6e616d655f5f120275700a080a036a6f62120161120c09000000000000f03f10e807"
	vectorR1 = "220022085f5f6e616d655f5f2207635f746f74616c22036a6f622201612208747261" +
		"63655f69642201742204686570702201732a310a0401020304120f09000000000000004010d00f18e807" +
		"22100a02050611000000000000e03f18cf0f2a060801180720 08"
)

// bothRoads returns how to make a handler whose storage takes requests, and one whose storage takes bodies.
func bothRoads() map[string]func(...server.WriteOption) (*memStore, http.Handler) {
	return map[string]func(...server.WriteOption) (*memStore, http.Handler){
		"requests": func(opts ...server.WriteOption) (*memStore, http.Handler) {
			store := newStore()
			return store, server.NewWriteHandler(store, opts...)
		},
		"bodies": func(opts ...server.WriteOption) (*memStore, http.Handler) {
			store := newStore()
			return store, server.NewWriteHandler(bodyStore{store}, opts...)
		},
	}
}

func TestWriteVectors(t *testing.T) {
	tests := []struct {
		name    string
		version promwire.MessageType
		hex     string
		status  int
		written string
		text    string
	}{
		{"W1", promwire.WriteV1, vectorW1, 204, "", ""},
		{"R1", promwire.WriteV2, vectorR1, 204, "1/0/1", ""},
		{"R2, empty metadata", promwire.WriteV2, "220022085f5f6e616d655f5f220275702a140a020102120c09000000000000f03f10e8072a00", 204, "1/0/0", ""},
		{"R3, custom buckets", promwire.WriteV2, `220022085f5f6e616d655f5f22016e2a5c0a0201021a521100000000000008401900000000000016402069390000000000000000
			5a0210015a04080210016a100000000000000040000000000000f03f78e8078201109a9999999999b93f000000000000f03f8801012a020803`, 204, "0/1/0", ""},
		{"E1, three references", promwire.WriteV2, "220022085f5f6e616d655f5f220275702a130a03010201120c09000000000000f03f10e807", 400, "0/0/0", "odd number"},
		{"E2, reference out of range", promwire.WriteV2, "220022085f5f6e616d655f5f220275702a120a020109120c09000000000000f03f10e807", 400, "0/0/0", "the table has 3 symbols"},
		{"E3, first symbol not empty", promwire.WriteV2, "22085f5f6e616d655f5f220275702a120a020001120c09000000000000f03f10e807", 400, "0/0/0", "first symbol must be the empty string"},
		{"E4, no samples", promwire.WriteV2, "220022085f5f6e616d655f5f220275702a040a020102", 400, "0/0/0", "neither samples nor histograms"},
		{"E5, old field 6", promwire.WriteV2, "220022085f5f6e616d655f5f220275702a150a020102120c09000000000000f03f10e80730f403", 204, "1/0/0", ""},
		{"E6, references not packed", promwire.WriteV2, "220022085f5f6e616d655f5f220275702a1208010802120c09000000000000f03f10e807", 204, "1/0/0", ""},
		{"no symbols at all", promwire.WriteV2, "2a120a020102120c09000000000000f03f10e807", 400, "0/0/0", "first symbol"},
		{"1.0 message announced as 2.0", promwire.WriteV2, vectorW1, 400, "0/0/0", "the Content-Type of such a body is application/x-protobuf\n"},
		{"2.0 message announced as 1.0", promwire.WriteV1, vectorR1, 400, "", "the Content-Type of such a body is " + promwire.ContentTypeWriteV2},
		{"2.0 symbols announced as 1.0", promwire.WriteV1, "2200", 400, "", "Remote Write 2.0"},
		{"1.0 metadata announced as 2.0", promwire.WriteV2, "1a1108011207635f746f74616c2201682a0173", 400, "0/0/0", "Remote Write 1.0"},
		{"1.0 with fields of 2.0 beside", promwire.WriteV1, "2200" + vectorW1 + "2a00", 204, "", ""},
		{"2.0 with fields of 1.0 beside", promwire.WriteV2, "0a00" + vectorR1, 204, "1/0/1", ""},
		{"1.0 with other fields only", promwire.WriteV1, "3200", 204, "", ""},
		{"empty 1.0", promwire.WriteV1, "", 204, "", ""},
		{"empty 2.0", promwire.WriteV2, "", 204, "0/0/0", ""},
		{"2.0 with symbols only", promwire.WriteV2, "2200", 204, "0/0/0", ""},
		{"metadata only", promwire.WriteV1, "1a1108011207635f746f74616c2201682a0173", 204, "", ""},
		{"1.0 series without data", promwire.WriteV1, "0a0f0a0d0a085f5f6e616d655f5f12016d", 204, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for road, h := range bothRoads() {
				t.Log(road)
				_, handler := h()
				expect(t, do(handler, request(tt.version, unhex(t, tt.hex))), tt.status, tt.written, tt.text)
			}
		})
	}
}

func TestWriteAnyFirstSymbol(t *testing.T) {
	e3 := unhex(t, "22085f5f6e616d655f5f220275702a120a020001120c09000000000000f03f10e807")
	for _, h := range bothRoads() {
		store, handler := h(server.WithAnyFirstSymbol())
		expect(t, do(handler, request(promwire.WriteV2, e3)), 204, "1/0/0")
		expect(t, do(handler, request(promwire.WriteV2, unhex(t, vectorW1))), 400, "0/0/0", "Remote Write 1.0")
		if store.series["up"] == nil {
			t.Errorf("stored %v", store.series)
		}
	}
}

func TestWriteMetadata(t *testing.T) {
	w3 := unhex(t, "1a1108011207635f746f74616c2201682a0173")
	for road, h := range bothRoads() {
		store, handler := h()
		expect(t, do(handler, request(promwire.WriteV1, w3)), 204, "")
		want := promwire.MetricMetadata{Metadata: promwire.Metadata{Type: promwire.TypeCounter, Help: "h", Unit: "s"}, Family: "c_total"}
		if len(store.metadata) != 1 || store.metadata[0] != want {
			t.Errorf("%s: metadata %v", road, store.metadata)
		}
	}
}

func TestWriteNothingIsNotPassedOn(t *testing.T) {
	h := server.NewWriteHandler(writerFunc(func(context.Context, *promwire.WriteRequest) (promwire.WriteStats, error) {
		t.Error("the storage was called")
		return promwire.WriteStats{}, nil
	}))
	expect(t, do(h, request(promwire.WriteV1, nil)), 204, "")
	expect(t, do(h, request(promwire.WriteV1, []byte{0x0a, 0x00})), 400, "", "metric name")
}

// raw is a series with labels as they are given, valid or not.
func raw(namesAndValues ...string) promwire.TimeSeries {
	ts := promwire.TimeSeries{Samples: []promwire.Sample{{Timestamp: 1000, Value: 1}}}
	for i := 0; i < len(namesAndValues); i += 2 {
		ts.Labels = append(ts.Labels, promwire.Label{Name: namesAndValues[i], Value: namesAndValues[i+1]})
	}
	return ts
}

func TestWriteBadNextToGood(t *testing.T) {
	contradicting := promwire.TimeSeries{Labels: promwire.LabelsFromStrings("__name__", "h"), Histograms: []promwire.Histogram{{
		Timestamp: 1000, Count: 9, PositiveSpans: []promwire.BucketSpan{{Offset: 0, Length: 1}}, PositiveDeltas: []int64{1},
	}}}
	tests := []struct {
		name   string
		bad    promwire.TimeSeries
		reason error
	}{
		{"no name", raw("job", "a"), promwire.ErrNoMetricName},
		{"no labels", raw(), promwire.ErrNoMetricName},
		{"empty name", raw("__name__", ""), promwire.ErrNoMetricName},
		{"repeated label", raw("__name__", "up", "a", "1", "a", "2"), promwire.ErrDuplicateLabel},
		{"empty label name", raw("", "x", "__name__", "up"), promwire.ErrEmptyLabelName},
		{"value not UTF-8", raw("__name__", "up", "a", "\xff\xfe"), promwire.ErrInvalidUTF8},
		{"name not UTF-8", raw("__name__", "\xff"), promwire.ErrInvalidUTF8},
		{"contradicting histogram", contradicting, promwire.ErrInvalidHistogram},
	}
	for _, tt := range tests {
		for _, version := range bothTypes {
			for road, h := range bothRoads() {
				t.Run(tt.name+"/"+version.Version()+"/"+road, func(t *testing.T) {
					store, handler := h()
					good1, good2 := series([]float64{1}, "__name__", "good1"), series([]float64{1, 2}, "__name__", "good2")
					req := &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{good1, tt.bad, good2}}
					written := ""
					if version == promwire.WriteV2 {
						written = "3/0/0"
					}
					expect(t, write(t, handler, version, req), 400, written,
						"refused 1 item (1 × "+tt.reason.Error()+")", "written: 3 samples", "\nseries 1 ")
					if len(store.series) != 2 || len(store.series["good2"].Samples) != 2 {
						t.Errorf("stored %v", store.series)
					}
				})
			}
		}
	}
}

func TestWriteMendsLabels(t *testing.T) {
	for _, version := range bothTypes {
		for road, h := range bothRoads() {
			store, handler := h()
			req := &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{raw("job", "a", "empty", "", "__name__", "up")}}
			w := write(t, handler, version, req)
			if w.Code != 204 {
				t.Fatalf("%s, %s: %d %s", version, road, w.Code, w.Body)
			}
			if ts := store.series[`up{job="a"}`]; ts == nil || len(ts.Labels) != 2 {
				t.Errorf("%s, %s: stored %v", version, road, store.series)
			}
		}
	}
}

func TestWriteLegacyNames(t *testing.T) {
	for _, h := range bothRoads() {
		store, handler := h(server.WithNames(promwire.LegacyNames))
		req := &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{raw("__name__", "läuft"), raw("__name__", "up")}}
		expect(t, write(t, handler, promwire.WriteV2, req), 400, "1/0/0", "1 × invalid name")
		if len(store.series) != 1 {
			t.Errorf("stored %v", store.series)
		}
		_, handler = h()
		expect(t, write(t, handler, promwire.WriteV2, req), 204, "2/0/0")
	}
}

// The storage counts the series that it got; the answer counts those that were sent.
func TestWriteIndicesAreThoseOfTheRequest(t *testing.T) {
	for road, h := range bothRoads() {
		store, handler := h()
		old := &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{series([]float64{1, 2, 3}, "__name__", "m")}}
		expect(t, write(t, handler, promwire.WriteV2, old), 204, "3/0/0")
		req := &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{
			raw("job", "nameless"),
			series([]float64{1}, "__name__", "n"),
			series([]float64{7}, "__name__", "m"),
			raw(),
			series([]float64{1, 2, 3.5}, "__name__", "m"),
		}}
		w := write(t, handler, promwire.WriteV2, req)
		expect(t, w, 400, "1/0/0", "refused 6 items", "2 × metric name is missing", "3 × sample is older", "1 × another value")
		var first []string
		for _, line := range strings.Split(w.Body.String(), "\n")[1:] {
			if f := strings.Fields(line); len(f) > 1 {
				first = append(first, f[1])
			}
		}
		if got := strings.Join(first, " "); got != "0 2 3 4 4 4" {
			t.Errorf("%s: refused series %q in %s", road, got, w.Body)
		}
		if len(store.series["n"].Samples) != 1 {
			t.Errorf("%s: stored %v", road, store.series)
		}
	}
}

func TestWriteTextIsBounded(t *testing.T) {
	req := &promwire.WriteRequest{}
	for range 500 {
		req.Timeseries = append(req.Timeseries, raw("a", strings.Repeat("long ", 2000)))
	}
	for _, h := range bothRoads() {
		_, handler := h()
		w := write(t, handler, promwire.WriteV2, req)
		expect(t, w, 400, "0/0/0", "refused 500 items (500 × metric name is missing)", "and 490 more")
		if w.Body.Len() > 5<<10 {
			t.Errorf("text of %d bytes", w.Body.Len())
		}
	}
}

func TestWriteStorageFails(t *testing.T) {
	tests := []struct {
		name       string
		stats      promwire.WriteStats
		err        error
		status     int
		written    string
		retryAfter string
	}{
		{"unknown", promwire.WriteStats{}, errors.New("boom"), 500, "0/0/0", ""},
		{"unavailable", promwire.WriteStats{Samples: 1}, promwire.ErrUnavailable, 503, "1/0/0", ""},
		{"relay, overload", promwire.WriteStats{}, &promwire.HTTPError{StatusCode: 429, RetryAfter: 1500 * time.Millisecond}, 429, "0/0/0", "2"},
		{"relay, down", promwire.WriteStats{}, &promwire.HTTPError{StatusCode: 503, RetryAfter: time.Minute}, 503, "0/0/0", "60"},
		{"relay, refused", promwire.WriteStats{}, &promwire.HTTPError{StatusCode: 422, Body: "no"}, 422, "0/0/0", ""},
		{"counts in the error only", promwire.WriteStats{}, &promwire.PartialWriteError{Written: promwire.WriteStats{Samples: 1, Exemplars: 3}}, 400, "1/0/3", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := server.NewWriteHandler(writerFunc(func(context.Context, *promwire.WriteRequest) (promwire.WriteStats, error) {
				return tt.stats, tt.err
			}))
			w := write(t, h, promwire.WriteV2, many(2))
			expect(t, w, tt.status, tt.written)
			if got := w.Header().Get("Retry-After"); got != tt.retryAfter {
				t.Errorf("Retry-After %q, want %q", got, tt.retryAfter)
			}
			expect(t, write(t, h, promwire.WriteV1, many(2)), tt.status, "")
		})
	}
}

// A failure that may pass outranks what the handler refused: the sender must send again.
func TestWriteStorageFailsNextToRefusals(t *testing.T) {
	h := server.NewWriteHandler(writerFunc(func(context.Context, *promwire.WriteRequest) (promwire.WriteStats, error) {
		return promwire.WriteStats{}, promwire.ErrUnavailable
	}))
	req := many(1)
	req.Timeseries = append(req.Timeseries, raw("job", "nameless"))
	expect(t, write(t, h, promwire.WriteV2, req), 503, "0/0/0", "temporarily unavailable")
}

func TestWriteContext(t *testing.T) {
	type key struct{}
	h := server.NewWriteHandler(writerFunc(func(ctx context.Context, _ *promwire.WriteRequest) (promwire.WriteStats, error) {
		if ctx.Value(key{}) != "tenant" {
			t.Error("the request's context did not arrive")
		}
		return promwire.WriteStats{}, ctx.Err()
	}))
	ctx, cancel := context.WithCancel(context.WithValue(t.Context(), key{}, "tenant"))
	cancel()
	r := request(promwire.WriteV2, encode(t, promwire.WriteV2, many(1)))
	expect(t, do(h, r.WithContext(ctx)), 503, "0/0/0", "context canceled")
}

func TestWriteNilLogger(t *testing.T) {
	h := server.NewWriteHandler(newStore(), server.WithLogger(nil))
	expect(t, do(h, rawRequest(promwire.WriteV1, []byte("junk"))), 400, "")
}

func TestWriteLogs(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
	h := server.NewWriteHandler(writerFunc(func(context.Context, *promwire.WriteRequest) (promwire.WriteStats, error) {
		return promwire.WriteStats{}, errors.New("disk on fire")
	}), server.WithLogger(log))
	write(t, h, promwire.WriteV1, many(1))
	do(h, rawRequest(promwire.WriteV1, []byte("junk")))
	for _, part := range []string{"level=WARN", "disk on fire", "level=DEBUG", "status=400"} {
		if !strings.Contains(out.String(), part) {
			t.Errorf("log lacks %q:\n%s", part, out.String())
		}
	}
}
