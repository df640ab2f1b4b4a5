package clientgolang

import (
	"slices"
	"time"

	"github.com/promwire/promwire"
)

// Option is an option of [NewPusher], [NewConverter] and [AppendRequest].
type Option func(*config)

type config struct {
	labels    promwire.Labels
	names     promwire.NameScheme
	noClassic bool
	noNative  bool
	noMarkers bool
	now       func() time.Time
	onError   func(error)
}

func newConfig(opts []Option) config {
	c := config{now: time.Now}
	for _, o := range opts {
		o(&c)
	}
	c.labels = c.labels.Normalize()
	return c
}

// WithLabel adds a label to every series, such as job or instance, which a scrape would add; use it once per label. A
// metric that has a label of this name keeps its own value, as with honor_labels in a scrape. An empty value means no
// label.
func WithLabel(name, value string) Option {
	return func(c *config) {
		c.labels = slices.DeleteFunc(c.labels, func(l promwire.Label) bool { return l.Name == name })
		c.labels = append(c.labels, promwire.Label{Name: name, Value: value})
	}
}

// WithLegacyNames leaves out, and reports, metrics with names beyond the legacy scheme ([promwire.LegacyNames]), for
// receivers that take no others. The default is UTF-8, as in client_golang.
func WithLegacyNames() Option { return func(c *config) { c.names = promwire.LegacyNames } }

// WithoutClassicBuckets sends histograms that have native buckets as native histograms only. The default is to send
// both, in series with different names; a scrape does so with always_scrape_classic_histograms.
func WithoutClassicBuckets() Option { return func(c *config) { c.noClassic = true } }

// WithoutNativeHistograms sends all histograms as classic ones, for receivers that have no native histograms. Those
// without classic buckets get the bucket +Inf, count and sum.
func WithoutNativeHistograms() Option { return func(c *config) { c.noNative = true } }

// WithoutStaleMarkers lets series that went away end without a stale marker: queries go on seeing them for their
// look-back time, five minutes by default. It suits series that others continue, such as the next run of a job.
func WithoutStaleMarkers() Option { return func(c *config) { c.noMarkers = true } }

// WithClock replaces [time.Now] as the source of the time of samples.
func WithClock(now func() time.Time) Option { return func(c *config) { c.now = now } }

// WithErrorHandler has f called with the error of each push of [Pusher.Run] but the last one, which Run returns. The
// default logs it by [log/slog.Default].
func WithErrorHandler(f func(error)) Option { return func(c *config) { c.onError = f } }
