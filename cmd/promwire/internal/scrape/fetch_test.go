package scrape

import (
	"bytes"
	"errors"
	"net/http"
	"strings"
	"testing"
)

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// What a target says in place of an answer does not become an error of megabytes.
func TestGarbageTarget(t *testing.T) {
	long := "\x1b[2J" + strings.Repeat("x", 1<<20)
	for name, answer := range map[string]roundTrip{
		"no HTTP": func(*http.Request) (*http.Response, error) { return nil, errors.New(long) },
		"status": func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: http.StatusInternalServerError, Status: long, Body: http.NoBody}, nil
		},
	} {
		f, err := newFetcher(&Job{Client: &http.Client{Transport: answer}}, &Target{URL: "http://127.0.0.1:1/metrics"})
		if err != nil {
			t.Fatal(err)
		}
		_, err = f.fetch(t.Context(), new(bytes.Buffer))
		if err == nil || len(err.Error()) > 2<<10 || strings.Contains(err.Error(), "\x1b") {
			t.Errorf("%s: %.300q", name, err)
		}
	}
}
