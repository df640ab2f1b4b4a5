package cli

import (
	"fmt"
	"io"
	"os"
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

func readSamples(in io.Reader, name string, now int64, pairs []promwire.Label) (*promwire.WriteRequest, error) {
	req, err := exposition.Parse(in, now)
	if err != nil {
		return nil, fmt.Errorf("--file %s: %w", name, err)
	}
	if len(req.Timeseries) == 0 {
		return nil, fmt.Errorf("--file %s: there are no samples in it", name)
	}
	for i := range req.Timeseries {
		ts := &req.Timeseries[i]
		if ts.Labels, err = promwire.NewLabels(append(ts.Labels, pairs...)...); err != nil {
			return nil, fmt.Errorf("--file %s with --label: %w", name, err)
		}
	}
	return req, nil
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
