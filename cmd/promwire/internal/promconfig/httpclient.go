package promconfig

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"net/http"

	commonconfig "github.com/prometheus/common/config"
	"github.com/prometheus/prometheus/storage/remote/azuread"
	"github.com/prometheus/prometheus/storage/remote/googleiam"
	"github.com/prometheus/sigv4"
)

// writeBuffer lets a connection send usual requests in one call to the system, in bytes.
const writeBuffer = 256 << 10

// httpClient returns a client with TLS, proxy and authentication of the block. What signs a request wraps what adds
// headers to it, so that it sees all of them.
func (r *RemoteWrite) httpClient() (*http.Client, error) {
	var opts []commonconfig.HTTPClientOption
	if r.config.RoundRobinDNS {
		opts = append(opts, commonconfig.WithDialContextFunc(dialAnyAddress))
	}
	client, err := newClient(r.config.HTTPClientConfig, "promwire", opts...)
	if err != nil {
		return nil, err
	}
	t := client.Transport
	if plain, ok := t.(*http.Transport); ok { // without authentication, which wraps it
		plain.WriteBufferSize = writeBuffer
	}
	if c := r.config.SigV4Config; c != nil {
		if t, err = sigv4.NewSigV4RoundTripper(c, t); err != nil {
			return nil, err
		}
	}
	if c := r.config.AzureADConfig; c != nil {
		if t, err = azuread.NewAzureADRoundTripper(c, t); err != nil {
			return nil, err
		}
	}
	if c := r.config.GoogleIAMConfig; c != nil {
		if t, err = googleiam.NewRoundTripper(c, t); err != nil {
			return nil, err
		}
	}
	client.Transport = t
	client.CheckRedirect = stay(client.CheckRedirect)
	return client, nil
}

// stay follows redirects within a server only: the transport would add the credentials of the block wherever they lead.
func stay(next func(*http.Request, []*http.Request) error) func(*http.Request, []*http.Request) error {
	return func(req *http.Request, via []*http.Request) error {
		switch from := via[0].URL; {
		case req.URL.Host != from.Host || req.URL.Scheme != from.Scheme:
			return http.ErrUseLastResponse
		case next != nil:
			return next(req, via)
		case len(via) >= 10: // as net/http
			return errors.New("stopped after 10 redirects")
		}
		return nil
	}
}

// dialAnyAddress connects to a random one of the addresses of a host (round_robin_dns).
func dialAnyAddress(ctx context.Context, network, addr string) (net.Conn, error) {
	var dialer net.Dialer
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return dialer.DialContext(ctx, network, addr)
	}
	addrs, err := net.DefaultResolver.LookupHost(ctx, host)
	if err != nil || len(addrs) == 0 {
		return dialer.DialContext(ctx, network, addr)
	}
	return dialer.DialContext(ctx, network, net.JoinHostPort(addrs[rand.IntN(len(addrs))], port)) //nolint:gosec // spreads load, keeps no secret
}
