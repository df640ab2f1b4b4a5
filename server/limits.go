package server

import (
	"cmp"
	"math"
	"time"

	"github.com/promwire/promwire"
)

// The default limits. Body sizes are those of Prometheus.
const (
	DefaultMaxBodyBytes    = 32 << 20
	DefaultMaxDecodedBytes = 32 << 20
	DefaultMaxSeries       = 100_000
	DefaultMaxWriteSamples = 1_000_000
	DefaultMaxExemplars    = 100_000
	DefaultMaxLabels       = 1_000
	DefaultMaxLabelName    = 1 << 10
	DefaultMaxLabelValue   = 64 << 10
	DefaultMaxMemoryBytes  = 256 << 20
	DefaultMaxLabelBytes   = 96 << 20

	DefaultMaxConcurrentWrites = 64
	DefaultMaxBytesInFlight    = 256 << 20
	DefaultMaxBodyTime         = 30 * time.Second

	DefaultMaxQueries       = 100
	DefaultMaxMatchers      = 1_000
	DefaultMaxPatternBytes  = 32 << 10
	DefaultMaxSamples       = 50_000_000
	DefaultMaxResponseBytes = 1 << 30
	DefaultMaxFrameBytes    = 1 << 20
	DefaultMaxConcurrent    = 10

	DefaultMaxResultSeries    = 1_000_000
	DefaultMaxParallelQueries = 4
	DefaultMaxReadWait        = time.Minute
	DefaultMaxReadTime        = 2 * time.Minute
)

// WriteLimits bounds what a write handler takes from one request. A field that is 0 has its default, a negative one
// sets no limit. Beyond a limit the answer is 413, if the field says nothing else, and nothing of the request is written.
type WriteLimits struct {
	// MaxBodyBytes bounds the body as it comes. Default 32 MiB.
	MaxBodyBytes int
	// MaxDecodedBytes bounds the decompressed body, by the size that it announces, before memory is taken. Default
	// 32 MiB.
	MaxDecodedBytes int
	// MaxSeries bounds the series of a request. Default 100,000; Prometheus sends at most 2,000.
	MaxSeries int
	// MaxSamples bounds the samples and histograms of a request together. Default 1,000,000.
	MaxSamples int
	// MaxExemplars bounds the exemplars of a request. Default 100,000.
	MaxExemplars int
	// MaxLabels bounds the labels of a series. Default 1,000. Beyond it the series is refused with 400, as other invalid
	// series are, and the others are written.
	MaxLabels int
	// MaxLabelNameBytes bounds each label name. Default 1 KiB, as Mimir. Beyond it the series is refused with 400.
	MaxLabelNameBytes int
	// MaxLabelValueBytes bounds each label value, metric names included. Default 64 KiB: Mimir takes 2 KiB, VictoriaMetrics
	// 4 KiB, Prometheus has no limit. Beyond it the series is refused with 400.
	MaxLabelValueBytes int
	// MaxMemoryBytes bounds what the message takes in memory when it is decoded and written, estimated from the number of
	// its items before memory is taken: an empty histogram has two bytes on the wire and over 300 in memory. Default
	// 256 MiB, which messages below 2 MiB can't reach and sensible ones of 32 MiB don't.
	MaxMemoryBytes int
	// MaxLabelBytes bounds the strings that the references of a 2.0 message stand for (names and values of labels, help
	// and unit): a reference of one byte can name a symbol of megabytes, again and again. Default 96 MiB, some 1,000
	// bytes for each of 100,000 series; the embedded store takes about six times as much while it adds them.
	MaxLabelBytes int
	// MaxConcurrent bounds the requests that are decoded and written at the same time. Default 64. Others wait for 10
	// seconds, before their bodies are read, and are answered with 503 and Retry-After then. Requests whose bodies are
	// still coming hold no place: slow senders do not keep others waiting.
	MaxConcurrent int
	// MaxBytesInFlight bounds the bodies of all requests in work, as far as they have come, and decompressed. Default 256
	// MiB. A request whose Content-Length goes beyond it is answered with 503 and Retry-After at once, before its body is
	// read; one that grows beyond it while its body comes or is decompressed, then. A body without Content-Length counts as
	// one of MaxBodyBytes at first. A request that is alone is never too large for it.
	MaxBytesInFlight int
	// MaxBodyTime bounds how long a body may take to come. Default 30 seconds, beyond it 408. It works where the
	// [http.ResponseWriter], or one that it wraps (see [http.ResponseController]), has a method SetReadDeadline, as that of
	// net/http has.
	MaxBodyTime time.Duration
}

func (l WriteLimits) withDefaults() WriteLimits {
	return WriteLimits{
		MaxBodyBytes:    limit(l.MaxBodyBytes, DefaultMaxBodyBytes),
		MaxDecodedBytes: limit(l.MaxDecodedBytes, DefaultMaxDecodedBytes),
		MaxSeries:       limit(l.MaxSeries, DefaultMaxSeries),
		MaxSamples:      limit(l.MaxSamples, DefaultMaxWriteSamples),
		MaxExemplars:    limit(l.MaxExemplars, DefaultMaxExemplars),
		MaxLabels:       limit(l.MaxLabels, DefaultMaxLabels),
		MaxMemoryBytes:  limit(l.MaxMemoryBytes, DefaultMaxMemoryBytes),
		MaxLabelBytes:   limit(l.MaxLabelBytes, DefaultMaxLabelBytes),

		MaxLabelNameBytes:  limit(l.MaxLabelNameBytes, DefaultMaxLabelName),
		MaxLabelValueBytes: limit(l.MaxLabelValueBytes, DefaultMaxLabelValue),

		MaxConcurrent:    limit(l.MaxConcurrent, DefaultMaxConcurrentWrites),
		MaxBytesInFlight: limit(l.MaxBytesInFlight, DefaultMaxBytesInFlight),
		MaxBodyTime:      cmp.Or(l.MaxBodyTime, DefaultMaxBodyTime),
	}
}

// limit sets the limits of rules.
func (l *WriteLimits) limit(r *promwire.Rules) {
	r.MaxSeries, r.MaxSamples, r.MaxExemplars, r.MaxMemory = l.MaxSeries, l.MaxSamples, l.MaxExemplars, l.MaxMemoryBytes
	r.MaxLabels, r.MaxLabelBytes = l.MaxLabels, l.MaxLabelBytes
	r.MaxLabelNameBytes, r.MaxLabelValueBytes = l.MaxLabelNameBytes, l.MaxLabelValueBytes
}

// ReadLimits bounds what a read handler takes from one request and what it gives in answer. A field that is 0 has
// its default, a negative one sets no limit.
type ReadLimits struct {
	// MaxBodyBytes bounds the request's body as it comes. Default 32 MiB; beyond it 413.
	MaxBodyBytes int
	// MaxDecodedBytes bounds the decompressed request, by the size that it announces, before memory is taken.
	// Default 32 MiB; beyond it 413.
	MaxDecodedBytes int
	// MaxQueries bounds the queries of a request. Default 100; beyond it 400.
	MaxQueries int
	// MaxMatchers bounds the matchers of all queries of a request together. Default 1,000; beyond it 400.
	MaxMatchers int
	// MaxPatternBytes bounds the regular expressions of all matchers of a request together. A list of values, such as
	// "a|b", counts for a quarter; a group as 16 bytes more than it has, a class in brackets as 32, "\pL" and the like as
	// 256, and classes beyond ASCII in patterns with flags as 2,048. Default 32 KiB; beyond it 400.
	MaxPatternBytes int
	// MaxSamples bounds the samples and histograms of each query of an answer of type SAMPLES. Default 50,000,000,
	// as Prometheus; beyond it 400. It does not apply to streams.
	MaxSamples int
	// MaxResponseBytes bounds an answer of type SAMPLES before compression, as it is built in memory. Default 1 GiB,
	// which holds 50,000,000 samples; beyond it 400. It does not apply to streams.
	MaxResponseBytes int
	// MaxFrameBytes bounds a frame of a stream; a single chunk that is larger has a frame of its own. Default 1 MiB,
	// as Prometheus; readers refuse frames above some 50 MB.
	MaxFrameBytes int
	// MaxSeries bounds the series of each query, in answers of both types. Default 1,000,000; beyond it 400, or in a
	// stream that has begun, its end.
	MaxSeries int
	// MaxConcurrent bounds the queries that are read from the storage at the same time, of all requests. Default 10, as
	// Prometheus. Requests for which there is no place wait for MaxWait.
	MaxConcurrent int
	// MaxParallelQueries bounds the queries of one request that are read side by side; all but one of them only take
	// places that are free. Default 4. Those whose turn to be sent has not come hold some 200 KiB of a stream each, or
	// three frames if those are large; results of type SAMPLES are held in any case.
	MaxParallelQueries int
	// MaxWait bounds the time that a request waits for a place. Default a minute; beyond it 503 with Retry-After.
	MaxWait time.Duration
	// MaxTime bounds the time that a request is read from the storage, which is told so by its context. The time that
	// its client takes to receive a stream does not count. Default two minutes; beyond it 503, or in a stream that has
	// begun, its end.
	MaxTime time.Duration
	// MaxBodyTime bounds how long a body may take to come. Default 30 seconds, beyond it 408. It works on net/http and
	// on servers whose [http.ResponseWriter] has a method SetReadDeadline.
	MaxBodyTime time.Duration
	// MaxBytesInFlight bounds the bodies that are being received and decoded, as they came and decompressed. Default
	// 256 MiB; beyond it 503 with Retry-After, before the body is read. A body without Content-Length counts as one of
	// MaxBodyBytes. A request that is alone is never too large for it.
	MaxBytesInFlight int
}

func (l ReadLimits) withDefaults() ReadLimits {
	return ReadLimits{
		MaxBodyBytes:     limit(l.MaxBodyBytes, DefaultMaxBodyBytes),
		MaxDecodedBytes:  limit(l.MaxDecodedBytes, DefaultMaxDecodedBytes),
		MaxQueries:       limit(l.MaxQueries, DefaultMaxQueries),
		MaxMatchers:      limit(l.MaxMatchers, DefaultMaxMatchers),
		MaxPatternBytes:  limit(l.MaxPatternBytes, DefaultMaxPatternBytes),
		MaxSamples:       limit(l.MaxSamples, DefaultMaxSamples),
		MaxResponseBytes: limit(l.MaxResponseBytes, DefaultMaxResponseBytes),
		MaxFrameBytes:    limit(l.MaxFrameBytes, DefaultMaxFrameBytes),
		MaxSeries:        limit(l.MaxSeries, DefaultMaxResultSeries),
		MaxConcurrent:    limit(l.MaxConcurrent, DefaultMaxConcurrent),
		MaxWait:          limitTime(l.MaxWait, DefaultMaxReadWait),
		MaxTime:          limitTime(l.MaxTime, DefaultMaxReadTime),
		MaxBodyTime:      cmp.Or(l.MaxBodyTime, DefaultMaxBodyTime),
		MaxBytesInFlight: limit(l.MaxBytesInFlight, DefaultMaxBytesInFlight),

		MaxParallelQueries: limit(l.MaxParallelQueries, DefaultMaxParallelQueries),
	}
}

// limit returns the limit that a field of an options struct sets.
func limit(given, byDefault int) int {
	switch {
	case given == 0:
		return byDefault
	case given < 0:
		return math.MaxInt
	default:
		return given
	}
}

// limitTime is limit for times.
func limitTime(given, byDefault time.Duration) time.Duration {
	if given < 0 {
		return math.MaxInt64
	}
	return cmp.Or(given, byDefault)
}
