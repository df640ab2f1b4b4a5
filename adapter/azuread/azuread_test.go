package azuread

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/remote"
)

// authority stands in for the token endpoints of Entra ID and of a machine.
type authority struct {
	t     *testing.T
	asked []string // what tokens were asked for with
}

func (a *authority) Do(req *http.Request) (*http.Response, error) {
	answer := func(text string) (*http.Response, error) {
		return &http.Response{
			StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}},
			Body: io.NopCloser(strings.NewReader(text)), Request: req,
		}, nil
	}
	base := "https://" + req.URL.Host
	switch {
	case strings.Contains(req.URL.Path, "/discovery/instance"):
		return answer(fmt.Sprintf(`{"tenant_discovery_endpoint":%q,"metadata":[]}`, base+"/t/v2.0/.well-known/openid-configuration"))
	case strings.Contains(req.URL.Path, "openid-configuration"):
		return answer(fmt.Sprintf(`{"token_endpoint":"%s/t/token","authorization_endpoint":"%s/t/a","issuer":"%s/t/v2.0"}`, base, base, base))
	}
	body := ""
	if req.Body != nil {
		data, err := io.ReadAll(req.Body)
		if err != nil {
			a.t.Error(err)
		}
		body = string(data)
	}
	a.asked = append(a.asked, req.URL.Host+"?"+req.URL.RawQuery+"&"+body)
	return answer(`{"access_token":"T","token_type":"Bearer","expires_in":3600,"expires_on":"4102444800","resource":"r"}`)
}

func TestTokens(t *testing.T) {
	for _, name := range []string{"IDENTITY_ENDPOINT", "MSI_ENDPOINT", "IMDS_ENDPOINT", "AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_FEDERATED_TOKEN_FILE", "AZURE_AUTHORITY_HOST"} {
		t.Setenv(name, "")
		os.Unsetenv(name)
	}
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("federated"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		options Options
		host    string
		with    []string // what is in the request for a token
	}{
		{Options{Method: ManagedIdentity, ClientID: "cid"}, "169.254.169.254", []string{"client_id=cid", "monitor.azure.com"}},
		{Options{Method: ClientSecret, TenantID: "t", ClientID: "cid", Secret: "sec"}, "login.microsoftonline.com", []string{"client_secret=sec", "monitor.azure.com"}},
		{Options{Method: ClientSecret, TenantID: "t", ClientID: "cid", Secret: "sec", Cloud: "china"}, "login.chinacloudapi.cn", []string{"monitor.azure.cn"}},
		{Options{Method: ClientSecret, TenantID: "t", ClientID: "cid", Secret: "sec", Cloud: "government"}, "login.microsoftonline.us", []string{"monitor.azure.us"}},
		{Options{Method: WorkloadIdentity, TenantID: "t", ClientID: "cid", TokenFile: file, Scope: "https://x/.default"}, "login.microsoftonline.com", []string{"client_assertion=federated", "https%3A%2F%2Fx%2F.default"}},
	}
	for _, tt := range tests {
		t.Run(string(tt.options.Method)+tt.options.Cloud, func(t *testing.T) {
			a := &authority{t: t}
			tt.options.Client = a
			tokens, err := New(tt.options)
			if err != nil {
				t.Fatal(err)
			}
			srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
				_, _ = io.Copy(io.Discard, req.Body)
				if got := req.Header.Get("Authorization"); got != "Bearer T" {
					t.Errorf("got %q", got)
				}
			}))
			defer srv.Close()
			client, err := remote.NewWriteClient(srv.URL, remote.WithAuth(tokens), remote.WithMessageType(promwire.WriteV1))
			if err != nil {
				t.Fatal(err)
			}
			defer client.CloseIdleConnections()
			for range 2 {
				req := &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{{
					Labels: promwire.LabelsFromStrings("__name__", "up"), Samples: []promwire.Sample{{Timestamp: 1, Value: 1}},
				}}}
				if _, err := client.Write(t.Context(), req); err != nil {
					t.Fatal(err)
				}
			}
			last := a.asked[len(a.asked)-1]
			if !strings.HasPrefix(last, tt.host+"?") {
				t.Errorf("asked %s, want %s", last, tt.host)
			}
			for _, part := range tt.with {
				if !strings.Contains(last, part) {
					t.Errorf("asked with %s, want %s in it", last, part)
				}
			}
		})
	}
}

func TestNewRefuses(t *testing.T) {
	for want, o := range map[string]Options{
		"unknown method": {}, "cloud": {Method: ManagedIdentity, Cloud: "other"}, "are needed": {Method: ClientSecret},
	} {
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v", o, err)
		}
	}
}
