package cli

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/exposition"
)

// samples makes the request of the command line or of the file.
func (f *pushFlags) samples(streams IO, args []string, now time.Time) (*promwire.WriteRequest, error) {
	if f.file == "" {
		return f.request(args, now)
	}
	sample, err := f.times(now)
	if err != nil {
		return nil, err
	}
	pairs, err := f.labelPairs()
	if err != nil {
		return nil, err
	}
	in := streams.In
	if f.file != "-" {
		file, err := os.Open(f.file)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		in = file
	}
	return readSamples(in, f.file, sample.Timestamp, pairs)
}

// maxText bounds the text of a --file, in bytes.
const maxText = 64 << 20

// readSamples reads what /metrics shows; a text that ends as OpenMetrics does is that. A bad line fails it: half of what
// somebody wanted to push is not what they wanted.
func readSamples(in io.Reader, name string, now int64, pairs []promwire.Label) (*promwire.WriteRequest, error) {
	text, err := io.ReadAll(io.LimitReader(in, maxText+1))
	if err == nil && len(text) > maxText {
		err = fmt.Errorf("%w: more than %d bytes", promwire.ErrTooLarge, maxText)
	}
	if err != nil {
		return nil, fmt.Errorf("--file %s: %w", name, err)
	}
	format := exposition.Text
	if bytes.HasSuffix(bytes.TrimSpace(text), []byte("# EOF")) {
		format = exposition.OpenMetrics
	}
	found, err := exposition.NewReader(exposition.Options{}).Read(text, format)
	switch {
	case err != nil:
		return nil, fmt.Errorf("--file %s: %w", name, err)
	case found.BadCount > 0:
		bad := found.Bad[0]
		return nil, fmt.Errorf("--file %s: line %d, %q: %w (bad lines: %d)", name, bad.Place, bad.Text, bad.Err, found.BadCount)
	case len(found.Points) == 0:
		return nil, fmt.Errorf("--file %s: there are no samples in it", name)
	}
	req := &promwire.WriteRequest{}
	index := map[string]int{}
	for i := range found.Points {
		p := &found.Points[i]
		ls, err := promwire.NewLabels(slices.Concat(p.Series.Labels, pairs)...)
		if err != nil {
			return nil, fmt.Errorf("--file %s: line %d, with --label: %w", name, p.Place, err)
		}
		key := ls.String()
		at, known := index[key]
		if !known {
			at, index[key] = len(req.Timeseries), len(req.Timeseries)
			req.Timeseries = append(req.Timeseries, promwire.TimeSeries{Labels: ls})
		}
		addPoint(&req.Timeseries[at], p, now)
	}
	for i := range req.Timeseries {
		samples := req.Timeseries[i].Samples
		slices.SortStableFunc(samples, func(a, b promwire.Sample) int { return cmp.Compare(a.Timestamp, b.Timestamp) })
		for j := 1; j < len(samples); j++ {
			if samples[j].Timestamp == samples[j-1].Timestamp {
				return nil, fmt.Errorf("--file %s: %v: %w", name, req.Timeseries[i].Labels, promwire.ErrDuplicateTimestamp)
			}
		}
	}
	return req, nil
}

func addPoint(ts *promwire.TimeSeries, p *exposition.Point, now int64) {
	t := now
	if p.HasTimestamp {
		t = p.Timestamp
	}
	ts.Samples = append(ts.Samples, promwire.Sample{Timestamp: t, StartTimestamp: p.Start, Value: p.Value})
	if p.Family != nil {
		ts.Metadata = p.Family.Metadata
	}
	for _, e := range p.Exemplars {
		if !e.HasTime {
			e.Timestamp = t
		}
		ts.Exemplars = append(ts.Exemplars, e.Exemplar)
	}
}

// splitSeries returns name and labels of a NAME like hits{code="200"}.
func splitSeries(s string) (string, []promwire.Label, error) {
	if !strings.HasSuffix(s, "}") || !strings.Contains(s, "{") {
		return s, nil, nil
	}
	matchers, err := promwire.ParseSelector(s)
	if err != nil {
		return "", nil, &usageError{err}
	}
	name, labels := "", []promwire.Label(nil)
	for _, m := range matchers {
		switch {
		case m.Type != promwire.MatchEqual:
			return "", nil, usagef("%s: a sample has labels like %s=%q, no other operator", s, m.Name, m.Value)
		case m.Name == promwire.MetricName:
			name = m.Value
		default:
			labels = append(labels, promwire.Label{Name: m.Name, Value: m.Value})
		}
	}
	return name, labels, nil
}
