package web

import (
	"encoding/json"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"path"
	"regexp"
	"strings"
	"testing"

	"github.com/promwire/promwire/cmd/promwire/internal/tsdbstore"
)

// newUI returns the page of an empty store.
func newUI(t testing.TB) *UI {
	t.Helper()
	store, err := tsdbstore.Open(t.TempDir(), tsdbstore.Options{MinFree: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return New(store)
}

func do(t testing.TB, h http.Handler, method, target string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(method, target, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func notFound(t testing.TB) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.Error(w, "next", http.StatusTeapot) })
}

// TestFiles asks for the page as a browser does: all it refers to, with the headers that keep it safe and fresh.
func TestFiles(t *testing.T) {
	h := newUI(t).Handler(notFound(t))
	types := map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml", "": "text/html; charset=utf-8"}
	total := 0
	for target := range embedded() {
		r := do(t, h, http.MethodGet, target)
		body := r.Body.String()
		total += len(body)
		if r.Code != http.StatusOK || len(body) == 0 {
			t.Errorf("%s: status %d with %d bytes", target, r.Code, len(body))
		}
		if got, want := r.Header().Get("Content-Type"), types[path.Ext(target)]; got != want {
			t.Errorf("%s: content type %q, want %q", target, got, want)
		}
		checkPolicy(t, target, r)
		if r.Header().Get("Cache-Control") != "no-cache" || r.Header().Get("Etag") == "" {
			t.Errorf("%s is not kept and asked for again: %v", target, r.Header())
		}
		if again := do(t, h, http.MethodGet, target, "If-None-Match", r.Header().Get("Etag")); again.Code != http.StatusNotModified {
			t.Errorf("%s, kept: status %d", target, again.Code)
		}
		head := do(t, h, http.MethodHead, target)
		if head.Code != http.StatusOK || head.Body.String() != "" || head.Header().Get("Etag") != r.Header().Get("Etag") {
			t.Errorf("HEAD %s: status %d, %v", target, head.Code, head.Header())
		}
	}
	t.Logf("the whole page is %d bytes in %d files", total, len(embedded()))
	if total >= 200_000 {
		t.Errorf("the page has %d bytes, want less than 200 kB", total)
	}
}

func checkPolicy(t *testing.T, target string, r *httptest.ResponseRecorder) {
	t.Helper()
	for name, want := range map[string]string{
		"Content-Security-Policy": "default-src 'self'; ", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
		"Cross-Origin-Resource-Policy": "same-origin",
	} {
		if got := r.Header().Get(name); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s is %q, want %q", target, name, got, want)
		}
	}
	if p := r.Header().Get("Content-Security-Policy"); strings.Contains(p, "unsafe") {
		t.Errorf("%s: policy %q", target, p)
	}
}

// TestReferences checks that what the files refer to is there, and that nothing makes elements of text.
func TestReferences(t *testing.T) {
	files := embedded()
	refs := regexp.MustCompile(`(?:from "\./|(?:src|href)="ui/)([^"]+)"`)
	text := regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|document\.write|srcdoc|\beval\(|new Function|style="|<style|\son[a-z]+="|https?://[^w]`)
	err := fs.WalkDir(page, "page", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := page.ReadFile(name)
		if err != nil {
			return err
		}
		for _, m := range refs.FindAllStringSubmatch(string(content), -1) {
			if files[Prefix+m[1]] == nil {
				t.Errorf("%s refers to %s, which is not there", name, m[1])
			}
		}
		if m := text.FindString(string(content)); m != "" {
			t.Errorf("%s has %q", name, m)
		}
		if n := strings.Count(string(content), "\n"); n > 200 {
			t.Errorf("%s has %d lines", name, n)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if m := regexp.MustCompile(`<script>|<script [^>]*>[^<]`).FindString(string(files["/"].content)); m != "" {
		t.Errorf("a script in the page itself: %q", m)
	}
}

// TestOthers asks for what is not there, or not for them.
func TestOthers(t *testing.T) {
	h := newUI(t).Handler(notFound(t))
	for _, c := range []struct {
		method, target string
		header         []string
		status         int
	}{
		{"GET", "/ui/none.js", nil, 404},
		{"GET", "/ui/", nil, 404},
		{"GET", "/ui/../page/index.html", nil, 404},
		{"GET", "/index.html", nil, http.StatusTeapot},
		{"GET", "/api/v1/query", nil, http.StatusTeapot},
		{"POST", "/", nil, 405},
		{"POST", "/ui/live", nil, 405},
		{"DELETE", "/ui/status", nil, 405},
		{"OPTIONS", "/ui/live", []string{"Origin", "http://elsewhere.example", "Access-Control-Request-Method", "GET"}, 405},
		{"GET", "/ui/live", []string{"Sec-Fetch-Site", "cross-site"}, 403},
		{"GET", "/ui/status", []string{"Sec-Fetch-Site", "same-site"}, 403},
		{"GET", "/ui/live", []string{"Sec-Fetch-Site", "same-origin"}, 200},
		{"GET", "/ui/status", []string{"Sec-Fetch-Site", "none"}, 200},
		{"GET", "/ui/live", []string{"Origin", "http://elsewhere.example"}, 200},
	} {
		r := do(t, h, c.method, c.target, c.header...)
		if r.Code != c.status {
			t.Errorf("%s %s %v: status %d, want %d", c.method, c.target, c.header, r.Code, c.status)
		}
		for name := range r.Header() {
			if strings.HasPrefix(name, "Access-Control-") {
				t.Errorf("%s %s: header %s lets other origins in", c.method, c.target, name)
			}
		}
		if c.status != http.StatusTeapot {
			checkPolicy(t, c.target, r)
		}
	}
}

// TestStatus reads what the status view shows, also of a store that is closed.
func TestStatus(t *testing.T) {
	u := newUI(t)
	r := do(t, u.Handler(nil), http.MethodGet, "/ui/status")
	var s status
	if err := json.NewDecoder(r.Body).Decode(&s); err != nil {
		t.Fatal(err)
	}
	if s.Retention != tsdbstore.DefaultRetention.Milliseconds() || s.Dir == "" || s.Version == "" || s.MaxTime != 0 || s.HeadSeries != 0 {
		t.Errorf("status of an empty store: %+v", s)
	}
	if r.Header().Get("Content-Type") != "application/json" || r.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("headers %v", r.Header())
	}
	if err := u.store.Close(); err != nil {
		t.Fatal(err)
	}
	if r := do(t, u.Handler(nil), http.MethodGet, "/ui/status"); r.Code != http.StatusServiceUnavailable {
		t.Errorf("status of a closed store: %d", r.Code)
	}
}
