package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/promwiretest"
	"github.com/promwire/promwire/remote"
)

// lettersIn reads the dead letters in a folder.
func lettersIn(t *testing.T, dir string) (out []remote.DeadLetter) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.jsonl"))
	if err != nil || len(files) != 1 {
		t.Fatalf("files %v, %v", files, err)
	}
	f, err := os.Open(files[0])
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for letter, err := range remote.ReadDeadLetters(f) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, letter)
	}
	return out
}

// A relay with a preflight sends what its target takes: what can be mended goes out mended, the rest lies in the dead
// letters, and figures and log say so once, though the target fails at first.
func TestRelayPreflight(t *testing.T) {
	for _, m := range []promwire.MessageType{promwire.WriteV1, promwire.WriteV2} {
		t.Run(m.Version(), func(t *testing.T) {
			r := promwiretest.NewReceiver()
			defer r.Close()
			r.SetScript(promwiretest.Times(2, promwiretest.Status(503)))
			dir := filepath.Join(t.TempDir(), "letters")
			p := startRelay(t, "--spool", filepath.Join(t.TempDir(), "spool"), "--write", r.URL, "--dead-letters", dir, "--preflight", "mimir")
			c, err := remote.NewWriteClient(p.write, remote.WithMessageType(m))
			if err != nil {
				t.Fatal(err)
			}
			good, bad := promwire.LabelsFromStrings("__name__", "good"), promwire.LabelsFromStrings("__name__", "a.b")
			empty := promwire.Labels{{Name: "__name__", Value: "mended"}, {Name: "x", Value: ""}}
			req := &promwire.WriteRequest{}
			for _, ls := range []promwire.Labels{good, bad, empty} {
				req.Timeseries = append(req.Timeseries, promwire.TimeSeries{Labels: ls, Samples: []promwire.Sample{{Timestamp: 1_700_000_000_000, Value: 1}}})
			}
			if _, err := c.Write(t.Context(), req); err != nil {
				t.Fatal(err)
			}
			until(t, "end of the delivery", func() bool {
				return strings.Contains(get(t, p.url+"/metrics"), "pending_samples{write=\""+r.URL+"\"} 0\n")
			})
			mended := promwire.LabelsFromStrings("__name__", "mended")
			if len(r.Series()) != 2 || len(r.Samples(good)) != 1 || len(r.Samples(mended)) != 1 {
				t.Errorf("series %v", r.Series())
			}
			if got := lettersIn(t, dir); len(got) != 1 || !got[0].Series.Labels.Equal(bad) || !strings.Contains(got[0].Reason, "invalid name") {
				t.Errorf("letters %v", got)
			}
			text := get(t, p.url+"/metrics")
			for name, n := range map[string]int{
				`preflight_findings_total{write="%s",rule="name",action="dropped"}`:               1,
				`preflight_findings_total{write="%s",rule="empty label value",action="repaired"}`: 1,
				`sent_samples_total{write="%s"}`:                                                  2,
				`refused_samples_total{write="%s"}`:                                               1,
			} {
				if want := fmt.Sprintf("promwire_relay_"+name+" %d\n", r.URL, n); !strings.Contains(text, want) {
					t.Errorf("no %sin %s", want, text)
				}
			}
			if code, _, err := p.end(syscall.SIGTERM); code != 0 || err != nil {
				t.Errorf("code %d, %v", code, err)
			}
			if n := strings.Count(p.err.String(), "msg=preflight "); n != 2 {
				t.Errorf("%d findings in the log: %s", n, p.err)
			}
		})
	}
}

// An agent with a preflight, in memory and with a spool.
func TestAgentPreflight(t *testing.T) {
	for _, more := range [][]string{nil, {"--spool", filepath.Join(t.TempDir(), "spool")}} {
		t.Run(fmt.Sprint(len(more)), func(t *testing.T) {
			r := promwiretest.NewReceiver()
			defer r.Close()
			url, instance, scrapes := exposes(t, "{\"a.b\"} 1\na 1\n")
			p := startAgent(t, append([]string{
				"--scrape", url, "--write", r.URL, "--interval", "50ms", "--batch-deadline", "0", "--preflight", "cortex:drop",
			}, more...)...)
			a := promwire.LabelsFromStrings("__name__", "a", "instance", instance, "job", "agent")
			until(t, "sample", func() bool { return len(r.Samples(a)) > 2 && scrapes.Load() > 2 })
			p.end(t, syscall.SIGTERM, 30e9)
			for _, ls := range r.Series() {
				if ls.Get("__name__") == "a.b" {
					t.Errorf("%s was written", ls)
				}
			}
			if log := p.text(); !strings.Contains(log, `rule=name action=dropped`) || !strings.Contains(log, "a.b") || strings.Contains(log, "samples_refused=0") {
				t.Error("the log does not name what was refused")
			}
		})
	}
}
