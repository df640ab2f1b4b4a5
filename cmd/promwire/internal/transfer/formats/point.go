package formats

import (
	"errors"
	"fmt"
	"strings"

	"github.com/promwire/promwire"
)

// Point is one value of a series.
type Point struct {
	// Labels are sorted, unique and valid. They may be shared by points, and are never changed.
	Labels   promwire.Labels
	Metadata promwire.Metadata
	// Sample holds the time of a histogram too.
	Sample promwire.Sample
	// Histogram is set for native histograms, instead of the sample's value. It belongs to the sink.
	Histogram *promwire.Histogram
	Exemplars []promwire.Exemplar
}

// Bad is a line, or a part of one, that cannot be read.
type Bad struct {
	File string
	Line int    // counted from 1
	Text string // the start of it
	Err  error
}

// Error implements error.
func (b *Bad) Error() string {
	if b.Text == "" {
		return fmt.Sprintf("%s:%d: %v", b.File, b.Line, b.Err)
	}
	return fmt.Sprintf("%s:%d: %v: %q", b.File, b.Line, b.Err, b.Text)
}

// Unwrap returns what is wrong.
func (b *Bad) Unwrap() error { return b.Err }

// Sink takes what a file holds. An error ends the reading, and is returned as it is.
type Sink interface {
	// Point gets a point, which is valid until it returns.
	Point(p *Point) error
	// Bad is told of n bad lines; the first of them is bad.
	Bad(bad *Bad, n int) error
}

// Options say how to read.
type Options struct {
	// Now is the time of samples that have none, in milliseconds.
	Now int64
	// Labels are those of all series, besides their own.
	Labels []promwire.Label
	// CSV are the samples that each record of a CSV file holds; without any, the file is one that Writer wrote.
	CSV []CSVMap
	// CSVHeader says that the first record holds names. It need not be set if a CSVMap has names.
	CSVHeader bool
	// Start and Interval are the times of the series notation, in milliseconds.
	Start, Interval int64
}

// source is a file that is read.
type source struct {
	*Options
	name string
	sink Sink

	seriesTexts map[string]promwire.Labels
}

// maxBadText bounds what is shown of a bad line, in bytes.
const maxBadText = 120

func (s *source) bad(line int, text []byte, err error) error {
	shown := strings.ToValidUTF8(string(text[:min(len(text), maxBadText)]), "\uFFFD")
	return s.sink.Bad(&Bad{s.name, line, shown, err}, 1)
}

// labels makes the labels of a series of those in the file.
func (s *source) labels(own ...promwire.Label) (promwire.Labels, error) {
	ls, err := promwire.NewLabels(append(append(make([]promwire.Label, 0, len(own)+len(s.Labels)), own...), s.Labels...)...)
	if err != nil {
		return nil, err
	}
	// Some receivers take series without a name; whether this one does is not for a file to say.
	if err := ls.Validate(promwire.UTF8Names); err != nil && !errors.Is(err, promwire.ErrNoMetricName) {
		return nil, err
	}
	if len(ls) == 0 {
		return nil, promwire.ErrNoMetricName
	}
	return ls, nil
}
