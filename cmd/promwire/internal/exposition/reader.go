package exposition

import (
	"errors"
	"fmt"
	"mime"
	"slices"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/promwire/promwire"
)

// Format is a form of exposition.
type Format int

// The formats.
const (
	Text Format = iota + 1
	OpenMetrics
	Protobuf
)

// ErrFormat says that a content type is none of the formats.
var ErrFormat = errors.New("not a known exposition format")

// FormatOf returns the format of a content type, or fallback (if it is not 0) for those that are missing or unknown.
func FormatOf(contentType string, fallback Format) (Format, error) {
	media, params, err := mime.ParseMediaType(contentType)
	switch {
	case err == nil && media == "text/plain":
		return Text, nil
	case err == nil && media == "application/openmetrics-text" && params["version"] != "2.0.0":
		return OpenMetrics, nil
	case err == nil && media == "application/vnd.google.protobuf":
		return Protobuf, nil
	case fallback != 0:
		return fallback, nil
	default:
		return 0, fmt.Errorf("content type %.100q: %w", contentType, ErrFormat)
	}
}

// DefaultMaxPoints is the default of Options.MaxPoints.
const DefaultMaxPoints = 1_000_000

// Options say how to read.
type Options struct {
	// NoNative leaves native histograms out; OnlyNative leaves out the classic form of histograms that have a native one.
	NoNative, OnlyNative bool
	// MaxPoints bounds the samples of one exposition, and with them what it takes in memory (about 150 bytes each). An
	// exposition with more fails with promwire.ErrTooLarge. DefaultMaxPoints if 0.
	MaxPoints int
	// Extended takes values that the text formats don't have: see FormatSpecial.
	Extended bool
}

// Reader reads the expositions of one target, one after the other. It is not safe for concurrent use.
type Reader struct {
	opts     Options
	tooMany  error
	format   Format
	lines    map[string]*line
	families map[string]*Family
	starts   map[string]*starts
	names    map[string]string // of labels, each kept once
	symbols  *labels.SymbolTable

	round  uint64
	last   *line // the line read last: what followed it before comes first
	family *Family
	result Result
	doc    []byte // for the library: a line and what it needs to know about it
	number int    // of lines read in this round

	keyBytes int // of the lines that are remembered
}

// NewReader returns a Reader.
func NewReader(opts Options) *Reader {
	if opts.MaxPoints <= 0 {
		opts.MaxPoints = DefaultMaxPoints
	}
	r := &Reader{opts: opts, tooMany: fmt.Errorf("%w: more than %d samples", promwire.ErrTooLarge, opts.MaxPoints)}
	r.Forget()
	return r
}

// Forget drops everything that the reader remembers.
func (r *Reader) Forget() {
	r.lines, r.families, r.starts = map[string]*line{}, map[string]*Family{}, map[string]*starts{}
	r.names, r.symbols = map[string]string{}, labels.NewSymbolTable()
	r.last, r.keyBytes = nil, 0
}

// Known returns the number of lines that the reader remembers, and how many the last exposition had.
func (r *Reader) Known() (remembered, had int) { return len(r.lines), r.number }

// Read reads a body. An error says that nothing of it can be used: an OpenMetrics text that does not end as it must, a
// protobuf body that is cut off. Lines that are bad are in the result. The body is not kept.
func (r *Reader) Read(body []byte, format Format) (*Result, error) {
	if format != r.format {
		r.Forget()
		r.format = format
	}
	r.round++
	r.number, r.family, r.last = 0, nil, nil
	before := r.result.Points
	r.result = Result{Points: before[:0], Bad: r.result.Bad[:0]}
	defer func() { // what is left of the last exposition keeps nothing alive
		if n := len(r.result.Points); n < len(before) {
			clear(before[n:])
		}
	}()
	var err error
	if format == Protobuf {
		err = r.protobuf(body)
	} else {
		err = r.text(body)
	}
	if err != nil {
		return &r.result, err
	}
	r.setStarts()
	return &r.result, nil
}

// setStarts gives the points the start timestamps that _created lines told.
func (r *Reader) setStarts() {
	for i := range r.result.Points {
		p := &r.result.Points[i]
		if s := p.Series.starts; s != nil && s.round == r.round && !p.Series.created {
			p.Start = s.at
		}
	}
}

// declared returns the family of a name, as this exposition declares it.
func (r *Reader) declared(name string) *Family {
	f := r.families[name]
	if f == nil {
		f = &Family{Name: name}
		r.families[name] = f
	}
	if f.round != r.round {
		f.round, f.Metadata = r.round, promwire.Metadata{}
	}
	return f
}

// newLabels takes labels over from the library.
func (r *Reader) newLabels(ls labels.Labels) (promwire.Labels, error) {
	out := make(promwire.Labels, 0, ls.Len())
	ls.Range(func(l labels.Label) { out = append(out, promwire.Label{Name: r.name(l.Name), Value: l.Value}) })
	for i := 1; i < len(out); i++ {
		if out[i].Name == out[i-1].Name {
			return nil, fmt.Errorf("%w: %q", promwire.ErrDuplicateLabel, out[i].Name)
		}
	}
	out = slices.Clip(out)
	values := make(promwire.Labels, len(out)) // a copy of the values: the library's share memory with more
	for i := range out {
		values[i].Value = out[i].Value
	}
	for i, v := range values.Clone() {
		out[i].Value = v.Value
	}
	return out, nil
}

// name returns a copy of a label's name that all series share.
func (r *Reader) name(s string) string {
	if kept, ok := r.names[s]; ok {
		return kept
	}
	kept := string([]byte(s))
	r.names[kept] = kept
	return kept
}
