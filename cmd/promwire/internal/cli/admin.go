package cli

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"

	"github.com/spf13/pflag"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/apifront"
)

// snapshotPath is that of Prometheus.
const snapshotPath = "/api/v1/admin/tsdb/snapshot"

// adminFlags say whether others than who starts the server may have it do things.
type adminFlags struct{ enabled bool }

func (f *adminFlags) register(flags *pflag.FlagSet) {
	flags.BoolVar(&f.enabled, "web.enable-admin-api", false, "take snapshots on POST "+snapshotPath)
}

// snapshotter is a store that can be copied while it works.
type snapshotter interface {
	Snapshot(ctx context.Context, withHead bool) (name string, err error)
}

// snapshotHandler answers as Prometheus' endpoint does.
type snapshotHandler struct {
	of      func(*http.Request) (store snapshotter, release func(), err error) // the store that a request is for
	enabled bool
	logger  *slog.Logger
}

// ServeHTTP implements [http.Handler].
func (h snapshotHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Method != http.MethodPost && r.Method != http.MethodPut:
		w.Header().Set("Allow", "POST, PUT")
		apiError(w, http.StatusMethodNotAllowed, "bad_data", "want POST")
		return
	case !h.enabled:
		apiError(w, http.StatusServiceUnavailable, "unavailable", "admin APIs disabled: start with --web.enable-admin-api")
		return
	}
	skipHead := false
	if v := r.URL.Query().Get("skip_head"); v != "" {
		var err error
		if skipHead, err = strconv.ParseBool(v); err != nil {
			apiError(w, http.StatusBadRequest, "bad_data", "skip_head: want true or false")
			return
		}
	}
	store, release, err := h.of(r)
	defer release()
	if err != nil {
		notOpen(w, err)
		return
	}
	name, err := store.Snapshot(r.Context(), !skipHead)
	switch {
	case errors.Is(err, promwire.ErrUnavailable):
		apiError(w, http.StatusServiceUnavailable, "unavailable", err.Error())
	case err != nil:
		h.logger.Warn("snapshot failed", "err", err)
		apiError(w, http.StatusInternalServerError, "internal", err.Error())
	default:
		h.logger.Info("snapshot taken", "name", name)
		writeAPI(w, http.StatusOK, map[string]any{"status": "success", "data": map[string]string{"name": name}})
	}
}

// notOpen answers for a store that is not there, or can't be opened now.
func notOpen(w http.ResponseWriter, err error) {
	if errors.Is(err, promwire.ErrUnavailable) {
		apiError(w, http.StatusServiceUnavailable, "unavailable", err.Error())
		return
	}
	apiError(w, http.StatusNotFound, "not_found", err.Error())
}

// apiError answers in the form of Prometheus' API.
func apiError(w http.ResponseWriter, status int, kind, text string) {
	(&apifront.Refusal{Status: status, Kind: kind, Err: errors.New(text)}).Answer(w)
}

func writeAPI(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client may be gone
}
