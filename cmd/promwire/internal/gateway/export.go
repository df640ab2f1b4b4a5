package gateway

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/promwire/promwire"
)

// exportReader reads what VictoriaMetrics exports: all raw samples, stale markers included, in an order of its own. Of
// several values of a series for one millisecond, one is yielded.
type exportReader struct{ engine *Engine }

// maxExportLine bounds a line of an export, in bytes. Blocks have 8,192 samples at most, and labels some 100 kB.
const maxExportLine = 4 << 20

// ExportPath is where VictoriaMetrics exports what it has: the end of an endpoint's URL, by which it is known.
const ExportPath = apiPrefix + "export"

// NewExportReader reads from the endpoint of an export. timeout bounds the time without progress, 0 for none; tempDir is
// for what does not fit into memory, "" for the system's.
func NewExportReader(endpoint string, c Connection, timeout time.Duration, tempDir string) (promwire.Reader, error) {
	base, found := strings.CutSuffix(endpoint, ExportPath)
	if _, err := ParseURL(endpoint); err != nil || !found {
		return nil, fmt.Errorf("want a URL such as http://127.0.0.1:8428%s, without ? and #", ExportPath)
	}
	e := &Engine{Endpoints: Endpoints{Kind: VictoriaMetrics, Query: base}, Link: NewLink(c), Timeout: timeout, TempDir: tempDir}
	return e.Reader()
}

// Read implements promwire.Reader. Samples are sorted before the first is yielded, in bounded memory.
func (r *exportReader) Read(ctx context.Context, q promwire.Query) iter.Seq2[promwire.TimeSeries, error] {
	return r.engine.sorted(q, func(c *collector) error { return r.fetch(ctx, q.Matchers, c) })
}

func (r *exportReader) fetch(ctx context.Context, matchers []promwire.Matcher, c *collector) error {
	matchers = append([]promwire.Matcher(nil), matchers...)
	if err := promwire.CompileMatchers(matchers); err != nil {
		return err
	}
	resp, err := r.engine.ask(ctx, "export", exportArgs(matchers, c.lo, c.hi))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(make([]byte, 64<<10), maxExportLine)
	var line exportLine
	for lines.Scan() {
		if err := line.parse(lines.Bytes()); err != nil {
			return err
		}
		if !promwire.MatchAll(line.labels, matchers) {
			continue // the engine was asked for more, see exportSelector
		}
		for i, v := range line.values {
			if err := c.add(line.labels, promwire.Sample{Timestamp: line.times[i], Value: v}); err != nil {
				return err
			}
		}
	}
	if err := lines.Err(); errors.Is(err, bufio.ErrTooLong) {
		return fmt.Errorf("%w: a line of the export has more than %d bytes", promwire.ErrTooLarge, maxExportLine)
	} else if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

// latest bounds the times that are asked for, in milliseconds: VictoriaMetrics takes larger numbers for another unit.
const latest = 1<<32*1000 - 10_000

// exportArgs asks for a millisecond more: as a floating point number, a time may lose one.
func exportArgs(matchers []promwire.Matcher, lo, hi int64) url.Values {
	seconds := func(ms int64) string {
		ms = min(max(ms, 1), latest)
		return strconv.FormatInt(ms/1000, 10) + fmt.Sprintf(".%03d", ms%1000)
	}
	return url.Values{
		"match[]": {exportSelector(matchers)}, "reduce_mem_usage": {"1"},
		"start": {seconds(lo)}, "end": {seconds(min(hi, latest) + 1)},
	}
}

// exportSelector returns a selector that VictoriaMetrics reads, of those matchers that it understands as they are meant:
// names that only newer versions can quote are left out, and so may be what demands a missing label.
func exportSelector(matchers []promwire.Matcher) string {
	sent := make([]promwire.Matcher, 0, len(matchers)+1)
	demands := false
	for i := range matchers {
		m := &matchers[i]
		if !promwire.ValidName(m.Name, promwire.LegacyNames, false) {
			continue
		}
		demands = demands || !m.Matches("")
		sent = append(sent, *m)
	}
	if !demands {
		sent = append(sent, promwire.Matcher{Type: promwire.MatchNotEqual, Name: promwire.MetricName})
	}
	return braces(sent)
}

// braces returns a selector without the metric name in front.
func braces(matchers []promwire.Matcher) string {
	text := "{"
	for i := range matchers {
		if i > 0 {
			text += ","
		}
		text += matchers[i].String()
	}
	return text + "}"
}
