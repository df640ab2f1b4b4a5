package cli

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/promwire/promwire/internal/readable"
)

const readyPause = 200 * time.Millisecond // between two questions

type readyCommand struct {
	url           string
	headers       []string
	insecure      bool
	timeout, wait duration
}

func newReady(streams IO) *cobra.Command {
	f := readyCommand{timeout: duration(5 * time.Second)}
	cmd := &cobra.Command{
		Use:   "ready",
		Short: "Ask a server whether it is ready",
		Long: `Ask GET URL/-/ready whether a server is ready: promwire serve, relay or agent, Prometheus and what is like it. It is the health
check of a container that has no other program in it, and lets scripts wait for a server that they have started (--wait).

Exit codes: 0 it is ready; 1 it is not, or does not answer within --timeout; 2 wrong usage.`,
		Example: `  promwire ready
  promwire ready --wait 1m && promwire push --url http://127.0.0.1:9201/api/v1/write jobs_done_total 1
  promwire ready --url https://127.0.0.1:9201 --insecure`,
		Args: exactArgs(),
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd.Context(), streams.Out) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.url, "url", "http://127.0.0.1:9201", "base `URL` of the server; user and password may be in it")
	flags.StringArrayVar(&f.headers, "header", nil, "extra header `NAME: VALUE` (repeatable)")
	flags.BoolVar(&f.insecure, "insecure", false, "take any certificate, such as one that does not name 127.0.0.1")
	flags.Var(&f.timeout, "timeout", "how long to wait for an answer; 0: for ever")
	flags.Var(&f.wait, "wait", "how long to ask again, if it is not ready")
	return cmd
}

// run asks until the server is ready or the time is over.
func (f *readyCommand) run(ctx context.Context, out io.Writer) error {
	req, err := f.request(ctx)
	if err != nil {
		return err
	}
	client := f.client()
	for end := time.Now().Add(time.Duration(f.wait)); ; {
		err := askReady(client, req)
		if err == nil {
			_, err = fmt.Fprintf(out, "%s is ready\n", serverOf(req))
			return err
		}
		if ctx.Err() != nil || !time.Now().Add(readyPause).Before(end) {
			return fmt.Errorf("%s is not ready: %w", serverOf(req), readable.Error(err))
		}
		select {
		case <-ctx.Done():
		case <-time.After(readyPause):
		}
	}
}

// serverOf names the server, without its user.
func serverOf(req *http.Request) string {
	u := *req.URL
	u.User = nil
	return strings.TrimSuffix(u.String(), readyPath)
}

func (f *readyCommand) request(ctx context.Context) (*http.Request, error) {
	base, err := parseBase(f.url)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base.JoinPath(readyPath).String(), nil)
	if err != nil {
		return nil, usagef("--url %q: %w", f.url, err)
	}
	for _, h := range f.headers {
		name, value, err := cutHeader(h)
		if err != nil {
			return nil, err
		}
		req.Header.Add(name, value)
	}
	return req, nil
}

func (f *readyCommand) client() *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: f.insecure} //nolint:gosec // the user says so
	return &http.Client{
		Transport:     transport,
		Timeout:       time.Duration(f.timeout),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// askReady asks once.
func askReady(client *http.Client, req *http.Request) error {
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusOK {
		return nil
	}
	text, _ := io.ReadAll(io.LimitReader(resp.Body, 200)) // the status says enough
	return fmt.Errorf("it answered %s: %s", resp.Status, strings.TrimSpace(string(text)))
}
