package server_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/xcompress"
	"github.com/promwire/promwire/server"
)

// TestTooManyLabelsRefusesThatSeries asks for the limit in both versions: the series beyond it is refused by name, the
// one at it is written.
func TestTooManyLabelsRefusesThatSeries(t *testing.T) {
	const limit = 5
	series := func(name string, n int) promwire.TimeSeries {
		m := map[string]string{promwire.MetricName: name}
		for i := len(m); i < n; i++ {
			m[fmt.Sprint("l", i)] = "v"
		}
		return promwire.TimeSeries{Labels: promwire.LabelsFromMap(m), Samples: []promwire.Sample{{Timestamp: 1}}}
	}
	req := promwire.WriteRequest{Timeseries: []promwire.TimeSeries{series("bad", limit+1), series("good", limit)}}
	for _, mt := range []promwire.MessageType{promwire.WriteV1, promwire.WriteV2} {
		t.Run(string(mt), func(t *testing.T) {
			var got []string
			h := server.NewWriteHandler(writerFunc(func(_ context.Context, r *promwire.WriteRequest) (promwire.WriteStats, error) {
				for _, ts := range r.Timeseries {
					got = append(got, strings.Clone(ts.Labels.Get(promwire.MetricName)))
				}
				return r.Stats(), nil
			}), server.WithWriteLimits(server.WriteLimits{MaxLabels: limit}))
			message, err := req.AppendProto(nil, mt)
			if err != nil {
				t.Fatal(err)
			}
			r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(string(xcompress.AppendSnappy(nil, message))))
			r.Header.Set("Content-Type", mt.ContentType())
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != http.StatusBadRequest || len(got) != 1 || got[0] != "good" {
				t.Errorf("status %d, written %q, want 400 and good", w.Code, got)
			}
			if text := w.Body.String(); !strings.Contains(text, "too many labels: 6, limit 5") || !strings.Contains(text, "bad") {
				t.Errorf("text does not name series and limit: %s", text)
			}
		})
	}
}
