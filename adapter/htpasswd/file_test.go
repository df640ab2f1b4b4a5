package htpasswd_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/adapter/htpasswd"
	"github.com/promwire/promwire/promwiretest"
	"github.com/promwire/promwire/server"
)

func hash(t testing.TB, password string, cost int) string {
	t.Helper()
	b, err := bcrypt.GenerateFromPassword([]byte(password), cost)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func put(t testing.TB, path string, lines ...string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
}

func open(t testing.TB, lines ...string) (*htpasswd.File, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "users")
	put(t, path, lines...)
	f, err := htpasswd.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return f, path
}

func expect(t testing.TB, f *htpasswd.File, user, password string, want bool) {
	t.Helper()
	got, err := f.Verify(user, password)
	if err != nil || got != want {
		t.Errorf("%q with %q: %v, %v, want %v", user, password, got, err, want)
	}
}

func TestVerify(t *testing.T) {
	long := strings.Repeat("x", 72)
	f, _ := open(t, "# users", "ann:"+hash(t, "pass", 4), "", "bob:"+strings.Replace(hash(t, "", 4), "$2a$", "$2y$", 1), "  eve:"+hash(t, long, 4)+"\r")
	for range 2 { // the second time what is right is remembered
		expect(t, f, "ann", "pass", true)
		expect(t, f, "ann", "", false)
		expect(t, f, "ann", "pass ", false)
		expect(t, f, "ANN", "pass", false)
		expect(t, f, "bob", "", true)
		expect(t, f, "bob", "pass", false)
		expect(t, f, "eve", long, true)
		expect(t, f, "eve", long+"y", false)
		expect(t, f, "", "", false)
		expect(t, f, "nobody", "pass", false)
	}
}

func TestChangedFile(t *testing.T) {
	f, path := open(t, "ann:"+hash(t, "one", 4), "bob:"+hash(t, "bob", 4))
	expect(t, f, "ann", "one", true)
	old := time.Now().Add(-time.Hour)
	for i, password := range []string{"two", "six", "ten"} { // of the same size, and of the same times
		put(t, path, "ann:"+hash(t, password, 4), "bob:"+hash(t, "bob", 4))
		if i > 0 {
			if err := os.Chtimes(path, old, old.Add(time.Duration(i)*time.Second)); err != nil {
				t.Fatal(err)
			}
		}
		expect(t, f, "ann", "one", false)
		expect(t, f, "ann", password, true)
		expect(t, f, "bob", "bob", true)
	}
	put(t, path, "bob:"+hash(t, "bob", 4))
	expect(t, f, "ann", "ten", false)
	for name, lines := range map[string][]string{"malformed": {"ann"}, "empty": {""}} {
		put(t, path, lines...)
		if _, err := f.Verify("bob", "bob"); !errors.Is(err, promwire.ErrUnavailable) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", name, err)
		}
	}
	os.Remove(path)
	if _, err := f.Verify("bob", "bob"); !errors.Is(err, promwire.ErrUnavailable) || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("removed: %v", err)
	}
	put(t, path, "bob:"+hash(t, "bob", 4))
	expect(t, f, "bob", "bob", true)
}

func TestOpenErrors(t *testing.T) {
	good := hash(t, "pass", 4)
	tests := map[string]struct{ content, text string }{
		"nothing":     {"", "no user"},
		"no colon":    {"ann", "line 1 is not user:hash"},
		"no user":     {"\n:" + good, "line 2 is not user:hash"},
		"plain":       {"ann:secret", `line 1, user "ann": no bcrypt hash (make one with htpasswd -B)`},
		"md5":         {"ann:$apr1$abcdefgh$0123456789012345678901", "no bcrypt hash"},
		"cut":         {"ann:" + good[:59], "no bcrypt hash"},
		"bad cost":    {"ann:" + strings.Replace(good, "$04$", "$99$", 1), "no bcrypt hash"},
		"large cost":  {"ann:" + strings.Replace(good, "$04$", "$16$", 1), "cost 16 takes too long, limit 15"},
		"there twice": {"ann:" + good + "\nann:" + good, `line 2: user "ann" is there twice`},
		"too large":   {strings.Repeat("#\n", 512<<10) + "#", "more than 1048576 bytes"},
	}
	for name, tt := range tests {
		path := filepath.Join(t.TempDir(), "users")
		put(t, path, tt.content)
		if _, err := htpasswd.Open(path); err == nil || !strings.Contains(err.Error(), tt.text) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: error %v, want %q", name, err, tt.text)
		}
	}
	if _, err := htpasswd.Open(filepath.Join(t.TempDir(), "no")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

// Users that are not there cost as much as those that are; who was verified costs next to nothing.
func TestTimes(t *testing.T) {
	f, _ := open(t, "ann:"+hash(t, "pass", 6), "bob:"+hash(t, "bob", 6))
	expect(t, f, "ann", "pass", true)
	verified, wrong, unknown := time.Hour, time.Hour, time.Hour
	measure := func(best *time.Duration, user, password string, want bool) {
		start := time.Now()
		expect(t, f, user, password, want)
		*best = min(*best, time.Since(start))
	}
	for range 10 { // side by side, as the machine may have other work
		measure(&verified, "ann", "pass", true)
		measure(&wrong, "bob", "pass", false)
		measure(&unknown, "nobody", "pass", false)
	}
	if verified > wrong/5 || unknown < wrong/3 || unknown > 3*wrong {
		t.Errorf("verified takes %v, wrong %v, unknown %v", verified, wrong, unknown)
	}
	t.Logf("verified takes %v, wrong %v, unknown %v", verified, wrong, unknown)
}

func TestConcurrent(t *testing.T) {
	f, path := open(t, "ann:"+hash(t, "pass", 4))
	lines := []string{"ann:" + hash(t, "pass", 4), "bob:" + hash(t, "bob", 4)}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 4 {
				if ok, err := f.Verify("ann", "pass"); !ok && err == nil {
					t.Error("ann was refused")
				}
				if ok, err := f.Verify("ann", fmt.Sprint(i)); ok || err != nil && !errors.Is(err, promwire.ErrUnavailable) {
					t.Errorf("wrong password: %v, %v", ok, err)
				}
			}
		})
	}
	for i := range 10 {
		next := path + ".new"
		put(t, next, lines[:i%2+1]...)
		if err := os.Rename(next, path); err != nil {
			t.Fatal(err)
		}
	}
	wg.Wait()
}

func ExampleOpen() {
	dir, err := os.MkdirTemp("", "htpasswd")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "users")
	// As htpasswd -B writes it; the password is "secret".
	line, err := bcrypt.GenerateFromPassword([]byte("secret"), 5)
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := os.WriteFile(path, []byte("ann:"+string(line)+"\n"), 0o600); err != nil {
		fmt.Println(err)
		return
	}
	users, err := htpasswd.Open(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	h := server.NewHandler(promwiretest.NewMemory(promwiretest.RefuseOlder), server.WithAuth(server.Basic(users.Verify)))
	for _, password := range []string{"secret", "wrong"} {
		r := httptest.NewRequest(http.MethodPost, server.WritePath, nil)
		r.SetBasicAuth("ann", password)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		fmt.Printf("%d %q\n", w.Code, w.Header().Get("WWW-Authenticate"))
	}
	// Output:
	// 400 ""
	// 401 "Basic realm=\"promwire\", charset=\"UTF-8\""
}
