package apifront

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
)

// Errors are those of Prometheus to the byte: the order of fields, escapes, and no line end.
func TestRefusalAnswer(t *testing.T) {
	w := httptest.NewRecorder()
	(&Refusal{Status: http.StatusBadRequest, Kind: "bad_data", Err: errors.New(`limit "<x>" must be a number`)}).Answer(w)
	const want = `{"status":"error","errorType":"bad_data","error":"limit \"\u003cx\u003e\" must be a number"}`
	if got := w.Body.String(); got != want || w.Code != http.StatusBadRequest || w.Header().Get("Content-Type") != "application/json" {
		t.Errorf("%d %s\n%s", w.Code, w.Header(), got)
	}
}
