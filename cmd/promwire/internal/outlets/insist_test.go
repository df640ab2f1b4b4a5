package outlets

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/promwire/promwire"
)

// Whoever was taken before waits for other credentials, for an hour; others are refused at once.
func TestInsistOnCredentials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, status := range []int{401, 403} {
			var i Insistence
			var answer error
			write := func(tenant string) bool {
				w := i.Before(&sink{judge: func(int) (promwire.WriteStats, error) { return promwire.WriteStats{}, answer }})
				_, err := w.Write(promwire.ContextWithTenant(t.Context(), tenant), request(1))
				if !errors.Is(err, answer) {
					t.Errorf("got %v", err)
				}
				return promwire.Retryable(err)
			}
			refused := &promwire.HTTPError{StatusCode: status}
			write("a")
			write("")
			if answer = refused; !write("a") || !write("") || write("b") {
				t.Error("who was taken before must wait, who was not must not")
			}
			time.Sleep(50 * time.Minute)
			if answer = nil; write("a") {
				t.Error("taken, and to be tried again")
			}
			answer = refused
			if time.Sleep(20 * time.Minute); !write("a") || write("") {
				t.Error("it does not count from the first refusal in a row")
			}
			time.Sleep(CredentialPatience + time.Second)
			for range 2 {
				if write("a") {
					t.Error("it waits for ever")
				}
			}
			answer = &promwire.HTTPError{StatusCode: 404}
			if write("a") {
				t.Error("404 is tried again")
			}
		}
	})
}
