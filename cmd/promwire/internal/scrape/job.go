package scrape

import (
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/exposition"
)

// Job is a group of targets that are scraped alike.
type Job struct {
	Name string
	// Find returns the targets as they are now. It is asked every few seconds. An error says that some could not be found;
	// with no targets at all (nil), those found before stay.
	Find func() ([]Target, error)
	// Client sends the requests, with authentication and TLS.
	Client *http.Client
	// Accept is the Accept header, DefaultAccept if empty.
	Accept string
	// Fallback is the format of answers with no content type, or none that is known. 0: such a scrape fails.
	Fallback exposition.Format
	// NoCompression asks for answers that are not compressed.
	NoCompression bool
	Formats       exposition.Options
	// HonorLabels keeps exposed labels where those of the target have the same names, instead of renaming them to
	// exported_ and the name.
	HonorLabels bool
	// IgnoreTimestamps gives all samples the time of the scrape.
	IgnoreTimestamps bool
	// MarkTimestamped gives series stale markers also if their samples have times of their own.
	MarkTimestamped bool
	// Relabel returns what becomes of the labels of a series, nil if it is to be dropped. nil changes nothing.
	Relabel func(promwire.Labels) promwire.Labels
	// External are labels for all series that have none of the same name, after relabelling.
	External promwire.Labels
	Limits   Limits
}

// Limits bound one scrape. A scrape that exceeds one fails as a whole; 0 is no limit, but for Body.
type Limits struct {
	// Body is in bytes, uncompressed; DefaultMaxBody if 0.
	Body int64
	// Samples, Labels (of a series), LabelName and LabelValue (their lengths in bytes), after relabelling.
	Samples, Labels, LabelName, LabelValue int
}

// DefaultMaxBody is the default of Limits.Body.
const DefaultMaxBody = 64 << 20

// DefaultAccept prefers the formats that say most: protobuf has native histograms, and protobuf and OpenMetrics have
// exemplars and start timestamps.
const DefaultAccept = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;escaping=allow-utf-8;q=0.6," +
	"application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4," +
	"text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1"

// Target is one endpoint.
type Target struct {
	// URL is what is asked. A user and password in it are sent, and not logged.
	URL string
	// Labels are those that all its series get.
	Labels promwire.Labels
	// Interval is from one scrape to the next, Timeout bounds one.
	Interval, Timeout time.Duration
}

// key tells a target from all others. Its interval and timeout can change.
func (t *Target) key() string {
	var b strings.Builder
	b.WriteString(t.URL)
	for _, l := range t.Labels {
		b.WriteString("\xff" + l.Name + "\xff" + l.Value)
	}
	return b.String()
}

// Config is what a Manager needs.
type Config struct {
	Jobs []*Job
	// Sink takes what a scrape makes: that of one target one after the other, that of several targets side by side. It is
	// valid until Sink returns, which must not wait.
	Sink   func([]promwire.TimeSeries)
	Logger *slog.Logger
}
