package promfasthttp_test

import (
	"bytes"
	"net"
	"net/http"
	"testing"

	"github.com/valyala/fasthttp"

	promfasthttp "github.com/promwire/promwire/adapter/fasthttp"
	"github.com/promwire/promwire/promwiretest"
)

// A large body that is refused by its headers must not cost the client the answer: it would try again for ever.
func TestRefusedBodyIsAnswered(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	srv := &fasthttp.Server{Handler: promfasthttp.Handler(promwiretest.NewMemory(promwiretest.RefuseOlder)), StreamRequestBody: true}
	go func() { _ = srv.Serve(l) }()
	resp, err := http.Post("http://"+l.Addr().String()+"/api/v1/write", "text/plain", bytes.NewReader(make([]byte, 8<<20)))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusUnsupportedMediaType {
		t.Errorf("answer %d, want 415", resp.StatusCode)
	}
}
