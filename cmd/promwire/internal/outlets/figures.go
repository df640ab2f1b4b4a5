package outlets

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/promwire/promwire/spool"
)

// Figures are what became of the samples and histograms for one place.
type Figures struct {
	Name                             string
	Sent, Refused, Dropped, NotTaken int64
	Abandoned, Pending, Retries      int64
	Oldest                           time.Duration
	Findings                         []FindingCount // of the preflight
}

// Add adds what another has done for the same place. Findings are those of f.
func (f *Figures) Add(o Figures) {
	f.Sent += o.Sent
	f.Refused += o.Refused
	f.Dropped += o.Dropped
	f.NotTaken += o.NotTaken
	f.Abandoned += o.Abandoned
	f.Pending += o.Pending
	f.Retries += o.Retries
	f.Oldest = max(f.Oldest, o.Oldest)
}

// WriteMetric writes a metric without labels as text 0.0.4.
func WriteMetric(w io.Writer, name, kind, help string, value int64) {
	writeHead(w, name, kind, help)
	fmt.Fprintf(w, "%s %d\n", name, value)
}

// WriteSpool writes what a spool is and has lost as text 0.0.4, with names that begin with prefix.
func WriteSpool(w io.Writer, prefix string, s *spool.Stats) {
	WriteMetric(w, prefix+"spool_bytes", "gauge", "Size of the spool on disk.", s.Bytes)
	WriteMetric(w, prefix+"spool_syncs_total", "counter", "Times that the spool was forced to disk.", int64(s.Fsyncs))
	WriteMetric(w, prefix+"spool_damaged_bytes_total", "counter", "Bytes of the spool that were found damaged. The log names the files.", int64(s.Corrupt.Bytes))
	WriteMetric(w, prefix+"spool_lost_requests_total", "counter", "Requests that were lost by that.", int64(s.Corrupt.Records))
}

func writeHead(w io.Writer, name, kind, help string) {
	fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
}

// writeLabelled writes a sample with labels, given as names and values.
func writeLabelled(w io.Writer, name string, value float64, labels ...string) {
	for i := 0; i < len(labels); i += 2 {
		separator := ","
		if i == 0 {
			separator = name + "{"
		}
		fmt.Fprintf(w, "%s%s=\"%s\"", separator, labels[i], escaper.Replace(labels[i+1]))
	}
	fmt.Fprintf(w, "} %v\n", value)
}

// escaper escapes a label value of text 0.0.4.
var escaper = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

// WriteText writes figures as text 0.0.4, with names that begin with prefix.
func WriteText(w io.Writer, prefix string, all []Figures) {
	each := func(name, kind, help string, value func(f *Figures) float64) {
		writeHead(w, prefix+name, kind, help)
		for i := range all {
			writeLabelled(w, prefix+name, value(&all[i]), "write", all[i].Name)
		}
	}
	each("sent_samples_total", "counter", "Samples and histograms written.", func(f *Figures) float64 { return float64(f.Sent) })
	each("refused_samples_total", "counter", "Samples and histograms that the receiver or the preflight refused for good.", func(f *Figures) float64 { return float64(f.Refused) })
	each("dropped_samples_total", "counter", "Samples and histograms dropped for lack of room, or too old.", func(f *Figures) float64 { return float64(f.Dropped + f.NotTaken) })
	each("pending_samples", "gauge", "Samples and histograms that wait.", func(f *Figures) float64 { return float64(f.Pending) })
	each("oldest_pending_seconds", "gauge", "How long the oldest of them waits.", func(f *Figures) float64 { return f.Oldest.Seconds() })
	each("retries_total", "counter", "Attempts to write that failed and were repeated.", func(f *Figures) float64 { return float64(f.Retries) })
	writeFindings(w, prefix+"preflight_findings_total", all)
}
