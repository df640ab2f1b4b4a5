package server_test

import (
	"net/http/httptest"
	"testing"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/promwiretest"
	"github.com/promwire/promwire/promwiretest/protocol"
	"github.com/promwire/promwire/server"
)

// The storage that the README shows keeps the contract.
func TestExampleStorage(t *testing.T) {
	newStorage := func() promwire.Storage { return &mapStorage{series: map[string]promwire.TimeSeries{}} }
	promwiretest.TestStorage(t, newStorage, promwiretest.WithOrder(promwiretest.TakeOlder), promwiretest.WithOverwrite())
	srv := httptest.NewServer(server.NewHandler(newStorage()))
	defer srv.Close()
	protocol.Run(t, srv.URL)
}
