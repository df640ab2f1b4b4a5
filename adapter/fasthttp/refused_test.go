package promfasthttp_test

import (
	"bufio"
	"fmt"
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
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	const size = 8 << 20
	head := fmt.Sprintf("POST /api/v1/write HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n", size)
	if _, err := conn.Write(append([]byte(head), make([]byte, size)...)); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusUnsupportedMediaType {
		t.Errorf("answer %d, want 415", resp.StatusCode)
	}
}
