package backends

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/promwire/promwire/promwiretest/protocol"
)

// deviations are the checks that a server is known not to pass, by title and version.
var deviations = map[string][]deviation{
	"Prometheus 2.42.0": {
		{protocol.Fail, "takes the body whatever the headers say", []string{
			"write/content-type/json", "write/content-type/png", "write/content-type/text", "write/content-type/unknown-message",
			"write/encoding/br", "write/encoding/deflate", "write/encoding/x-unknown", "write/v2/sample",
		}},
		{protocol.Fail, "skips series with bad labels, and answers 204", []string{
			"write/v1/labels/empty-name", "write/v1/labels/invalid-utf8", "write/v1/labels/no-name",
		}},
		{protocol.Fail, "answers 500 for labels that can never be stored", []string{"write/v1/labels/duplicate", "write/v1/labels/none"}},
		{protocol.Fail, "a dot matches no line feed", []string{"read/matchers"}},
		{protocol.Fail, "gives histograms to remote read as chunks only", []string{"write/histogram"}},
		{protocol.Warn, "series without samples in the range are in the answer", []string{"read/range"}},
		{protocol.Warn, "its encoder loses the sign of zero", []string{"write/v1/minus-zero"}},
		{protocol.Warn, "a bad matcher is 500, or breaks off a stream", []string{"read/bad-match-type", "read/bad-pattern"}},
	},
	"Prometheus 3.15.0": {
		{protocol.Warn, "content types that it does not know are 400", []string{
			"write/content-type/json", "write/content-type/png", "write/content-type/text", "write/content-type/unknown-message",
		}},
		{protocol.Fail, "with a blank in its content type, a 2.0 body is an empty 1.0 message", []string{"write/content-type/v2-blank"}},
		{protocol.Fail, "skips series with bad labels in 1.0, and answers 204", []string{
			"write/v1/labels/duplicate", "write/v1/labels/empty-name", "write/v1/labels/invalid-utf8", "write/v1/labels/no-name", "write/v1/labels/none",
		}},
		{protocol.Warn, "does not look at the first symbol", []string{"write/v2/symbols/first"}},
		{protocol.Warn, "its encoder loses the sign of zero", []string{"write/v1/minus-zero", "write/v2/minus-zero"}},
		{protocol.Warn, "series without samples in the range are in the answer", []string{"read/range"}},
		{protocol.Warn, "sample answers are in no order", []string{"read/order"}},
		{protocol.Warn, "a bad matcher is 500, or breaks off a stream", []string{"read/bad-match-type", "read/bad-pattern"}},
	},
	"VictoriaMetrics 1.79.5": append(victoriaMetrics, deviation{protocol.Warn, "PUT and GET are read as POST", []string{"write/method"}}),
	"VictoriaMetrics 1.150.0": append(victoriaMetrics,
		deviation{protocol.Fail, "PUT and GET are 204", []string{"write/method"}},
		deviation{protocol.Fail, "no body is 204", []string{"write/v1/body/empty"}}),
}

var victoriaMetrics = []deviation{
	{protocol.Fail, "takes the body whatever the headers say", []string{
		"write/content-type/json", "write/content-type/png", "write/content-type/text", "write/content-type/unknown-message",
		"write/encoding/br", "write/encoding/deflate", "write/encoding/x-unknown", "write/v2/sample",
	}},
	{protocol.Fail, "stores any labels, or drops them in silence", []string{
		"write/v1/labels/duplicate", "write/v1/labels/empty-name", "write/v1/labels/invalid-utf8", "write/v1/labels/no-name", "write/v1/labels/none",
	}},
	{protocol.Warn, "keeps every value for a time", []string{"write/v1/other-value"}},
}

type deviation struct {
	verdict protocol.Verdict
	why     string
	checks  []string
}

// TestProtocol runs the protocol suite, which has to see the deviations that are known, and no others; of versions that
// are not listed, it logs them. Bodies that announce gigabytes are left out: old servers take the memory.
func TestProtocol(t *testing.T) {
	each(t, func(t *testing.T, f found) {
		s := f.run(t, f.Program)
		opts := []protocol.Option{
			protocol.WithWritePath(s.write), protocol.WithReadPath(strings.Replace(s.write, "write", "read", 1)), protocol.WithSettle(10 * time.Second),
			protocol.WithoutChecks("write/v1/body/announced", "write/v2/body/announced", "read/body/announced"),
		}
		if f.program == "victoria-metrics" {
			opts = append(opts, protocol.WithReadPath("")) // it has none
		}
		report := protocol.Check(t.Context(), "", opts...)
		if len(report.With(protocol.Pass)) < 20 {
			t.Errorf("few checks pass:\n%s", report)
		}
		if known, listed := deviations[f.String()]; listed {
			checkDeviations(t, report, known)
		} else {
			t.Logf("what %s does otherwise is not written down:\n%s", f, report)
		}
	}, "prometheus", "victoria-metrics")
}

func checkDeviations(t *testing.T, report protocol.Report, known []deviation) {
	want := map[string]protocol.Verdict{}
	for _, d := range known {
		for _, name := range d.checks {
			want[name] = d.verdict
		}
	}
	for _, result := range report.Results {
		expected, deviates := want[result.Name]
		delete(want, result.Name)
		if !deviates && (result.Verdict == protocol.Fail || result.Verdict == protocol.Warn) {
			t.Errorf("not known: %s", result)
		}
		if deviates && result.Verdict != expected {
			t.Errorf("known to end with %s: %s", expected, result)
		}
	}
	if len(want) > 0 {
		t.Errorf("no such checks: %v", slices.Sorted(maps.Keys(want)))
	}
}
