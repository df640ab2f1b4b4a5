package order

import (
	"cmp"
	"slices"
	"strings"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/transfer/formats"
)

// chunk holds the points that are in memory.
type chunk struct {
	windows windowOf
	index   map[string]int32 // series by their labels
	series  []series
	points  []point
	extras  []extra
	key     []byte
	bytes   int
}

type series struct {
	labels   promwire.Labels
	metadata promwire.Metadata
	rank     int32 // in the order of labels, once that is known
}

// point is kept small: there are many.
type point struct {
	time, start int64
	value       float64
	series      int32
	number      int32 // in the order of arrival
	extra       int32 // of a point that has one, -1 otherwise
}

// extra is what few points have.
type extra struct {
	histogram *promwire.Histogram
	exemplars []promwire.Exemplar
}

// The memory that things take, roughly.
const (
	pointBytes  = 60 // slices grow ahead
	seriesBytes = 250
	extraBytes  = 400
)

func (s *Sorter) newChunk() chunk {
	return chunk{windows: s.options.windowOf(), index: map[string]int32{}}
}

func (c *chunk) add(p *formats.Point) {
	at := point{
		time: p.Sample.Timestamp, start: p.Sample.StartTimestamp, value: p.Sample.Value,
		series: c.find(p), number: int32(len(c.points)), extra: -1,
	}
	c.bytes += pointBytes
	if p.Histogram != nil || len(p.Exemplars) > 0 {
		at.extra = int32(len(c.extras))
		c.extras = append(c.extras, extra{p.Histogram, p.Exemplars})
		c.bytes += extraBytes
		if h := p.Histogram; h != nil {
			c.bytes += 8 * (len(h.PositiveDeltas) + len(h.NegativeDeltas) + len(h.PositiveCounts) + len(h.NegativeCounts) +
				len(h.PositiveSpans) + len(h.NegativeSpans) + len(h.CustomValues))
		}
		for _, e := range p.Exemplars {
			c.bytes += extraBytes + textBytes(e.Labels)
		}
	}
	c.points = append(c.points, at)
}

func (c *chunk) find(p *formats.Point) int32 {
	c.key = c.key[:0]
	for i := range p.Labels {
		l := &p.Labels[i]
		c.key = append(append(append(append(c.key, l.Name...), 0xff), l.Value...), 0xff) // labels are UTF-8
	}
	at, known := c.index[string(c.key)]
	if !known {
		at = int32(len(c.series))
		c.series = append(c.series, series{labels: p.Labels.Clone(), metadata: promwire.Metadata{}})
		c.index[string(c.key)] = at
		c.bytes += seriesBytes + 2*textBytes(p.Labels)
	}
	if m := p.Metadata; m != (promwire.Metadata{}) && m != c.series[at].metadata {
		c.series[at].metadata = promwire.Metadata{Type: m.Type, Help: strings.Clone(m.Help), Unit: strings.Clone(m.Unit)}
		c.bytes += len(m.Help) + len(m.Unit)
	}
	return at
}

func textBytes(ls promwire.Labels) int {
	n := 0
	for i := range ls {
		n += len(ls[i].Name) + len(ls[i].Value) + 32
	}
	return n
}

// cursor sorts the points, and yields them.
func (c *chunk) cursor() cursor {
	byLabels := make([]int32, len(c.series))
	for i := range byLabels {
		byLabels[i] = int32(i)
	}
	slices.SortFunc(byLabels, func(a, b int32) int { return c.series[a].labels.Compare(c.series[b].labels) })
	for rank, i := range byLabels {
		c.series[i].rank = int32(rank)
	}
	slices.SortFunc(c.points, func(a, b point) int {
		if a.series != b.series {
			if n := cmp.Compare(c.windows(a.time), c.windows(b.time)); n != 0 {
				return n
			}
			return cmp.Compare(c.series[a.series].rank, c.series[b.series].rank)
		}
		if n := cmp.Compare(a.time, b.time); n != 0 {
			return n
		}
		return cmp.Or(cmp.Compare(c.kind(&a), c.kind(&b)), cmp.Compare(a.number, b.number))
	})
	return &chunkCursor{chunk: c}
}

// kind puts samples before histograms of the same time.
func (c *chunk) kind(p *point) int {
	if p.extra >= 0 && c.extras[p.extra].histogram != nil {
		return 1
	}
	return 0
}

type chunkCursor struct {
	*chunk
	at int
	item
}

func (c *chunkCursor) next() (*item, error) {
	if c.at == len(c.points) {
		return nil, nil
	}
	p := &c.points[c.at]
	c.at++
	s := &c.series[p.series]
	c.item = item{
		window: c.windows(p.time), labels: s.labels, metadata: s.metadata,
		sample: promwire.Sample{Timestamp: p.time, StartTimestamp: p.start, Value: p.value},
	}
	if p.extra >= 0 {
		c.histogram, c.exemplars = c.extras[p.extra].histogram, c.extras[p.extra].exemplars
	}
	return &c.item, nil
}
