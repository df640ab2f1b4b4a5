package server

import (
	"net/http"

	"github.com/promwire/promwire"
)

// The paths that [NewHandler] serves.
const (
	WritePath = "/api/v1/write"
	PushPath  = "/api/v1/push"
	ReadPath  = "/api/v1/read"
)

// NewHandler returns a handler with the paths of Prometheus: [WritePath] and its common alias [PushPath] lead to
// [NewWriteHandler], [ReadPath] to [NewReadHandler]; each takes the options that are meant for it. What can only write or only
// read is mounted with one of those.
func NewHandler(s promwire.Storage, opts ...Option) http.Handler {
	write, read := NewHandlers(s, opts...)
	mux := http.NewServeMux()
	mux.Handle(WritePath, write)
	mux.Handle(PushPath, write)
	mux.Handle(ReadPath, read)
	return mux
}

// NewHandlers returns both handlers of a storage, for routers with paths of their own; each takes the options that are
// meant for it.
func NewHandlers(s promwire.Storage, opts ...Option) (write, read http.Handler) {
	var writeOpts []WriteOption
	var readOpts []ReadOption
	for _, o := range opts {
		if w, ok := o.(WriteOption); ok {
			writeOpts = append(writeOpts, w)
		}
		if r, ok := o.(ReadOption); ok {
			readOpts = append(readOpts, r)
		}
	}
	return NewWriteHandler(s, writeOpts...), NewReadHandler(s, readOpts...)
}
