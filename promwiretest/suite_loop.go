package promwiretest

import (
	"context"
	"errors"
	"fmt"

	"github.com/promwire/promwire"
)

// loopSuite is about loops that end early, are cancelled, or take their time.
var loopSuite = []suiteCheck{
	{"read/break", readBreak},
	{"read/cancelled", readCancelled},
	{"read/slow", readSlow},
}

// ladder makes 300 series.
func (s *suite) ladder() []promwire.TimeSeries {
	var all []promwire.TimeSeries
	for i := range 300 {
		all = append(all, s.series(name("i", fmt.Sprintf("%03d", i)), 1, 2, 3))
	}
	return all
}

// readBreak leaves many loops: what they hold has to be released.
func readBreak(s *suite) {
	all := s.ladder()
	s.write(all...)
	for i := range 200 {
		seen := 0
		for ts, err := range s.storage.Read(s.ctx, s.everything()) {
			if err != nil {
				s.fatal("Read %d: %v", i, err)
			}
			if seen++; seen > i%3 || !ts.Labels.Equal(all[0].Labels) {
				break
			}
		}
		if seen == 0 {
			s.fatal("Read %d yields nothing", i)
		}
	}
	s.wantRead("after 200 loops that were left", s.everything(), all...)
	next := s.series(name("i", "next"), 1)
	s.write(next)
}

func readCancelled(s *suite) {
	all := s.ladder()
	s.write(all...)
	ctx, cancel := context.WithCancel(s.ctx)
	cancel()
	got, err := collect(ctx, s.storage, s.everything())
	if !errors.Is(err, context.Canceled) {
		s.fail("Read with a cancelled context: %d series and the error %v, want one that wraps context.Canceled", len(got), err)
	}
	ctx, cancel = context.WithCancel(s.ctx)
	defer cancel()
	seen := 0
	err = nil
	for _, failed := range s.storage.Read(ctx, s.everything()) {
		if failed != nil {
			err = failed
			continue // a storage that goes on is counted
		}
		seen++
		cancel()
	}
	if !errors.Is(err, context.Canceled) {
		s.fail("Read cancelled at the first series: %d series and the error %v, want one that wraps context.Canceled", seen, err)
	}
	if seen >= len(all) {
		s.fail("Read cancelled at the first series goes on to the end")
	}
	s.wantRead("after cancelled reads", s.everything(), all...)
}

// readSlow writes while a loop waits, as a handler's does for a slow client.
func readSlow(s *suite) {
	all := s.ladder()
	s.write(all...)
	next := s.series(name("other", "1"), 1)
	wrote := false
	seen := 0
	for ts, err := range s.storage.Read(s.ctx, s.everything(promwire.Matcher{Type: promwire.MatchNotEqual, Name: "i"})) {
		if err != nil {
			s.fatal("Read: %v", err)
		}
		if !wrote {
			s.write(next) // blocks, if the loop holds what writes need
			wrote = true
		}
		if seen < len(all) && !ts.Labels.Equal(all[seen].Labels) {
			s.fatal("series %d is %s, want %s", seen, ts.Labels, all[seen].Labels)
		}
		seen++
	}
	if seen != len(all) {
		s.fail("%d series, want %d", seen, len(all))
	}
	s.wantRead("what was written within the loop", s.everything(promwire.Matcher{Name: "other", Value: "1"}), next)
}
