package servermetrics_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/adapter/clientgolang/servermetrics"
	"github.com/promwire/promwire/promwiretest"
	"github.com/promwire/promwire/server"
)

func sample(name string, timestamp int64) promwire.TimeSeries {
	return promwire.TimeSeries{Labels: promwire.LabelsFromStrings("__name__", name), Samples: []promwire.Sample{{Timestamp: timestamp, Value: 1}}}
}

// post sends an encoded message to a handler.
func post(t *testing.T, h http.Handler, path, contentType string, message []byte) *httptest.ResponseRecorder {
	t.Helper()
	body, err := promwire.Snappy.AppendEncoded(nil, message)
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, path, bytes.NewReader(body))
	r.Header.Set("Content-Type", contentType)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestMetrics(t *testing.T) {
	m := servermetrics.New()
	reg := prometheus.NewPedanticRegistry()
	reg.MustRegister(m)
	h := server.NewHandler(promwiretest.NewMemory(promwiretest.RefuseOlder), server.WithMetrics(m))
	req := &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{sample("a", 2), sample("b", 1), {Labels: promwire.Labels{{Name: "x", Value: "y"}}, Samples: []promwire.Sample{{Timestamp: 1}}}}}
	message, err := req.AppendProto(nil, promwire.WriteV2)
	if err != nil {
		t.Fatal(err)
	}
	post(t, h, server.WritePath, promwire.ContentTypeWriteV2, message)
	post(t, h, server.WritePath, "text/plain", message)
	matchers, err := promwire.ParseSelector("a")
	if err != nil {
		t.Fatal(err)
	}
	query := promwire.Query{Start: time.UnixMilli(0), End: time.UnixMilli(10), Matchers: matchers}
	ask := promwire.ReadRequest{Queries: []promwire.Query{query}}
	post(t, h, server.ReadPath, promwire.ContentTypeProtobuf, ask.AppendProto(nil))

	got := gather(t, reg)
	for name, want := range map[string]float64{
		`requests_total{cause="",code="200",operation="read"}`:             1,
		`requests_total{cause="partial",code="400",operation="write"}`:     1,
		`requests_total{cause="unsupported",code="415",operation="write"}`: 1,
		`requests_in_flight{operation="read"}`:                             0,
		`requests_in_flight{operation="write"}`:                            0,
		`request_duration_seconds{operation="read"}`:                       1,
		`request_duration_seconds{operation="write"}`:                      2,
		`written_total{kind="sample"}`:                                     2,
		`written_total{kind="exemplar"}`:                                   0,
		`refused_total{reason="no_metric_name"}`:                           1,
		`series_total{operation="read"}`:                                   1,
		`series_total{operation="write"}`:                                  3,
		`decoded_bytes_total{operation="write"}`:                           float64(len(message)),
		`read_samples_total{}`:                                             1,
		`read_chunks_total{}`:                                              0,
		`queries_total{}`:                                                  1,
	} {
		value, there := got["promwire_server_"+name]
		if !there || value != want {
			t.Errorf("%s: %v (there: %v), want %v", name, value, there, want)
		}
	}
	if got[`promwire_server_body_bytes_total{operation="write"}`] == 0 || got[`promwire_server_answer_bytes_total{}`] == 0 {
		t.Errorf("bytes are missing: %v", got)
	}
}

// gather returns the values of all series, of histograms their counts.
func gather(t *testing.T, reg *prometheus.Registry) map[string]float64 {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]float64{}
	for _, family := range families {
		for _, series := range family.GetMetric() {
			var labels []string
			for _, l := range series.GetLabel() {
				labels = append(labels, fmt.Sprintf("%s=%q", l.GetName(), l.GetValue()))
			}
			name := family.GetName() + "{" + strings.Join(labels, ",") + "}"
			all[name] = series.GetCounter().GetValue() + series.GetGauge().GetValue() + float64(series.GetHistogram().GetSampleCount())
		}
	}
	return all
}

func TestReasons(t *testing.T) {
	m := servermetrics.New()
	all := []error{
		promwire.ErrOutOfOrder, promwire.ErrDuplicateTimestamp, promwire.ErrOutOfBounds, promwire.ErrTooOld,
		promwire.ErrTooFarInFuture, promwire.ErrUnknownSeries, promwire.ErrNoMetricName, promwire.ErrInvalidName,
		promwire.ErrInvalidUTF8, promwire.ErrDuplicateLabel, promwire.ErrEmptyLabelName, promwire.ErrEmptyLabelValue,
		promwire.ErrUnsortedLabels, promwire.ErrLabelTooLong, promwire.ErrTooManyLabels, promwire.ErrEmptySeries,
		promwire.ErrInvalidHistogram, promwire.ErrInvalidExemplar, promwire.ErrInvalidSymbolRef, errors.New("other"),
	}
	partial := &promwire.PartialWriteError{}
	for _, reason := range all {
		partial.Refused = append(partial.Refused, promwire.Refusal{Reason: fmt.Errorf("wrapped: %w", reason)})
	}
	m.RequestDone(server.RequestStats{Operation: server.OperationWrite, Err: partial})
	reg := prometheus.NewRegistry()
	reg.MustRegister(m)
	var got []string
	for name, value := range gather(t, reg) {
		if reason, ok := strings.CutPrefix(name, "promwire_server_refused_total{reason="); ok {
			got = append(got, strings.Trim(reason, `"}`))
			if value != 1 {
				t.Errorf("%s is %v", name, value)
			}
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, servermetrics.Reasons()) || len(got) != len(all) {
		t.Errorf("reasons %q, want %q", got, servermetrics.Reasons())
	}
}

func TestAllocs(t *testing.T) {
	m := servermetrics.New()
	s := server.RequestStats{Operation: server.OperationWrite, Status: 204, Duration: time.Millisecond, BodyBytes: 10, DecodedBytes: 20, Series: 3}
	s.Written.Samples = 3
	if n := testing.AllocsPerRun(100, func() {
		m.RequestBegun(server.OperationWrite)
		m.RequestDone(s)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func ExampleNew() {
	m := servermetrics.New()
	reg := prometheus.NewRegistry()
	reg.MustRegister(m)
	storage := promwiretest.NewMemory(promwiretest.RefuseOlder)
	h := server.NewWriteHandler(storage, server.WithMetrics(m))

	r := httptest.NewRequestWithContext(context.Background(), http.MethodGet, "/", nil)
	h.ServeHTTP(httptest.NewRecorder(), r)
	families, err := reg.Gather()
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, family := range families {
		if family.GetName() == "promwire_server_requests_total" {
			fmt.Println(family.GetName(), family.GetMetric()[0].GetLabel()[0].GetValue())
		}
	}
	// Output: promwire_server_requests_total method
}
