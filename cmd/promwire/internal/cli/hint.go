package cli

import (
	"context"
	"crypto/tls"
	"errors"
	"io/fs"
	"net/http"
	"slices"
	"syscall"

	v1 "github.com/prometheus/client_golang/api/prometheus/v1"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/outlets"
	"github.com/promwire/promwire/cmd/promwire/internal/promquery"
	"github.com/promwire/promwire/cmd/promwire/internal/transfer/order"
	"github.com/promwire/promwire/cmd/promwire/internal/tsdbstore"
	"github.com/promwire/promwire/metrics"
	"github.com/promwire/promwire/spool"
)

// hints says what to do about a failure; the first line that holds counts.
var hints = []struct {
	is   func(error) bool
	text string
}{
	{cause(metrics.ErrKept), "the values are counted and kept in the --state: the next push with it delivers them, so do not repeat this one"},
	{cause(metrics.ErrStateDamaged), "put a sound copy of the --state back, or let all counters start from zero with --state-fresh"},
	{cause(metrics.ErrStateLocked), "another run has the --state; wait longer with --state-wait"},
	{cause(outlets.ErrLeftOver), "give the target under its old name, or give its data up with --drop-left-over"},
	{cause(spool.ErrLocked), "another promwire works with that --spool or --data; stop it, or choose another directory"},
	{cause(order.ErrTempFile), "samples that do not fit into --memory are sorted in temporary files: choose a place for them with --temp-dir"},
	{cause(syscall.EADDRINUSE), "another program has that port; choose one with --listen, port 0 takes a free one"},
	{cause(syscall.EWOULDBLOCK), "another promwire or Prometheus works in that directory; stop it or choose another --data"},
	{cause(syscall.ENOTDIR), "--data needs a directory, or a path where one can be made"},
	{cause(fs.ErrPermission), "this user may not use it; choose another one, or change its owner"},
	{cause(syscall.ECONNREFUSED), "nothing listens at that URL; is the server up, and host and port right?"},
	{untrusted, "SSL_CERT_FILE=FILE names certificates of more CAs (on Linux); if the name does not fit, take one that the certificate has"},
	{status(http.StatusNotFound, http.StatusMethodNotAllowed), "the URL must be the full endpoint, as in prometheus.yml: http://HOST:PORT/api/v1/write or .../api/v1/read"},
	{status(http.StatusUnauthorized, http.StatusForbidden), "put user and password into the URL, or a token or tenant into --header 'NAME: VALUE'"},
	{status(http.StatusUnsupportedMediaType), "the receiver does not speak this version: use --protocol auto"},
	{queryError(v1.ErrBadData), "the server could not take the expression or a parameter; promwire query --help has examples"},
	{queryError(v1.ErrTimeout), "ask for less: a shorter range, a longer --step, fewer series; or raise --query.timeout of the server"},
	{queryError(v1.ErrClient, v1.ErrBadResponse), "the URL must be the base of a Prometheus HTTP API, like http://127.0.0.1:9201, without /api/v1; " +
		"what wants a password or a tenant gets it by the URL or --header 'NAME: VALUE'"},
	{cause(promquery.ErrTooLong), "ask for less: a shorter range, a longer --step, fewer series"},
	{cause(context.DeadlineExceeded), "wait longer with --timeout, or ask for less"},
	{cause(tsdbstore.ErrNoSpace), "--min-free-disk sets how much free space the server asks for"},
}

func hintFor(err error) string {
	for _, h := range hints {
		if h.is(err) {
			return h.text
		}
	}
	return ""
}

// untrusted says that the certificate of a server was not taken.
func untrusted(err error) bool {
	var bad *tls.CertificateVerificationError
	return errors.As(err, &bad)
}

func queryError(kinds ...v1.ErrorType) func(error) bool {
	return func(err error) bool {
		var answer *v1.Error
		return errors.As(err, &answer) && slices.Contains(kinds, answer.Type)
	}
}

func cause(target error) func(error) bool {
	return func(err error) bool { return errors.Is(err, target) }
}

func status(codes ...int) func(error) bool {
	return func(err error) bool {
		var answer *promwire.HTTPError
		if errors.As(err, &answer) {
			for _, c := range codes {
				if answer.StatusCode == c {
					return true
				}
			}
		}
		return false
	}
}
