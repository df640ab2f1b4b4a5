package promquery

import (
	"fmt"
	"math"

	"github.com/go-analyze/charts"
	"github.com/prometheus/common/model"
)

// maxPlotted bounds the series of a chart in a file; more have no place in the legend.
const maxPlotted = 20

// Plot draws a range as an SVG or PNG image, 1000 by 500 points. It returns what it has left out.
func Plot(r *Request, v model.Value, format string) (image []byte, left string, err error) {
	g, err := newGrid(r, v, maxPlotted)
	if err != nil {
		return nil, "", err
	}
	p := charts.NewPainter(charts.PainterOptions{OutputFormat: format, Width: 1000, Height: 500})
	if err := p.LineChart(g.lineChart(r.Expr)); err != nil {
		return nil, "", fmt.Errorf("chart: %w", err)
	}
	image, err = p.Bytes()
	return image, g.left, err
}

func (g *grid) lineChart(title string) charts.LineChartOption {
	const longest = 80 // characters of a line of text
	rows := make([][]float64, len(g.rows))
	for i, row := range g.rows {
		rows[i] = make([]float64, len(row))
		for j, v := range row {
			rows[i][j] = v
			if math.IsNaN(v) {
				rows[i][j] = charts.GetNullValue()
			}
		}
	}
	opt := charts.NewLineChartOptionWithData(rows)
	opt.Title.Text = shorten(title, longest)
	opt.Title.FontStyle.FontSize = 12
	names := make([]string, len(g.names))
	for i, name := range g.names {
		names[i] = shorten(name, longest)
	}
	opt.Legend = charts.LegendOption{SeriesNames: names, Offset: charts.OffsetStr{Left: charts.PositionLeft, Top: "25"}}
	n := len(rows[0])
	opt.XAxis.Labels = make([]string, n)
	for i := range n {
		opt.XAxis.Labels[i] = g.timeAt(float64(i) / float64(max(n-1, 1)))
	}
	opt.XAxis.LabelCount = min(n, 9)
	opt.Symbol = charts.Symbol{Shape: charts.SymbolNone}
	if n == 1 {
		opt.Symbol = charts.Symbol{Shape: charts.SymbolCircle}
	}
	opt.LineStrokeWidth = 1.5
	opt.ValueFormatter = number
	return opt
}

// shorten cuts a text in the middle.
func shorten(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return string(r[:n/2]) + "…" + string(r[len(r)-n/2+1:])
}
