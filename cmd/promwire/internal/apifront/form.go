package apifront

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
)

const (
	// MaxForm bounds the parameters of a request in its body, in bytes.
	MaxForm = 1 << 20
	// MaxForms bounds those of all requests together, in bytes: many wait for a place with theirs.
	MaxForms = 64 << 20
)

// Forms are the bodies of the requests that are in work. The zero value is ready.
type Forms struct{ held atomic.Int64 }

var errForms = fmt.Errorf("the parameters of all requests in work have more than %d bytes: come again later", MaxForms)

// Bound bounds the body of r; done is for its end.
func (f *Forms) Bound(w http.ResponseWriter, r *http.Request) (done func()) {
	b := &form{ReadCloser: http.MaxBytesReader(w, r.Body, MaxForm), all: f}
	r.Body = b
	return func() { f.held.Add(-b.held) }
}

// form is a body.
type form struct {
	io.ReadCloser
	all  *Forms
	held int64
}

// Read implements io.Reader.
func (b *form) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.held += int64(n)
	if b.all.held.Add(int64(n)) > MaxForms {
		return n, errForms
	}
	return n, err
}

// BadForm is what to answer when reading a bounded body has failed.
func BadForm(err error) *Refusal {
	var long *http.MaxBytesError
	switch {
	case errors.As(err, &long):
		err = fmt.Errorf("the parameters have more than %d bytes: ask for less at once", MaxForm)
		return &Refusal{http.StatusRequestEntityTooLarge, "bad_data", err}
	case errors.Is(err, errForms):
		return &Refusal{http.StatusServiceUnavailable, "unavailable", err}
	default:
		return &Refusal{http.StatusBadRequest, "bad_data", fmt.Errorf("error parsing form values: %w", err)}
	}
}
