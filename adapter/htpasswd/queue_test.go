package htpasswd

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/crypto/bcrypt"

	"github.com/promwire/promwire"
)

// When too many passwords wait, another one is sent away, but not those that are remembered.
func TestFullQueue(t *testing.T) {
	path := filepath.Join(t.TempDir(), "users")
	hash, err := bcrypt.GenerateFromPassword([]byte("pass"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append([]byte("ann:"), hash...), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if ok, err := f.Verify("ann", "pass"); !ok {
		t.Fatal(err)
	}
	for range cap(f.queue) {
		f.queue <- struct{}{}
	}
	for _, user := range []string{"ann", "nobody"} {
		if _, err := f.Verify(user, "wrong"); !errors.Is(err, promwire.ErrUnavailable) {
			t.Errorf("%s: %v", user, err)
		}
	}
	if ok, err := f.Verify("ann", "pass"); !ok {
		t.Errorf("what is remembered: %v", err)
	}
	<-f.queue
	if ok, err := f.Verify("ann", "wrong"); ok || err != nil {
		t.Errorf("with room: %v, %v", ok, err)
	}
}
