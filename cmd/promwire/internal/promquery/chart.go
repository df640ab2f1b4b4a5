package promquery

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/guptarohit/asciigraph"
	"github.com/prometheus/common/model"
)

// maxLines bounds the series of a chart in a terminal.
const maxLines = 8

// Terminal is what a chart is for.
type Terminal struct {
	Width, Height int // characters, of all of it and of the lines; 0: 80 and 15
	Color         bool
}

// marks draw the series, without colors.
var marks = []string{"*", "+", "o", "x", "#", "=", "%", "@"}

var colors = []asciigraph.AnsiColor{
	asciigraph.Blue, asciigraph.Orange, asciigraph.Green, asciigraph.Red, asciigraph.Purple, asciigraph.Brown, asciigraph.Magenta, asciigraph.Gray,
}

// WriteChart draws a range for a terminal, at most eight series. It returns what it has left out.
func WriteChart(out io.Writer, r *Request, v model.Value, t Terminal) (left string, err error) {
	g, err := newGrid(r, v, maxLines)
	if err != nil {
		return "", err
	}
	height, label := t.Height, 0
	if height <= 0 {
		height = 15
	}
	for _, y := range []float64{0, 0.25, 0.5, 0.75, 1} {
		label = max(label, utf8.RuneCountInString(number(g.value(y))))
	}
	width := t.Width
	if width <= 0 {
		width = 80
	}
	opts := []asciigraph.Option{
		asciigraph.Height(height), asciigraph.Width(max(width-label-8, 10)),
		asciigraph.YAxisValueFormatter(func(y float64) string { return number(g.value(y)) }),
		asciigraph.XAxisRange(0, 1), asciigraph.XAxisTickCount(max(2, min(5, width/16))),
		asciigraph.XAxisValueFormatter(g.timeAt),
	}
	if t.Color {
		opts = append(opts, asciigraph.SeriesColors(colors[:len(g.rows)]...))
	} else if len(g.rows) > 1 {
		opts = append(opts, asciigraph.SeriesChars(charSets(len(g.rows))...))
	}
	if _, err := fmt.Fprintln(out, asciigraph.PlotMany(g.unit(), opts...)); err != nil {
		return "", err
	}
	return g.left, g.legend(out, t.Color)
}

func charSets(n int) []asciigraph.CharSet {
	sets := make([]asciigraph.CharSet, n)
	for i := range sets {
		sets[i] = asciigraph.CreateCharSet(marks[i])
	}
	return sets
}

// legend names the series, by color or mark.
func (g *grid) legend(out io.Writer, color bool) error {
	var b strings.Builder
	for i, name := range g.names {
		mark := marks[i]
		switch {
		case color:
			mark = colors[i].String() + "■" + asciigraph.Default.String()
		case len(g.names) == 1:
			mark = "─"
		}
		fmt.Fprintf(&b, "%s %s\n", mark, name)
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// unit scales all rows to 0..1: the library counts in whole multiples of the range, which overflow if it is small.
func (g *grid) unit() [][]float64 {
	out := make([][]float64, len(g.rows))
	for i, row := range g.rows {
		out[i] = make([]float64, len(row))
		for j, v := range row {
			out[i][j] = v - v // NaN stays
			if g.max > g.min {
				out[i][j] = (v/2 - g.min/2) / (g.max/2 - g.min/2)
			}
		}
	}
	return out
}

// value is what a place between 0 and 1 stands for.
func (g *grid) value(y float64) float64 {
	if g.max == g.min {
		return g.min
	}
	return g.min*(1-y) + g.max*y
}

// timeAt formats the time at a place between 0 and 1.
func (g *grid) timeAt(x float64) string {
	return g.start.Add(time.Duration(x * float64(g.end.Sub(g.start)))).UTC().Format(g.layout())
}

// number formats a value in few characters.
func number(v float64) string {
	if a := math.Abs(v); a < 1e-12 && a > 0 {
		return strconv.FormatFloat(v, 'e', 2, 64)
	}
	return strconv.FormatFloat(v, 'g', 5, 64)
}
