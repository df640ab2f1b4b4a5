package promwiretest

import (
	"errors"
	"slices"

	"github.com/promwire/promwire"
)

// refusalSuite is about what is not taken.
var refusalSuite = []suiteCheck{
	{"write/other-value", otherValue},
	{"write/late", late},
	{"write/partial", partial},
	{"write/partial/memory", partialMemory},
}

// honest checks that counts and error say the same, and that each item that is not counted is named.
func (s *suite) honest(req *promwire.WriteRequest, stats promwire.WriteStats, err error) []promwire.Refusal {
	sent := req.Stats()
	if err == nil {
		if stats != sent {
			s.fail("Write returns no error and counts %s of %s", counts(stats), counts(sent))
		}
		return nil
	}
	var refusal *promwire.PartialWriteError
	if !errors.As(err, &refusal) {
		s.fatal("Write returns %v, which is no *PartialWriteError", err)
	}
	if promwire.Retryable(err) {
		s.fail("%v calls itself retryable", err)
	}
	if refusal.Written != stats {
		s.fail("Write returns counts of %s, and in its error of %s", counts(stats), counts(refusal.Written))
	}
	missing := sent.Samples + sent.Histograms + sent.Exemplars - stats.Samples - stats.Histograms - stats.Exemplars
	if len(refusal.Refused) != missing {
		s.fail("Write counts %s of %s, and names %d refused items", counts(stats), counts(sent), len(refusal.Refused))
	}
	for _, r := range refusal.Refused {
		s.named(req, r)
	}
	return refusal.Refused
}

// named checks one refusal.
func (s *suite) named(req *promwire.WriteRequest, r promwire.Refusal) {
	if r.Series < 0 || r.Series >= len(req.Timeseries) {
		s.fail("a refusal names series %d of %d", r.Series, len(req.Timeseries))
		return
	}
	ts := &req.Timeseries[r.Series]
	if !r.Labels.Equal(ts.Labels) {
		s.fail("the refusal of series %d has the labels %s, want %s", r.Series, r.Labels, ts.Labels)
	}
	if !hasTime(ts, r.Timestamp) {
		s.fail("the refusal of series %d has the time %d, which no item of it has", r.Series, r.Timestamp)
	}
	if promwire.Reason(r.Reason) == nil {
		s.fail("the refusal of %s at %d has the reason %v, want one that wraps a reason of package promwire", r.Labels, r.Timestamp, r.Reason)
	}
}

func hasTime(ts *promwire.TimeSeries, timestamp int64) bool {
	for _, x := range ts.Samples {
		if x.Timestamp == timestamp {
			return true
		}
	}
	for i := range ts.Histograms {
		if ts.Histograms[i].Timestamp == timestamp {
			return true
		}
	}
	for _, x := range ts.Exemplars {
		if x.Timestamp == timestamp {
			return true
		}
	}
	return false
}

// otherValue sends a second value for the newest time.
func otherValue(s *suite) {
	first := s.series(name(), 1, 2)
	s.write(first)
	second := promwire.TimeSeries{Labels: first.Labels, Samples: []promwire.Sample{{Timestamp: s.at(1), Value: 3}}}
	req := request(second)
	stats, err := s.storage.Write(s.ctx, req.Clone())
	refused := s.honest(req, stats, err)
	if s.overwrites {
		if len(refused) > 0 {
			s.fail("a second value is refused: %v", err)
		}
		first.Samples[1].Value = 3
		s.wantRead("after a second value for a time", s.everything(), first)
		return
	}
	if len(refused) == 0 {
		s.fail("a second value for a time counts as written; one of the two is lost without a word (see WithOverwrite)")
	}
	for _, r := range refused {
		if !errors.Is(r.Reason, promwire.ErrDuplicateTimestamp) {
			s.fail("a second value is refused with %v, want ErrDuplicateTimestamp", r.Reason)
		}
	}
	s.wantRead("after a second value was refused", s.everything(), first)
}

// late sends a sample older than the newest one.
func late(s *suite) {
	whole := s.series(name(), 1, 2, 3)
	newer, older := whole, whole
	newer.Samples = []promwire.Sample{whole.Samples[0], whole.Samples[2]}
	older.Samples = whole.Samples[1:2]
	s.write(newer)
	req := request(older)
	stats, err := s.storage.Write(s.ctx, req.Clone())
	refused := s.honest(req, stats, err)
	switch {
	case s.orderGiven && s.order == TakeOlder && len(refused) > 0:
		s.fail("a late sample is refused: %v", err)
	case s.orderGiven && s.order == RefuseOlder && len(refused) == 0:
		s.fail("a late sample is taken")
	}
	if len(refused) == 0 {
		s.wantRead("after a late sample was taken", s.everything(), whole)
		return
	}
	if !slices.Contains([]error{promwire.ErrOutOfOrder, promwire.ErrTooOld, promwire.ErrOutOfBounds}, promwire.Reason(refused[0].Reason)) {
		s.fail("a late sample is refused with %v, want ErrOutOfOrder, ErrTooOld or ErrOutOfBounds", refused[0].Reason)
	}
	s.wantRead("after a late sample was refused", s.everything(), newer)
}

// mixed is a request for series that have a sample at 0 and at 10: five good samples, and three that are refused.
func (s *suite) mixed() (req *promwire.WriteRequest, before, after []promwire.TimeSeries) {
	at := func(i int, samples ...promwire.Sample) promwire.TimeSeries {
		return promwire.TimeSeries{Labels: name("i", string(rune('a'+i))), Samples: samples}
	}
	first := func(i int) []promwire.Sample {
		return []promwire.Sample{{Timestamp: s.at(0), Value: 1}, {Timestamp: s.at(10), Value: float64(i)}}
	}
	bad, good := promwire.Sample{Timestamp: s.at(10), Value: -1}, promwire.Sample{Timestamp: s.at(20), Value: 5}
	next := promwire.Sample{Timestamp: s.at(30), Value: 6}
	req = request(at(0, good), at(1, bad, good), at(2, bad), at(3, good, next), at(4, bad, good))
	for i := range req.Timeseries {
		before = append(before, at(i, first(i)...))
	}
	after = []promwire.TimeSeries{
		at(0, append(first(0), good)...), at(1, append(first(1), good)...), before[2], at(3, append(first(3), good, next)...),
		at(4, append(first(4), good)...),
	}
	return req, before, after
}

// refusing reports whether there is a kind of sample that every request may count on being refused.
func (s *suite) refusing() bool { return !s.overwrites }

func partial(s *suite) {
	if !s.refusing() {
		return // nothing that is well-formed is refused
	}
	req, before, after := s.mixed()
	s.write(before...)
	stats, err := s.storage.Write(s.ctx, req.Clone())
	refused := s.honest(req, stats, err)
	if stats.Samples != 5 || len(refused) != 3 {
		s.fatal("of five good and three bad samples, %d were written and %d refused: %v", stats.Samples, len(refused), err)
	}
	seen := map[int]bool{}
	for _, r := range refused {
		seen[r.Series] = true
		if r.Timestamp != s.at(10) {
			s.fail("the refusal of %s is for %d, want %d", r.Labels, r.Timestamp, s.at(10))
		}
	}
	for _, i := range []int{1, 2, 4} {
		if !seen[i] {
			s.fail("the bad sample of series %d is not named", i)
		}
	}
	s.wantRead("after a partial write", s.everything(), after...)
}

// partialMemory looks at refusals after the request's memory was used again.
func partialMemory(s *suite) {
	if !s.refusing() {
		return
	}
	req, before, _ := s.mixed()
	s.write(before...)
	mine, scribble := borrowed(req)
	stats, err := s.storage.Write(s.ctx, mine)
	scribble()
	s.honest(req, stats, err)
}
