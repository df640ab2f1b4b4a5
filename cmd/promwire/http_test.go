package main

import (
	"io"
	"net/http"
	"testing"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/remote"
)

// post sends an empty POST and returns status and text of the answer.
func post(t *testing.T, url string, header http.Header) (code int, text string) {
	t.Helper()
	return request(t, http.MethodPost, url, header)
}

func request(t *testing.T, method, url string, header http.Header) (code int, text string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if header != nil {
		req.Header = header
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// writeOne writes a request without retries.
func writeOne(t *testing.T, url string, req *promwire.WriteRequest, options ...remote.WriteOption) (promwire.WriteStats, error) {
	t.Helper()
	client, err := remote.NewWriteClient(url, append(options, remote.WithoutRetry())...)
	if err != nil {
		t.Fatal(err)
	}
	return client.Write(t.Context(), req)
}
