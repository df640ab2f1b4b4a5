package web

import (
	"net/http"

	"github.com/promwire/promwire/cmd/promwire/internal/queryapi"
	"github.com/promwire/promwire/cmd/promwire/internal/tsdbstore"
)

func queries(store *tsdbstore.Store) http.Handler { return queryapi.New(store, queryapi.Options{}) }
