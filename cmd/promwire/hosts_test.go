package main

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/promwiretest"
	"github.com/promwire/promwire/remote"
)

// TestRebound asks as the page of a site does whose name leads to the loopback interface, and writes as that of any other site does:
// nothing is told or taken.
func TestRebound(t *testing.T) {
	engine := promwiretest.NewReceiver()
	defer engine.Close()
	upstream := strings.TrimSuffix(engine.URL, "/api/v1/write")
	for name, p := range map[string]*process{
		"serve":      startServe(t, t.TempDir()),
		"tenants":    startServe(t, t.TempDir(), "--multi-tenant"),
		"--upstream": startGateway(t, "prometheus="+upstream),
		"relay":      startRelay(t, "--spool", t.TempDir(), "--write", engine.URL),
	} {
		t.Run(name, func(t *testing.T) {
			base := strings.TrimSuffix(p.write, "/api/v1/write")
			checkRebound(t, base, "/", "/ui/live", "/metrics", "/-/healthy", "/api/v1/query?query=1", "/api/v1/read")
			foreign := http.Header{"Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {"no-cors"}, "Origin": {"http://evil.example"}}
			if code, text := post(t, p.write, foreign); code != http.StatusForbidden || !strings.Contains(text, "http://evil.example") {
				t.Errorf("a write of another site's page: %d %s", code, text)
			}
			rebound := remote.WithHTTPClient(&http.Client{Transport: asked("rebound.example")})
			series := &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{{
				Labels: promwire.LabelsFromStrings("__name__", "m"), Samples: []promwire.Sample{{Timestamp: 1, Value: 1}},
			}}}
			if _, err := writeOne(t, p.write, series, rebound); err == nil || !strings.Contains(err.Error(), "--web.allowed-hosts=rebound.example") {
				t.Errorf("a write: %v", err)
			}
			checkRefused(t, base, 7, 1)
		})
	}
	if got := engine.Series(); len(got) > 0 {
		t.Errorf("%v was taken", got)
	}
}

// checkRefused demands that a server has counted what it refused, and tells.
func checkRefused(t *testing.T, base string, host, origin int) {
	t.Helper()
	code, text := request(t, http.MethodGet, base+"/metrics", nil)
	for reason, n := range map[string]int{"host": host, "origin": origin} {
		if line := fmt.Sprintf("\npromwire_http_refused_total{reason=%q} %d\n", reason, n); code != http.StatusOK || !strings.Contains(text, line) {
			t.Errorf("/metrics: %d, want%s", code, line)
		}
	}
}

// TestReboundAgent asks the agent's listener likewise.
func TestReboundAgent(t *testing.T) {
	p := startAgent(t, "--scrape", "http://127.0.0.1:1/metrics", "--write", "http://127.0.0.1:1/", "--shutdown-timeout", "0", "--listen", "127.0.0.1:0")
	var found []string
	until(t, "the address", func() bool {
		found = regexp.MustCompile(`msg=listening url=(\S+)`).FindStringSubmatch(p.text())
		return found != nil
	})
	checkRebound(t, found[1], "/metrics", "/-/healthy")
	if code, text := post(t, found[1]+"/", http.Header{"Origin": {"http://evil.example"}}); code != http.StatusForbidden {
		t.Errorf("for a page of another site: %d %s", code, text)
	}
	checkRefused(t, found[1], 2, 1)
}

func startGateway(t *testing.T, upstream string) *process {
	t.Helper()
	p, err := start(t.TempDir(), nil, "promwire", "serve", "--listen", "127.0.0.1:0", "--data", "data", "--upstream", upstream)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	return p
}

// checkRebound demands that paths of a server are not answered under the name of another one.
func checkRebound(t *testing.T, base string, paths ...string) {
	t.Helper()
	client := http.Client{Transport: asked("rebound.example")}
	for _, path := range paths {
		resp, err := client.Get(base + path)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusMisdirectedRequest {
			t.Errorf("%s: %d", path, resp.StatusCode)
		}
	}
}

// asked sends requests for a host to wherever their URLs lead.
type asked string

// RoundTrip implements [http.RoundTripper].
func (a asked) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Host = string(a)
	return http.DefaultTransport.RoundTrip(r)
}
