package queryapi

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/apifront"
)

// readForm reads the parameters, which the API then finds there.
func readForm(r *http.Request) error {
	err := r.ParseForm()
	if err == nil && strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/") {
		err = r.ParseMultipartForm(apifront.MaxForm)
	}
	return err
}

// retryableStatus answers 503 to what may go well later: what ran out of time, wherever that was, and a store that is shut for
// the moment. Prometheus' own status depends on the place. The type of kinds of errors has no name outside of the API.
func retryableStatus[kind any](_ kind, err error) (code int, override bool) {
	return http.StatusServiceUnavailable, errors.Is(err, context.DeadlineExceeded) || errors.Is(err, promwire.ErrUnavailable)
}
