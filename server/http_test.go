package server_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/xcompress"
)

// request makes a request with the headers of the message type and msg as snappy body.
func request(t promwire.MessageType, msg []byte) *http.Request {
	return rawRequest(t, xcompress.AppendSnappy(nil, msg))
}

func rawRequest(t promwire.MessageType, body []byte) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/api/v1/write", bytes.NewReader(body))
	r.Header.Set("Content-Type", t.ContentType())
	r.Header.Set("Content-Encoding", promwire.EncodingSnappy)
	r.Header.Set(promwire.HeaderWriteVersion, t.Version())
	return r
}

func do(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// write encodes req and sends it.
func write(tb testing.TB, h http.Handler, t promwire.MessageType, req *promwire.WriteRequest) *httptest.ResponseRecorder {
	tb.Helper()
	return do(h, request(t, encode(tb, t, req)))
}

func encode(tb testing.TB, t promwire.MessageType, req *promwire.WriteRequest) []byte {
	tb.Helper()
	msg, err := req.AppendProto(nil, t)
	if err != nil {
		tb.Fatal(err)
	}
	return msg
}

// counts returns the Written headers as samples/histograms/exemplars, "" if there are none.
func counts(w *httptest.ResponseRecorder) string {
	h := w.Header()
	names := []string{promwire.HeaderSamplesWritten, promwire.HeaderHistogramsWritten, promwire.HeaderExemplarsWritten}
	var values []string
	for _, name := range names {
		values = append(values, h[name]...)
	}
	return strings.Join(values, "/")
}

// expect checks status and Written headers, and that the text has all the parts.
func expect(tb testing.TB, w *httptest.ResponseRecorder, status int, written string, text ...string) {
	tb.Helper()
	body := w.Body.String()
	if w.Code != status || counts(w) != written {
		tb.Fatalf("answer %d, written %q, want %d, %q; text: %s", w.Code, counts(w), status, written, body)
	}
	for _, part := range text {
		if !strings.Contains(body, part) {
			tb.Fatalf("answer %q does not say %q", body, part)
		}
	}
	if status == http.StatusNoContent && body != "" {
		tb.Fatalf("204 with a body: %q", body)
	}
}

func unhex(tb testing.TB, s string) []byte {
	tb.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// series makes a series with one sample per value, a second apart from second 1 on.
func series(values []float64, namesAndValues ...string) promwire.TimeSeries {
	ts := promwire.TimeSeries{Labels: promwire.LabelsFromStrings(namesAndValues...)}
	for i, v := range values {
		ts.Samples = append(ts.Samples, promwire.Sample{Timestamp: int64(i+1) * 1000, Value: v})
	}
	return ts
}

// many makes a request of n series with one sample each.
func many(n int) *promwire.WriteRequest {
	req := &promwire.WriteRequest{}
	for i := range n {
		req.Timeseries = append(req.Timeseries, series([]float64{float64(i)},
			"__name__", "http_requests_total", "instance", fmt.Sprintf("10.0.0.%d:9090", i), "job", "api", "method", "get"))
	}
	return req
}

var bothTypes = []promwire.MessageType{promwire.WriteV1, promwire.WriteV2}
