package queryapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/promwire/promwire"
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

// retryableStatus answers 503 to what may go well later: what ran out of time, wherever that was, and a store that is shut for
// the moment. Prometheus' own status depends on the place. The type of kinds of errors has no name outside of the API.
func retryableStatus[kind any](_ kind, err error) (code int, override bool) {
	return http.StatusServiceUnavailable, errors.Is(err, context.DeadlineExceeded) || errors.Is(err, promwire.ErrUnavailable)
}

// refuse answers as the API does.
func refuse(w http.ResponseWriter, r *refusal) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(r.status)
	_ = json.NewEncoder(w).Encode(map[string]string{ // the client may be gone
		"status": "error", "errorType": r.kind, "error": r.Error(),
	})
}
