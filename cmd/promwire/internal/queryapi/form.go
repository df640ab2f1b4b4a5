package queryapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// maxForm bounds the parameters of a request, in bytes.
const maxForm = 1 << 20

// refusal is an error in the API's terms.
type refusal struct {
	status int
	kind   string // of error
	err    error
}

func (r *refusal) Error() string { return r.err.Error() }

// readForm reads the parameters, which the API then finds there.
func readForm(w http.ResponseWriter, r *http.Request) *refusal {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	err := r.ParseForm()
	if err == nil && strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/") {
		err = r.ParseMultipartForm(maxForm)
	}
	var long *http.MaxBytesError
	switch {
	case errors.As(err, &long):
		return &refusal{
			http.StatusRequestEntityTooLarge, "bad_data",
			fmt.Errorf("the parameters have more than %d bytes: ask for less at once", maxForm),
		}
	case err != nil:
		return &refusal{http.StatusBadRequest, "bad_data", fmt.Errorf("error parsing form values: %w", err)}
	}
	return nil
}

// refuse answers as the API does.
func refuse(w http.ResponseWriter, r *refusal) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(r.status)
	_ = json.NewEncoder(w).Encode(map[string]string{ // the client may be gone
		"status": "error", "errorType": r.kind, "error": r.Error(),
	})
}
