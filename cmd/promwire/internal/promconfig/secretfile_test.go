package promconfig_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/promconfig"
	"github.com/promwire/promwire/remote"
)

// An empty file is no secret: nothing is sent, and the request is to be repeated.
func TestEmptySecretFile(t *testing.T) {
	var got []string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(promwire.HeaderSamplesWritten, "1")
		got = append(got, r.Header.Get("Authorization"))
	}))
	defer srv.Close()
	for auth, want := range map[string]string{
		"authorization: {credentials_file: secret}":            "Bearer p4ss",
		"bearer_token_file: secret":                            "Bearer p4ss",
		"basic_auth: {username: u, password_file: secret}":     "Basic dTpwNHNz",
		"authorization: {type: Key, credentials_file: secret}": "Key p4ss",
	} {
		dir := t.TempDir()
		config, secret := filepath.Join(dir, "prometheus.yml"), filepath.Join(dir, "secret")
		put := func(path, text string) {
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		put(config, fmt.Sprintf("remote_write: [{url: '%s', %s}]\n", srv.URL, auth))
		put(secret, "p4ss\n")
		blocks, err := promconfig.Load(config)
		if err != nil {
			t.Fatal(err)
		}
		client, err := blocks[0].Client(remote.WithoutRetry())
		if err != nil {
			t.Fatal(err)
		}
		got = nil
		for _, text := range []string{"p4ss", "", " \n", "p4ss\n"} {
			put(secret, text)
			_, err := client.Write(t.Context(), &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{{
				Labels: promwire.LabelsFromStrings("__name__", "m"), Samples: []promwire.Sample{{Timestamp: 1}},
			}}})
			if text = strings.TrimSpace(text); text == "" && (!promwire.Retryable(err) || !strings.Contains(err.Error(), secret+" is empty")) {
				t.Errorf("%s: an empty file: %v", auth, err)
			}
		}
		if fmt.Sprint(got) != fmt.Sprint([]string{want, want}) {
			t.Errorf("%s: sent %q", auth, got)
		}
	}
}
