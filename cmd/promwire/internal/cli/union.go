package cli

import (
	"iter"

	"github.com/promwire/promwire"
)

// union merges sequences that are each in label order. Of series that several sequences hold, the first one's is
// yielded, with all its parts.
func union(parts []iter.Seq2[promwire.TimeSeries, error]) iter.Seq2[promwire.TimeSeries, error] {
	return func(yield func(promwire.TimeSeries, error) bool) {
		sources := make([]*source, len(parts))
		for i, p := range parts {
			s := &source{}
			s.pull, s.stop = iter.Pull2(p)
			defer s.stop()
			sources[i] = s
		}
		var last promwire.Labels // what was yielded last
		var owner *source        // and of whom
		for {
			for _, s := range sources {
				s.advance(func(ls promwire.Labels) bool { return s != owner && last != nil && ls.Equal(last) })
			}
			s := first(sources)
			if s == nil {
				return
			}
			if s.err != nil {
				yield(promwire.TimeSeries{}, s.err)
				return
			}
			if !s.series.Labels.Equal(last) {
				last, owner = s.series.Labels.Clone(), s
			}
			if s.ready = false; !yield(s.series, nil) {
				return
			}
		}
	}
}

// source is a sequence and the part of it that is next.
type source struct {
	pull   func() (promwire.TimeSeries, error, bool)
	stop   func()
	series promwire.TimeSeries
	err    error
	ready  bool // series or err are next
	ended  bool
}

// advance takes the next part, past those to skip.
func (s *source) advance(skip func(promwire.Labels) bool) {
	for !s.ended && (!s.ready || s.err == nil && skip(s.series.Labels)) {
		series, err, more := s.pull()
		s.series, s.err, s.ready, s.ended = series, err, more, !more
	}
}

// first returns the source whose part is next, or one that failed; nil if all have ended.
func first(sources []*source) *source {
	var least *source
	for _, s := range sources {
		switch {
		case s.ended:
		case s.err != nil:
			return s
		case least == nil || s.series.Labels.Compare(least.series.Labels) < 0:
			least = s
		}
	}
	return least
}
