package sigv4

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/remote"
)

// noEnvironment keeps the credentials of the machine out of a test.
func noEnvironment(t *testing.T) {
	for _, name := range []string{"AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("AWS_CONFIG_FILE", filepath.Join(t.TempDir(), "config"))
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(t.TempDir(), "credentials"))
}

// checkSignature signs what arrived once more, by the headers that it says it has signed, and compares.
func checkSignature(t *testing.T, req *http.Request, c aws.Credentials, service, region string) {
	t.Helper()
	body, err := io.ReadAll(req.Body)
	if err != nil {
		t.Error(err)
	}
	sum := sha256.Sum256(body)
	hash := hex.EncodeToString(sum[:])
	if got := req.Header.Get("X-Amz-Content-Sha256"); got != hash {
		t.Errorf("hash %s of a body with %s", got, hash)
	}
	given := req.Header.Get("Authorization")
	_, signed, ok := strings.Cut(given, "SignedHeaders=")
	if !ok || !strings.Contains(given, fmt.Sprintf("/%s/%s/aws4_request", region, service)) {
		t.Errorf("Authorization %q", given)
	}
	signed, _, _ = strings.Cut(signed, ",")
	again := httptest.NewRequest(req.Method, "http://"+req.Host+req.RequestURI, nil)
	again.ContentLength = int64(len(body))
	for _, name := range strings.Split(signed, ";") {
		if name != "host" && name != "content-length" {
			again.Header[http.CanonicalHeaderKey(name)] = req.Header.Values(name)
		}
	}
	at, err := time.Parse("20060102T150405Z", req.Header.Get("X-Amz-Date"))
	if err != nil {
		t.Error(err)
	}
	if err := v4.NewSigner().SignHTTP(context.Background(), c, again, hash, service, region, at); err != nil {
		t.Error(err)
	}
	if want := again.Header.Get("Authorization"); given != want {
		t.Errorf("signature\n%s, want\n%s", given, want)
	}
	for _, name := range []string{"content-type", "content-encoding", "x-prometheus-remote-write-version", "x-extra"} {
		if !strings.Contains(";"+signed+";", ";"+name+";") {
			t.Errorf("%s is not signed: %s", name, signed)
		}
	}
}

// What a write client sends is signed last: every header that arrives as it was signed.
func TestSignedWrites(t *testing.T) {
	noEnvironment(t)
	fixed := aws.Credentials{AccessKeyID: "AKID", SecretAccessKey: "SECRET"}
	for _, tt := range []struct {
		service, tenant string
	}{{"", ""}, {"other", "team"}} {
		signer, err := New(t.Context(), Options{Region: "eu-central-1", AccessKey: "AKID", SecretKey: "SECRET", Service: tt.service})
		if err != nil {
			t.Fatal(err)
		}
		service, n := orDefault(tt.service), 0
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			checkSignature(t, req, fixed, service, "eu-central-1")
			if got := req.Header.Get(promwire.HeaderTenant); got != tt.tenant {
				t.Errorf("tenant %q, want %q", got, tt.tenant)
			}
			if n++; n == 1 {
				w.WriteHeader(http.StatusServiceUnavailable) // the retry is signed anew
				return
			}
			w.WriteHeader(http.StatusOK)
		}))
		client, err := remote.NewWriteClient(srv.URL+"/workspaces/ws-1/api/v1/remote_write?a=b%20c", remote.WithAuth(signer),
			remote.WithHeader("X-Extra", "1"), remote.WithTenant("team"), remote.WithMessageType(promwire.WriteV1))
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if _, err := client.Write(t.Context(), one()); err != nil {
				t.Error(err)
			}
		}
		if n != 3 {
			t.Errorf("%d requests", n)
		}
		client.CloseIdleConnections()
		srv.Close()
	}
}

func orDefault(service string) string {
	if service == "" {
		return DefaultService
	}
	return service
}

func one() *promwire.WriteRequest {
	return &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{{
		Labels: promwire.LabelsFromStrings("__name__", "up"), Samples: []promwire.Sample{{Timestamp: 1, Value: 1}},
	}}}
}

// The chain of the SDK: a profile of the shared files, which assumes a role by a token service.
func TestProfileAndRole(t *testing.T) {
	noEnvironment(t)
	file := filepath.Join(t.TempDir(), "credentials")
	if err := os.WriteFile(file, []byte("[writer]\naws_access_key_id = BASE\naws_secret_access_key = S\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", file)
	asked := 0
	sts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		asked++
		if err := req.ParseForm(); err != nil || req.Form.Get("RoleArn") != "arn:aws:iam::1:role/w" || req.Form.Get("ExternalId") != "x" {
			t.Errorf("asked for %v, %v", req.Form, err)
		}
		if !strings.Contains(req.Header.Get("Authorization"), "Credential=BASE/") {
			t.Errorf("asked as %s", req.Header.Get("Authorization"))
		}
		fmt.Fprintf(w, `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
<AccessKeyId>ROLE</AccessKeyId><SecretAccessKey>RS</SecretAccessKey><SessionToken>TOKEN</SessionToken><Expiration>%s</Expiration>
</Credentials></AssumeRoleResult></AssumeRoleResponse>`, time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
	}))
	defer sts.Close()
	t.Setenv("AWS_ENDPOINT_URL_STS", sts.URL)
	signer, err := New(t.Context(), Options{Region: "us-east-1", Profile: "writer", RoleARN: "arn:aws:iam::1:role/w", ExternalID: "x"})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		req := httptest.NewRequest(http.MethodPost, "http://host/write", nil)
		if err := signer.Authorize(req, []byte("body")); err != nil {
			t.Fatal(err)
		}
		if req.Header.Get("X-Amz-Security-Token") != "TOKEN" || !strings.Contains(req.Header.Get("Authorization"), "Credential=ROLE/") {
			t.Errorf("signed as %v", req.Header)
		}
	}
	if asked != 1 {
		t.Errorf("the role was asked for %d times", asked)
	}
}

func TestNewRefuses(t *testing.T) {
	noEnvironment(t)
	for want, o := range map[string]Options{
		"no region": {}, "both AccessKey and SecretKey": {Region: "r", AccessKey: "a"},
		"AWS configuration": {Region: "r", Profile: "missing"},
	} {
		if _, err := New(t.Context(), o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v", o, err)
		}
	}
}
