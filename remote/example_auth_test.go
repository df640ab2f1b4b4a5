package remote_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/promwiretest"
	"github.com/promwire/promwire/remote"
)

// sample is a request of one sample.
func sample() *promwire.WriteRequest {
	return &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{{
		Labels:  promwire.LabelsFromStrings("__name__", "jobs_done_total"),
		Samples: []promwire.Sample{{Timestamp: time.Now().UnixMilli(), Value: 85}},
	}}}
}

// A token of an OAuth2 endpoint goes with each request, and is renewed in time.
func ExampleWithOAuth2() {
	tokens := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"access_token": "t0ken", "token_type": "Bearer", "expires_in": 3600}`)
	}))
	defer tokens.Close()
	backend := promwiretest.NewReceiver()
	defer backend.Close()
	client, err := remote.NewWriteClient(backend.URL, remote.WithOAuth2(remote.OAuth2{
		TokenURL: tokens.URL, ClientID: "billing", ClientSecret: "s3cret", Scopes: []string{"metrics:write"},
	}))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.CloseIdleConnections()
	stats, err := client.Write(context.Background(), sample())
	fmt.Println(stats.Samples, err)
	fmt.Println(backend.Requests()[0].Header.Get("Authorization"))
	// Output:
	// 1 <nil>
	// Bearer t0ken
}

// A client certificate, and authorities of one's own. The files are read again for new connections.
func ExampleWithTLS() {
	_, err := remote.NewWriteClient("https://metrics.example.org/api/v1/push", remote.WithTLS(remote.TLS{
		CAFile: "ca.pem", CertFile: "client.pem", KeyFile: "client.key", MinVersion: tls.VersionTLS13,
	}))
	fmt.Println(err != nil) // here are no such files, which it says at once
	// Output: true
}
