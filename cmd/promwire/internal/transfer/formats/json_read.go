package formats

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/promwire/promwire"
)

// jsonLine is a line: a series, or a part of it, as VictoriaMetrics exports and imports them. Histograms, exemplars and
// metadata are of this project.
type jsonLine struct {
	Metric     jsonLabels             `json:"metric"`
	Values     jsonValues             `json:"values"`
	Timestamps jsonTimes              `json:"timestamps"`
	Histograms objects[jsonHistogram] `json:"histograms"`
	Exemplars  objects[jsonExemplar]  `json:"exemplars"`
	Type       string                 `json:"type"`
	Help       string                 `json:"help"`
	Unit       string                 `json:"unit"`
}

type jsonExemplar struct {
	Labels    jsonLabels `json:"labels"`
	Value     exact      `json:"value"`
	Timestamp int64      `json:"timestamp"`
}

var (
	errNothing = errors.New("there are neither values nor histograms")
	errLengths = errors.New("values and timestamps differ in number")
)

func (s *source) readJSON(in io.Reader) error {
	return s.eachLine(in, maxJSONLine, func(line []byte, number int) error {
		points, err := s.jsonPoints(line)
		if err != nil {
			return s.bad(number, line, err)
		}
		for i := range points {
			if err := s.sink.Point(&points[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

// jsonPoints reads a line. What is bad costs the whole line: a series of which a part is missing is not what it seems.
func (s *source) jsonPoints(text []byte) ([]Point, error) {
	var line jsonLine
	d, err := decodeLine(text, &line)
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		if quoted, changed := quoteSpecials(text); changed {
			text, line = quoted, jsonLine{}
			d, err = decodeLine(text, &line)
		}
	}
	if err != nil {
		return nil, err
	}
	if rest := bytes.TrimSpace(text[d.InputOffset():]); len(rest) > 0 {
		return nil, fmt.Errorf("there is more behind the object: %.40q", rest)
	}
	times := line.Timestamps
	if line.Values.times != nil && times == nil {
		times, line.Values.times = line.Values.times, nil
	}
	switch {
	case len(line.Values.values) != len(times) || line.Values.times != nil:
		return nil, fmt.Errorf("%w: %d and %d", errLengths, len(line.Values.values), len(times))
	case len(times)+len(line.Histograms) == 0:
		return nil, errNothing
	}
	ls, err := s.labels(line.Metric...)
	if err != nil {
		return nil, err
	}
	meta, err := line.metadata()
	if err != nil {
		return nil, err
	}
	points := make([]Point, 0, len(times)+len(line.Histograms))
	for i, v := range line.Values.values {
		points = append(points, Point{Labels: ls, Metadata: meta, Sample: promwire.Sample{Timestamp: times[i], Value: v}})
	}
	for i := range line.Histograms {
		j := &line.Histograms[i]
		if j.Timestamp == nil {
			return nil, fmt.Errorf("histogram %d has no timestamp", i)
		}
		h, err := j.histogram()
		if err != nil {
			return nil, err
		}
		points = append(points, Point{Labels: ls, Metadata: meta, Sample: promwire.Sample{Timestamp: h.Timestamp}, Histogram: h})
	}
	return points, attach(points, line.Exemplars)
}

func decodeLine(text []byte, line *jsonLine) (*json.Decoder, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	return d, d.Decode(line)
}

func (l *jsonLine) metadata() (promwire.Metadata, error) {
	m := promwire.Metadata{Help: l.Help, Unit: l.Unit}
	if l.Type == "" {
		return m, nil
	}
	for t := promwire.TypeUnknown; t <= promwire.TypeStateSet; t++ {
		if t.String() == l.Type {
			m.Type = t
			return m, nil
		}
	}
	return m, fmt.Errorf("type %.40q is unknown", l.Type)
}

// attach gives each exemplar to the first point that is not older, or to the last one: receivers take none alone.
func attach(points []Point, exemplars []jsonExemplar) error {
	if len(exemplars) == 0 {
		return nil
	}
	slices.SortStableFunc(points, func(a, b Point) int { return cmp.Compare(a.Sample.Timestamp, b.Sample.Timestamp) })
	slices.SortStableFunc(exemplars, func(a, b jsonExemplar) int { return cmp.Compare(a.Timestamp, b.Timestamp) })
	at := 0
	for _, e := range exemplars {
		ls, err := promwire.NewLabels(e.Labels...)
		if err != nil {
			return fmt.Errorf("exemplar: %w", err)
		}
		for at < len(points)-1 && points[at].Sample.Timestamp < e.Timestamp {
			at++
		}
		points[at].Exemplars = append(points[at].Exemplars, promwire.Exemplar{Labels: ls, Value: float64(e.Value), Timestamp: e.Timestamp})
	}
	return nil
}
