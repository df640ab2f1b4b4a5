package gateway

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/url"
	"strconv"
	"time"

	"github.com/promwire/promwire"
)

// rangeReader reads by queries for ranges, SELECTOR[DURATION], which give raw samples: from Thanos' Query, which has no
// remote read. Such queries show no stale markers, and native histograms in a form from which they can't be made again:
// a read that meets one fails.
type rangeReader struct{ engine *Engine }

const (
	// firstWindow is how much time is asked for at once, in milliseconds; more, up to maxWindow, where there is little.
	firstWindow = 2 * 3_600_000
	maxWindow   = 48 * 3_600_000
	// fewSamples and manySamples of an answer make the next window twice or half as long.
	fewSamples, manySamples = 100_000, 1_000_000
	// minWindow is the shortest window.
	minWindow = 600_000
)

// Read implements promwire.Reader. Samples are sorted before the first is yielded, in bounded memory.
func (r *rangeReader) Read(ctx context.Context, q promwire.Query) iter.Seq2[promwire.TimeSeries, error] {
	return r.engine.sorted(q, func(c *collector) error { return r.fetch(ctx, q.Matchers, c) })
}

func (r *rangeReader) fetch(ctx context.Context, matchers []promwire.Matcher, c *collector) error {
	lo, hi, err := r.stored(ctx)
	if err != nil {
		return err
	}
	from, to := max(c.lo, lo)-1, min(c.hi, hi)
	selector, window := rangeSelector(matchers), int64(firstWindow)
	for from < to {
		window = min(window, to-from)
		n, err := r.window(ctx, selector, from+window, window, c)
		if errors.Is(err, promwire.ErrTooLarge) && window > minWindow && c.sorter.Len() < maxPoints {
			window = max(window/2, minWindow)
			continue // what has come of it comes again, and counts once
		}
		if err != nil {
			return err
		}
		from += window
		switch {
		case n > manySamples:
			window = max(window/2, minWindow)
		case n < fewSamples:
			window = min(window*2, maxWindow)
		}
	}
	return nil
}

// window adds the samples of (end-length, end], and returns how many there are.
func (r *rangeReader) window(ctx context.Context, selector string, end, length int64, c *collector) (int, error) {
	resp, err := r.engine.ask(ctx, "query", url.Values{
		"query": {fmt.Sprintf("%s[%dms]", selector, length)}, "time": {strconv.FormatFloat(float64(end)/1000, 'f', 3, 64)},
		"dedup": {"true"}, "partial_response": {"false"}, "max_source_resolution": {"0s"},
	})
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	n := 0
	err = matrix(resp.Body, func(ls promwire.Labels, s promwire.Sample) error {
		n++
		return c.add(ls, s) // also what is at the begin of the range, for engines before Prometheus 3: once more
	})
	return n, err
}

// farFuture is how far beyond now samples are looked for.
const farFuture = 24 * time.Hour

// stored returns the first and last time for which there may be samples, in milliseconds.
func (r *rangeReader) stored(ctx context.Context) (lo, hi int64, err error) {
	hi = time.Now().Add(farFuture).UnixMilli()
	stores, err := r.engine.stores(ctx)
	if err != nil {
		return 0, 0, err
	}
	lo = hi
	for _, s := range stores {
		lo = min(lo, s.MinTime)
	}
	return max(lo, 1), hi, nil
}

// rangeSelector returns the matchers as PromQL, which demands that one of them asks for something.
func rangeSelector(matchers []promwire.Matcher) string {
	matchers = append([]promwire.Matcher(nil), matchers...)
	for i := range matchers {
		if matchers[i].Compile() == nil && !matchers[i].Matches("") {
			return braces(matchers)
		}
	}
	return braces(append(matchers, promwire.Matcher{Type: promwire.MatchNotEqual, Name: promwire.MetricName}))
}
