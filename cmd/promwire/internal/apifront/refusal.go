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
	_ = json.NewEncoder(w).Encode(map[string]string{ // the client may be gone
		"status": "error", "errorType": r.Kind, "error": r.Error(),
	})
}
