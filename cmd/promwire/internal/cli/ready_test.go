package cli

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// What a server says of not being ready does not steer the terminal.
func TestReadyShowsPlainText(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, "\x1b[2J\x1b]0;title\aboo")
	}))
	defer srv.Close()
	var out strings.Builder
	code := Run(t.Context(), []string{"ready", "--url", srv.URL}, IO{Out: &out, Err: &out})
	if code != exitFailed || !strings.Contains(out.String(), "it answered 400 Bad Request: [2J]0;titleboo") {
		t.Errorf("%d: %q", code, &out)
	}
}
