package apifront

import (
	"encoding/json"
	"net/http"
)

// Refusal is an error in the API's terms.
type Refusal struct {
	Status int
	Kind   string // of error: "bad_data", "timeout" and so on
	Err    error
}

func (r *Refusal) Error() string { return r.Err.Error() }

// Answer answers as the API does.
func (r *Refusal) Answer(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(r.Status)
	_, _ = w.Write(ErrorBody(r.Kind, r.Error())) // the client may be gone
}

// ErrorBody returns the API's JSON of an error, byte for byte as Prometheus writes it.
func ErrorBody(kind, text string) []byte {
	body, _ := json.Marshal(struct { // strings can always be encoded
		Status string `json:"status"`
		Kind   string `json:"errorType"`
		Text   string `json:"error"`
	}{"error", kind, text})
	return body
}
