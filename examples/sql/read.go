package main

import (
	"context"
	"database/sql"
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"

	"github.com/promwire/promwire"
)

const (
	selectLabels  = `SELECT id, labels FROM series %s ORDER BY labels`
	withLabel     = `id IN (SELECT series FROM label WHERE name = ? AND value = ?)`
	selectSamples = `SELECT time, bits, histogram FROM sample WHERE series = ? AND time BETWEEN ? AND ? ORDER BY time`
)

// maxPart bounds the samples of a part of a series.
const maxPart = 10_000

// Read implements [promwire.Reader]. It sees the file as of its first row, and does not stop writes.
func (s *Storage) Read(ctx context.Context, q promwire.Query) iter.Seq2[promwire.TimeSeries, error] {
	return func(yield func(promwire.TimeSeries, error) bool) {
		r := read{ctx: ctx, query: q, yield: yield}
		if err := r.run(s.reads); err != nil && !r.left {
			if ctx.Err() != nil {
				err = ctx.Err() // SQLite calls it an interruption
			}
			yield(promwire.TimeSeries{}, err)
		}
	}
}

// read is one Read at work.
type read struct {
	ctx     context.Context
	query   promwire.Query
	yield   func(promwire.TimeSeries, error) bool
	left    bool // the loop has been left
	samples *sql.Stmt
	part    promwire.TimeSeries // its memory is used again for each
}

func (r *read) run(db *sql.DB) error {
	matchers := slices.Clone(r.query.Matchers)
	if err := promwire.CompileMatchers(matchers); err != nil {
		return err
	}
	tx, err := db.BeginTx(r.ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	if r.samples, err = tx.PrepareContext(r.ctx, selectSamples); err != nil {
		return err
	}
	text, values := seriesQuery(matchers)
	rows, err := tx.QueryContext(r.ctx, text, values...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() && !r.left {
		var id int64
		var key string
		if err := rows.Scan(&id, &key); err != nil {
			return err
		}
		if r.part.Labels, err = parseKey(key); err != nil {
			return err
		}
		if promwire.MatchAll(r.part.Labels, matchers) {
			if err := r.series(id); err != nil {
				return err
			}
		}
	}
	return rows.Err()
}

// seriesQuery lets the index of labels find what can be found by equality. The matchers judge all that comes.
func seriesQuery(matchers []promwire.Matcher) (text string, values []any) {
	var conditions []string
	for _, m := range matchers {
		if m.Type == promwire.MatchEqual && m.Value != "" {
			conditions, values = append(conditions, withLabel), append(values, m.Name, m.Value)
		}
	}
	where := ""
	if len(conditions) > 0 {
		where = "WHERE " + strings.Join(conditions, " AND ")
	}
	return fmt.Sprintf(selectLabels, where), values
}

// series yields what a series has in the range of time.
func (r *read) series(id int64) error {
	rows, err := r.samples.QueryContext(r.ctx, id, r.query.Start.UnixMilli(), r.query.End.UnixMilli())
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := r.add(rows); err != nil {
			return err
		}
		if len(r.part.Samples)+len(r.part.Histograms) == maxPart && !r.flush() {
			return nil
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	r.flush()
	return nil
}

// add takes a row of the table of samples.
func (r *read) add(rows *sql.Rows) error {
	var timestamp int64
	var bits sql.NullInt64
	var histogram sql.RawBytes
	if err := rows.Scan(&timestamp, &bits, &histogram); err != nil {
		return err
	}
	if bits.Valid {
		r.part.Samples = append(r.part.Samples, promwire.Sample{Timestamp: timestamp, Value: math.Float64frombits(uint64(bits.Int64))})
		return nil
	}
	var req promwire.WriteRequest // see encodeHistogram
	if err := req.UnmarshalProto(histogram, promwire.WriteV2); err != nil {
		return fmt.Errorf("the histogram of %s at %d can't be read: %w", r.part.Labels, timestamp, err)
	}
	for _, ts := range req.Timeseries {
		r.part.Histograms = append(r.part.Histograms, ts.Histograms...)
	}
	return nil
}

// flush yields the part, if there is something in it, and reports whether the loop goes on.
func (r *read) flush() bool {
	if len(r.part.Samples)+len(r.part.Histograms) > 0 {
		r.left = !r.yield(r.part, nil)
		r.part.Samples, r.part.Histograms = r.part.Samples[:0], r.part.Histograms[:0]
	}
	return !r.left
}
