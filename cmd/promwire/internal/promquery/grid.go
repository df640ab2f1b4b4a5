package promquery

import (
	"fmt"
	"math"
	"time"

	"github.com/prometheus/common/model"
)

// grid are the numbers of a range as charts take them: a row per series, with NaN where there is no number.
type grid struct {
	names      []string
	rows       [][]float64
	min, max   float64
	start, end time.Time
	step       time.Duration
	left       string // what is not drawn; "" if all is
}

// newGrid takes the first max series that have numbers. It fails if there are none.
func newGrid(r *Request, v model.Value, most int) (*grid, error) {
	m, ok := v.(model.Matrix)
	if !ok {
		return nil, fmt.Errorf("a chart needs a range of numbers, this is a %s", v.Type())
	}
	g := &grid{min: math.Inf(1), max: math.Inf(-1), start: r.Start, end: r.End, step: r.Step}
	more, histograms := 0, 0
	for _, s := range m {
		row, any := g.row(s, r.Points())
		switch {
		case !any && len(s.Histograms) > 0:
			histograms++
		case !any:
		case len(g.rows) == most:
			more++
		default:
			g.names, g.rows = append(g.names, s.Metric.String()), append(g.rows, row)
		}
	}
	if more > 0 {
		g.left = fmt.Sprintf("%d more series are not drawn: topk or sum leave fewer", more)
	} else if histograms > 0 {
		g.left = fmt.Sprintf("%d series of native histograms are not drawn: histogram_quantile makes numbers of them", histograms)
	}
	if len(g.rows) == 0 {
		return nil, fmt.Errorf("there are no numbers to draw%s", map[bool]string{true: ": " + g.left}[g.left != ""])
	}
	return g, nil
}

// row places the finite values of a series; any is false if it has none.
func (g *grid) row(s *model.SampleStream, n int) (row []float64, any bool) {
	row = make([]float64, n)
	for i := range row {
		row[i] = math.NaN()
	}
	for _, p := range s.Values {
		v := float64(p.Value)
		i := int(math.Round(float64(p.Timestamp.Time().Sub(g.start)) / float64(g.step)))
		if i < 0 || i >= n || math.IsNaN(v) || math.IsInf(v, 0) {
			continue
		}
		row[i], any = v, true
		g.min, g.max = math.Min(g.min, v), math.Max(g.max, v)
	}
	return row, any
}

// layout is the shortest form of times that tells them apart.
func (g *grid) layout() string {
	switch span := g.end.Sub(g.start); {
	case span < 10*time.Minute:
		return "15:04:05"
	case span < 24*time.Hour:
		return "15:04"
	case span < 4*24*time.Hour:
		return "Jan 2 15:04"
	default:
		return "2006-01-02"
	}
}
