package formats

import (
	"io"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/transfer/series"
)

// readSeries reads the series notation of promtool's unit tests, a series per line: up{job="a"} 1 2 3+1x5 _ stale
func (s *source) readSeries(in io.Reader) error {
	return s.eachLine(in, maxLine, func(line []byte, number int) error {
		if line[0] == '#' {
			return nil
		}
		found, err := series.Parse(string(line))
		if err != nil {
			return s.bad(number, line, err)
		}
		ls, err := s.labels(found.Labels...)
		if err != nil {
			return s.bad(number, line, err)
		}
		for i := range found.Values {
			v := &found.Values[i]
			if v.Omitted {
				continue
			}
			p := Point{Labels: ls, Sample: promwire.Sample{Timestamp: s.Start + int64(i)*s.Interval, Value: v.Value}, Histogram: v.Histogram}
			if err := s.sink.Point(&p); err != nil {
				return err
			}
		}
		return nil
	})
}
