package web

import (
	"bytes"
	"fmt"

	"github.com/promwire/promwire"
)

const (
	// maxTextSeries is how many series of a request are made text.
	maxTextSeries = 200
	// maxTextMessage is the size of a message above which it is not decoded for the page, in bytes.
	maxTextMessage = 2 << 20
	// maxTextBuckets is how many buckets of a native histogram are made text: they take twenty bytes each.
	maxTextBuckets = 500
)

// textOf returns the beginning of a body in the debug format, how many series are left out, and how many it has. What is
// wrong with the body the storage will say.
func textOf(b *promwire.Body) (text string, more, series int) {
	msg, err := b.Decoded()
	if err != nil {
		return "", 0, 0
	}
	if len(msg) > maxTextMessage {
		return fmt.Sprintf("# a message of %d bytes: too large to be shown", len(msg)), 0, 0
	}
	var d promwire.Decoder
	d.Reset(msg, b.Type)
	d.MaxLabelBytes = b.Rules.MaxLabelBytes
	var r promwire.WriteRequest
	for size := 0; size < maxText && len(r.Timeseries) < maxTextSeries; {
		var ts promwire.TimeSeries
		if !d.NextInto(&ts) {
			break
		}
		thin(&ts)
		size += sizeOf(&ts)
		r.Timeseries = append(r.Timeseries, ts)
	}
	series = len(r.Timeseries)
	for d.NextRaw() { // to the end, where family metadata may be
		series++
	}
	r.Metadata = d.Metadata()[:min(len(d.Metadata()), maxTextSeries)]
	return cutLines(r.AppendText(nil, promwire.TextOptions{})), series - len(r.Timeseries), series
}

// thin leaves of a series what AppendText prints, and of histograms too large to print the counts.
func thin(ts *promwire.TimeSeries) {
	if n := len(ts.Histograms); n > 1 {
		ts.Histograms = ts.Histograms[n-1:]
	}
	for i := range ts.Histograms {
		h := &ts.Histograms[i]
		if buckets(h) > maxTextBuckets {
			h.PositiveSpans, h.NegativeSpans = nil, nil
			h.PositiveDeltas, h.NegativeDeltas, h.PositiveCounts, h.NegativeCounts = nil, nil, nil, nil
		}
	}
}

func buckets(h *promwire.Histogram) int {
	return len(h.PositiveSpans) + len(h.NegativeSpans) +
		len(h.PositiveDeltas) + len(h.NegativeDeltas) + len(h.PositiveCounts) + len(h.NegativeCounts)
}

// sizeOf is about how long the text of a series is.
func sizeOf(ts *promwire.TimeSeries) int {
	n := 30
	for _, l := range ts.Labels {
		n += len(l.Name) + len(l.Value) + 4
	}
	for i := range ts.Histograms {
		n += 20 * buckets(&ts.Histograms[i])
	}
	return n
}

// cutLines returns the whole lines in the first maxText bytes, or the first bytes of a longer line.
func cutLines(text []byte) string {
	if len(text) <= maxText {
		return string(text)
	}
	text = text[:maxText]
	if i := bytes.LastIndexByte(text, '\n'); i > 0 {
		return string(text[:i+1]) + "…\n"
	}
	return string(text) + "…"
}
