package queryapi

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/promwire/promwire/cmd/promwire/internal/apifront"
)

// TestStalledClient demands that a client that takes nothing of its answers loses its connection.
func TestStalledClient(t *testing.T) {
	h := New(newStore(t), Options{})
	h.pause = 50 * time.Millisecond
	closed := make(chan struct{})
	srv := httptest.NewUnstartedServer(h)
	srv.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateClosed {
			close(closed)
		}
	}
	srv.Start()
	t.Cleanup(srv.Close)
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	v := params("query", "requests_total", "start", "1772362800", "end", "1772366400", "step", "0.4")
	for range 50 { // 40 MB, more than the connection buffers
		if _, err := fmt.Fprintf(conn, "GET %squery_range?%s HTTP/1.1\r\nHost: x\r\n\r\n", Prefix, v.Encode()); err != nil {
			break // it has lost the connection already
		}
	}
	select {
	case <-closed:
	case <-time.After(time.Minute):
		t.Fatal("the answers are held for a client that takes nothing")
	}
}

// deadlines is a response whose deadlines are noted.
type deadlines struct {
	*httptest.ResponseRecorder
	set []time.Time
}

func (d *deadlines) SetWriteDeadline(t time.Time) error {
	d.set = append(d.set, t)
	return nil
}

// TestDeadlines demands a time for each piece of an answer, and none for the next request.
func TestDeadlines(t *testing.T) {
	h := New(newStore(t), Options{})
	w := &deadlines{ResponseRecorder: httptest.NewRecorder()}
	v := params("query", "requests_total", "start", "1772362800", "end", "1772366400", "step", "0.4")
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, Prefix+"query_range?"+v.Encode(), nil))
	n := len(w.set)
	if want := w.Body.Len()/apifront.PieceBytes + 2; n != want {
		t.Fatalf("%d deadlines for %d bytes, want %d", n, w.Body.Len(), want)
	}
	for _, d := range w.set[:n-1] {
		if left := time.Until(d); left <= 0 || left > apifront.ClientPause {
			t.Errorf("a deadline in %v", left)
		}
	}
	if !w.set[n-1].IsZero() {
		t.Error("the next request has a deadline")
	}
}

// stalled is a response that its client takes nothing of until it is told to.
type stalled struct {
	*httptest.ResponseRecorder
	begun, goOn chan struct{}
}

func (s stalled) Write(b []byte) (int, error) {
	close(s.begun)
	<-s.goOn
	return len(b), nil
}

// TestNoPlaceToSend demands that no client holds a place that is slow to take its answer.
func TestNoPlaceToSend(t *testing.T) {
	h := New(newStore(t), Options{MaxConcurrency: 1, Timeout: time.Second})
	for _, path := range []string{"labels", "metadata", "series?match[]=up"} {
		w := stalled{httptest.NewRecorder(), make(chan struct{}), make(chan struct{})}
		done := make(chan struct{})
		go func() {
			defer close(done)
			h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, Prefix+path, nil))
		}()
		<-w.begun
		get(h, "labels", nil).demand(t, 200)
		close(w.goOn)
		<-done
	}
	if n := h.places.Running(); n != 0 {
		t.Errorf("%d places are still taken", n)
	}
}
