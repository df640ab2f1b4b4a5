package server

import (
	"log/slog"
	"net/http"

	"github.com/promwire/promwire"
)

// Option configures [NewHandler]: a [WriteOption], a [ReadOption], or one that is both.
type Option interface{ option() }

// WriteOption configures [NewWriteHandler].
type WriteOption interface {
	Option
	applyWrite(*writeConfig)
}

// ReadOption configures [NewReadHandler].
type ReadOption interface {
	Option
	applyRead(*readConfig)
}

// SharedOption configures every handler of this package.
type SharedOption interface {
	WriteOption
	ReadOption
}

// WithLogger sets where handlers log: failures of the storage as warnings, refused requests at debug level. Default,
// and for nil: nowhere.
func WithLogger(l *slog.Logger) SharedOption {
	if l == nil {
		l = slog.New(slog.DiscardHandler)
	}
	return sharedOption(func(c *common) { c.logger = l })
}

// WithWriteLimits sets the limits of a write handler. Default: see [WriteLimits].
func WithWriteLimits(l WriteLimits) WriteOption {
	return writeOption(func(c *writeConfig) { c.limits = l.withDefaults() })
}

// WithReadLimits sets the limits of a read handler. Default: see [ReadLimits].
func WithReadLimits(l ReadLimits) ReadOption {
	return readOption(func(c *readConfig) { c.limits = l.withDefaults() })
}

// WithNames sets which metric and label names a write handler accepts; series with other names are refused. Default:
// [promwire.UTF8Names], as Prometheus 3.
func WithNames(s promwire.NameScheme) WriteOption {
	return writeOption(func(c *writeConfig) { c.rules.Names = s })
}

// WithValidation sets how strictly a write handler judges series: [promwire.ValidateUsual], which is the default,
// [promwire.ValidateStrict] or [promwire.ValidateLenient].
func WithValidation(v promwire.Validation) WriteOption {
	return writeOption(func(c *writeConfig) { c.rules.Validation = v })
}

// WithAnyFirstSymbol makes a write handler accept 2.0 requests whose first symbol is not the empty string, although
// the specification demands it (Remote Write 2.0, "Symbols"); Prometheus accepts them too. Default: such requests
// are answered with 400, as reference 0 would name a string that the sender meant to leave out.
func WithAnyFirstSymbol() WriteOption {
	return writeOption(func(c *writeConfig) { c.rules.AnyFirstSymbol = true })
}

// WithCompressions makes a write handler accept bodies in these content encodings besides snappy, such as zstd.Codec{} of
// package compress/zstd, which vmagent prefers. Default: snappy only, as the specification has it; all else is 415, and
// the answer names what is accepted.
func WithCompressions(cs ...promwire.Compression) WriteOption {
	return writeOption(func(c *writeConfig) { c.compressions = append(c.compressions, cs...) })
}

// WithAnyOrder makes a read handler pass on series in any order, for readers that cannot keep label order, such as a
// read client of a Prometheus server that adds external labels. Whoever merges such an answer with others must sort
// it. Default: series out of label order are the storage's failure ([promwire.Reader] demands the order).
func WithAnyOrder() ReadOption {
	return readOption(func(c *readConfig) { c.anyOrder = true })
}

// WithSort makes a read handler sort the series of each query, for storages that yield them in any order; parts of one
// series need not be consecutive either, as long as its samples ascend in time. Until its last series has come, a result
// is held in memory: samples as they are, a stream as chunks, and at most maxBytes of it for each query that is read at
// the time (0 means [DefaultSortBytes], a negative number no bound). What takes more is answered with 400. Default: the
// storage sorts.
func WithSort(maxBytes int) ReadOption {
	return readOption(func(c *readConfig) { c.sort, c.sortBytes = true, limit(maxBytes, DefaultSortBytes) })
}

// common is what every handler can be told.
type common struct {
	logger  *slog.Logger
	auth    []Verifier
	tenant  func(*http.Request) (string, error) // nil for none
	raw     bool                                // the request goes into the context
	metrics Metrics                             // nil for none
	trace   TraceFunc                           // nil for none
}

func newCommon() common { return common{logger: slog.New(slog.DiscardHandler)} }

type writeConfig struct {
	common
	limits WriteLimits
	rules  promwire.Rules

	tenantLimits func(tenant string) WriteLimits // nil for none
	compressions []promwire.Compression
}

func newWriteConfig(opts []WriteOption) writeConfig {
	c := writeConfig{common: newCommon(), limits: WriteLimits{}.withDefaults()}
	for _, o := range opts {
		o.applyWrite(&c)
	}
	return c
}

type readConfig struct {
	common
	limits   ReadLimits
	anyOrder bool
	sort     bool

	sortBytes int
}

func newReadConfig(opts []ReadOption) readConfig {
	c := readConfig{common: newCommon(), limits: ReadLimits{}.withDefaults()}
	for _, o := range opts {
		o.applyRead(&c)
	}
	return c
}

type writeOption func(*writeConfig)

func (writeOption) option()                     {}
func (o writeOption) applyWrite(c *writeConfig) { o(c) }

type readOption func(*readConfig)

func (readOption) option()                   {}
func (o readOption) applyRead(c *readConfig) { o(c) }

type sharedOption func(*common)

func (sharedOption) option()                     {}
func (o sharedOption) applyWrite(c *writeConfig) { o(&c.common) }
func (o sharedOption) applyRead(c *readConfig)   { o(&c.common) }
