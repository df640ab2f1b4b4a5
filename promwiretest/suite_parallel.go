package promwiretest

import (
	"fmt"
	"sync"

	"github.com/promwire/promwire"
)

// parallelSuite is about use by several goroutines; the race detector sees more of it.
var parallelSuite = []suiteCheck{
	{"parallel/writers", parallelWriters},
	{"parallel/readers", parallelReaders},
}

// together runs n goroutines that begin at the same time.
func (s *suite) together(n int, f func(i int)) {
	var group sync.WaitGroup
	begin := make(chan struct{})
	for i := range n {
		group.Go(func() {
			defer s.recovered()
			<-begin
			f(i)
		})
	}
	close(begin)
	group.Wait()
}

// parallelSeries is what writer i writes in all of its rounds, one sample each to a series of its own and to one of
// many that are new.
func (s *suite) parallelSeries(i, round int) []promwire.TimeSeries {
	sample := []promwire.Sample{{Timestamp: s.at(round), Value: float64(i*1000 + round)}}
	return []promwire.TimeSeries{
		{Labels: name("i", fmt.Sprint(i), "kind", "old"), Samples: sample},
		{Labels: name("i", fmt.Sprint(i), "kind", "new", "round", fmt.Sprintf("%03d", round)), Samples: sample},
	}
}

const (
	parallel = 8
	rounds   = 40
)

func (s *suite) writeParallel(i int) {
	for round := range rounds {
		s.write(s.parallelSeries(i, round)...)
	}
}

// parallelWriters checks that nothing of what was acknowledged is lost.
func parallelWriters(s *suite) {
	s.together(parallel, s.writeParallel)
	var all []promwire.TimeSeries
	for i := range parallel {
		old := promwire.TimeSeries{}
		for round := range rounds {
			both := s.parallelSeries(i, round)
			old.Labels, old.Samples = both[0].Labels, append(old.Samples, both[0].Samples...)
			all = append(all, both[1])
		}
		all = append(all, old)
	}
	s.wantRead("after parallel writes", s.everything(), byLabels(all)...)
}

// parallelReaders reads while others write: what is there is right, and grows.
func parallelReaders(s *suite) {
	s.together(parallel, func(i int) {
		if i%2 == 0 {
			s.writeParallel(i)
			return
		}
		before := 0
		for range rounds {
			got, err := s.read(s.everything(promwire.Matcher{Name: "i", Value: fmt.Sprint(i - 1)}, promwire.Matcher{Name: "kind", Value: "old"}))
			if err != nil {
				s.fatal("Read while others write: %v", err)
			}
			if len(got) == 0 {
				continue
			}
			for round, sample := range got[0].Samples {
				if want := float64((i-1)*1000 + round); len(got) > 1 || sample.Timestamp != s.at(round) || sample.Value != want {
					s.fatal("Read while others write: sample %d of %d series is %v at %d, want %v at %d", round, len(got), sample.Value,
						sample.Timestamp, want, s.at(round))
				}
			}
			if n := len(got[0].Samples); n < before && s.settle == 0 {
				s.fatal("Read while others write: %d samples, where there were %d", n, before)
			} else {
				before = n
			}
		}
	})
}
