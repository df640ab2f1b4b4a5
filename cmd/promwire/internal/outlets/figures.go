package outlets

import (
	"fmt"
	"io"
	"time"
)

// Figures are what became of the samples and histograms for one place.
type Figures struct {
	Name                             string
	Sent, Refused, Dropped, NotTaken int64
	Abandoned, Pending, Retries      int64
	Oldest                           time.Duration
}

// WriteMetric writes a metric without labels as text 0.0.4.
func WriteMetric(w io.Writer, name, kind, help string, value int64) {
	writeHead(w, name, kind, help)
	fmt.Fprintf(w, "%s %d\n", name, value)
}

func writeHead(w io.Writer, name, kind, help string) {
	fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
}

// WriteText writes figures as text 0.0.4, with names that begin with prefix.
func WriteText(w io.Writer, prefix string, all []Figures) {
	each := func(name, kind, help string, value func(f *Figures) float64) {
		writeHead(w, prefix+name, kind, help)
		for i := range all {
			fmt.Fprintf(w, "%s{write=%q} %v\n", prefix+name, all[i].Name, value(&all[i]))
		}
	}
	each("sent_samples_total", "counter", "Samples and histograms written.", func(f *Figures) float64 { return float64(f.Sent) })
	each("refused_samples_total", "counter", "Samples and histograms that the receiver refused for good.", func(f *Figures) float64 { return float64(f.Refused) })
	each("dropped_samples_total", "counter", "Samples and histograms dropped for lack of room, or too old.", func(f *Figures) float64 { return float64(f.Dropped + f.NotTaken) })
	each("pending_samples", "gauge", "Samples and histograms that wait.", func(f *Figures) float64 { return float64(f.Pending) })
	each("oldest_pending_seconds", "gauge", "How long the oldest of them waits.", func(f *Figures) float64 { return f.Oldest.Seconds() })
	each("retries_total", "counter", "Attempts to write that failed and were repeated.", func(f *Figures) float64 { return float64(f.Retries) })
}
