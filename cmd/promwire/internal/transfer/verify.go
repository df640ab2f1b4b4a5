package transfer

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"math"
	"regexp"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/transfer/formats"
	"github.com/promwire/promwire/cmd/promwire/internal/transfer/tally"
	"github.com/promwire/promwire/internal/same"
)

// Verifier compares what is stored with what was sent, value by value. Exemplars, metadata and start timestamps are not
// compared: remote read has none.
type Verifier struct {
	Reader promwire.Reader
	// Wait is how long, from the first time on, what is not there is looked for again: some servers show new data after
	// seconds. 0 is not at all.
	Wait time.Duration
	// Tolerance is by how much, relatively, a value may differ: some servers do not keep all digits. 0: not by a bit.
	Tolerance float64
	// Compared is told how many points were compared, or nil.
	Compared func(n int)

	// Missing counts what is not there, or is there with another value.
	Missing tally.Tally
	// Points is how many were compared.
	Points int64

	wanted map[string]*promwire.TimeSeries
	points int
	names  []string
	shared promwire.Labels // labels that all series have in common
	until  time.Time       // nothing is waited for any more; zero before something was
}

// A query is for this many points and names at most.
const (
	verifyPoints = 20_000
	verifyNames  = 20
)

// Verify reads all of these parts back. The error says that the reading failed.
func (v *Verifier) Verify(ctx context.Context, parts iter.Seq2[promwire.TimeSeries, error]) error {
	v.reset()
	for part, err := range parts {
		if err != nil {
			return err
		}
		v.add(&part)
		if v.points >= verifyPoints || len(v.names) >= verifyNames {
			if err := v.check(ctx); err != nil {
				return err
			}
		}
	}
	return v.check(ctx)
}

func (v *Verifier) reset() {
	v.wanted, v.points, v.names, v.shared = map[string]*promwire.TimeSeries{}, 0, v.names[:0], nil
}

func (v *Verifier) add(part *promwire.TimeSeries) {
	key := part.Labels.String()
	ts := v.wanted[key]
	if ts == nil {
		ts = &promwire.TimeSeries{Labels: part.Labels.Clone()}
		if len(v.wanted) == 0 {
			v.shared = ts.Labels.Clone()
		}
		v.wanted[key] = ts
		v.shared = slices.DeleteFunc(v.shared, func(l promwire.Label) bool { return ts.Labels.Get(l.Name) != l.Value })
		if name := ts.Labels.Get(promwire.MetricName); !slices.Contains(v.names, name) {
			v.names = append(v.names, name)
		}
	}
	ts.Samples = append(ts.Samples, part.Samples...)
	for i := range part.Histograms {
		ts.Histograms = append(ts.Histograms, part.Histograms[i].Clone())
	}
	v.points += len(part.Samples) + len(part.Histograms)
}

// query selects the wanted series, and may be others.
func (v *Verifier) query() (promwire.Query, error) {
	from, to := int64(math.MaxInt64), int64(math.MinInt64)
	for _, ts := range v.wanted {
		for _, s := range ts.Samples {
			from, to = min(from, s.Timestamp), max(to, s.Timestamp)
		}
		for i := range ts.Histograms {
			from, to = min(from, ts.Histograms[i].Timestamp), max(to, ts.Histograms[i].Timestamp)
		}
	}
	q := promwire.Query{Start: time.UnixMilli(from), End: time.UnixMilli(to)}
	name := promwire.Matcher{Type: promwire.MatchEqual, Name: promwire.MetricName, Value: v.names[0]}
	if len(v.names) > 1 {
		quoted := make([]string, len(v.names))
		for i, n := range v.names {
			quoted[i] = regexp.QuoteMeta(n)
		}
		name = promwire.Matcher{Type: promwire.MatchRegexp, Name: promwire.MetricName, Value: strings.Join(quoted, "|")}
	}
	q.Matchers = []promwire.Matcher{name}
	for _, l := range v.shared {
		if l.Name != promwire.MetricName {
			q.Matchers = append(q.Matchers, promwire.Matcher{Type: promwire.MatchEqual, Name: l.Name, Value: l.Value})
		}
	}
	return q, promwire.CompileMatchers(q.Matchers)
}

// check reads what is wanted, and counts what is not there.
func (v *Verifier) check(ctx context.Context) error {
	if v.points == 0 {
		return nil
	}
	q, err := v.query()
	if err != nil {
		return err
	}
	found, err := v.find(ctx, q)
	for err == nil && v.lacks(found) && v.pause(ctx) {
		found, err = v.find(ctx, q)
	}
	if err = cmp.Or(err, ctx.Err()); err != nil {
		return err
	}
	keys := make([]string, 0, len(v.wanted))
	for key := range v.wanted {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	for _, key := range keys {
		found[key].count(v.wanted[key], &v.Missing)
	}
	v.Points += int64(v.points)
	if v.Compared != nil {
		v.Compared(v.points)
	}
	v.reset()
	return nil
}

// find reads, and marks what is there.
func (v *Verifier) find(ctx context.Context, q promwire.Query) (map[string]*marks, error) {
	found := map[string]*marks{}
	for key, ts := range v.wanted {
		found[key] = newMarks(ts)
	}
	for ts, err := range v.Reader.Read(ctx, q) {
		if err != nil {
			return nil, fmt.Errorf("read back: %w", err)
		}
		key := ts.Labels.String()
		if want := v.wanted[key]; want != nil {
			found[key].compare(&ts, want, v.Tolerance)
		}
	}
	return found, nil
}

func (v *Verifier) lacks(found map[string]*marks) bool {
	for _, m := range found {
		if slices.Contains(m.samples, notThere) || slices.Contains(m.histograms, notThere) {
			return true
		}
	}
	return false
}

// pause waits a second, unless the time for that is over.
func (v *Verifier) pause(ctx context.Context) bool {
	now := time.Now()
	if v.until.IsZero() {
		v.until = now.Add(v.Wait)
	}
	if now.After(v.until) || v.Wait <= 0 {
		return false
	}
	select {
	case <-time.After(min(time.Second, v.Wait)):
		return true
	case <-ctx.Done():
		return false
	}
}

// marks say of each wanted point what was found; "" is the right value.
type marks struct{ samples, histograms []string }

const notThere = "not there"

func newMarks(want *promwire.TimeSeries) *marks {
	m := &marks{samples: make([]string, len(want.Samples)), histograms: make([]string, len(want.Histograms))}
	for i := range m.samples {
		m.samples[i] = notThere
	}
	for i := range m.histograms {
		m.histograms[i] = notThere
	}
	return m
}

func (m *marks) compare(got, want *promwire.TimeSeries, tolerance float64) {
	for _, s := range got.Samples {
		i := sort.Search(len(want.Samples), func(i int) bool { return want.Samples[i].Timestamp >= s.Timestamp })
		if i == len(want.Samples) || want.Samples[i].Timestamp != s.Timestamp {
			continue
		}
		if m.samples[i] = ""; !same.Float(s.Value, want.Samples[i].Value) && !near(s.Value, want.Samples[i].Value, tolerance) {
			m.samples[i] = fmt.Sprintf("%s is there, want %s", formats.FormatFloat(s.Value), formats.FormatFloat(want.Samples[i].Value))
		}
	}
	for i := range got.Histograms {
		h := &got.Histograms[i]
		at := sort.Search(len(want.Histograms), func(i int) bool { return want.Histograms[i].Timestamp >= h.Timestamp })
		if at < len(want.Histograms) && want.Histograms[at].Timestamp == h.Timestamp {
			m.histograms[at] = same.Histogram(h, &want.Histograms[at])
		}
	}
}

// near reports whether a value differs from the wanted one within a tolerance; not for NaNs and infinities.
func near(got, want, tolerance float64) bool {
	return tolerance > 0 && !math.IsInf(want, 0) && math.Abs(got-want) <= tolerance*math.Abs(want)
}

// count counts what is missing, or is another value.
func (m *marks) count(want *promwire.TimeSeries, missing *tally.Tally) {
	add := func(mark string, at int64) {
		reason := mark
		switch mark {
		case "":
			return
		case notThere:
		default:
			reason = "another value is there"
		}
		missing.Add(reason, 1, func() string {
			if mark == notThere {
				return fmt.Sprintf("%s at %s", want.Labels, FormatTime(at))
			}
			return fmt.Sprintf("%s at %s: %s", want.Labels, FormatTime(at), mark)
		})
	}
	for i, mark := range m.samples {
		add(mark, want.Samples[i].Timestamp)
	}
	for i, mark := range m.histograms {
		add(mark, want.Histograms[i].Timestamp)
	}
}
