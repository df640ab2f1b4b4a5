package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"

	"github.com/promwire/promwire"
)

// What is there already counts as written if it is the same, and keeps a row from being changed if it is not: the number
// of affected rows tells which.
const (
	insertSample = `INSERT INTO sample (series, time, start, bits, histogram) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT DO UPDATE SET start = start WHERE bits IS excluded.bits AND histogram IS excluded.histogram`
	insertExemplar = `INSERT INTO exemplar (series, time, labels, bits) VALUES (?, ?, ?, ?)
		ON CONFLICT DO UPDATE SET bits = bits WHERE bits = excluded.bits AND labels = excluded.labels`
	selectSeries = `SELECT id FROM series WHERE labels = ?`
	insertSeries = `INSERT INTO series (labels) VALUES (?)`
	insertLabel  = `INSERT INTO label (name, value, series) VALUES (?, ?, ?)`
)

// write is one Write at work: a transaction.
type write struct {
	ctx context.Context
	tx  *sql.Tx
	// The statements are prepared for each request; that takes less than a millisecond.
	find, create, label, sample, exemplar *sql.Stmt

	stats   promwire.WriteStats
	refused []promwire.Refusal

	index  int // of the series at hand
	ts     *promwire.TimeSeries
	series int64 // its row; 0 if it is not known
	key    []byte
}

// Write implements [promwire.Writer]. All of a request is in one transaction: what fails otherwise than by a refusal
// leaves nothing, and can be sent again.
func (s *Storage) Write(ctx context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	w := write{ctx: ctx}
	if err := w.run(s.writes, req); err != nil {
		if ctx.Err() != nil {
			err = ctx.Err() // SQLite calls it an interruption
		}
		return promwire.WriteStats{}, fmt.Errorf("nothing of the request was stored: %w", err)
	}
	if len(w.refused) > 0 {
		return w.stats, &promwire.PartialWriteError{Written: w.stats, Refused: w.refused}
	}
	return w.stats, nil
}

func (w *write) run(db *sql.DB, req *promwire.WriteRequest) (err error) {
	if w.tx, err = db.BeginTx(w.ctx, nil); err != nil {
		return err
	}
	defer func() { _ = w.tx.Rollback() }() // after a commit it does nothing
	for _, s := range []struct {
		to   **sql.Stmt
		text string
	}{{&w.find, selectSeries}, {&w.create, insertSeries}, {&w.label, insertLabel}, {&w.sample, insertSample}, {&w.exemplar, insertExemplar}} {
		if *s.to, err = w.tx.PrepareContext(w.ctx, s.text); err != nil { // the transaction closes it
			return err
		}
	}
	for i := range req.Timeseries {
		if err := w.add(i, &req.Timeseries[i]); err != nil {
			return err
		}
	}
	return w.tx.Commit()
}

// add stores the items of a series.
func (w *write) add(index int, ts *promwire.TimeSeries) (err error) {
	w.index, w.ts = index, ts
	if err = w.findSeries(); err != nil {
		return err
	}
	for i := 0; i < len(ts.Samples) && err == nil; i++ {
		v := &ts.Samples[i]
		err = w.put(&w.stats.Samples, w.sample, v.Timestamp, v.StartTimestamp, bits(v.Value), nil)
	}
	for i := 0; i < len(ts.Histograms) && err == nil; i++ {
		h := &ts.Histograms[i]
		var encoded []byte
		if encoded, err = encodeHistogram(h); err == nil {
			err = w.put(&w.stats.Histograms, w.sample, h.Timestamp, h.StartTimestamp, nil, encoded)
		}
	}
	for i := 0; i < len(ts.Exemplars) && err == nil; i++ {
		e := &ts.Exemplars[i]
		err = w.put(&w.stats.Exemplars, w.exemplar, e.Timestamp, appendKey(nil, e.Labels), bits(e.Value))
	}
	return err
}

// put stores an item, counts it in written, or refuses it.
func (w *write) put(written *int, stmt *sql.Stmt, timestamp int64, values ...any) error {
	reason := promwire.ErrUnknownSeries
	if w.series > 0 {
		result, err := stmt.ExecContext(w.ctx, append([]any{w.series, timestamp}, values...)...)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n > 0 {
			*written++
			return err
		}
		reason = promwire.ErrDuplicateTimestamp
	}
	// The request's memory is used again, the refusal may be kept.
	w.refused = append(w.refused, promwire.Refusal{Series: w.index, Labels: w.ts.Labels.Clone(), Timestamp: timestamp, Reason: reason})
	return nil
}

// findSeries finds the row of a series, and makes one if there is more to store than exemplars.
func (w *write) findSeries() error {
	w.key = appendKey(w.key[:0], w.ts.Labels)
	err := w.find.QueryRowContext(w.ctx, w.key).Scan(&w.series)
	if !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if w.series = 0; len(w.ts.Samples)+len(w.ts.Histograms) == 0 {
		return nil
	}
	result, err := w.create.ExecContext(w.ctx, w.key)
	if err != nil {
		return err
	}
	if w.series, err = result.LastInsertId(); err != nil {
		return err
	}
	for _, l := range w.ts.Labels {
		if _, err := w.label.ExecContext(w.ctx, l.Name, l.Value, w.series); err != nil {
			return err
		}
	}
	return nil
}

func bits(v float64) int64 { return int64(math.Float64bits(v)) }

// encodeHistogram returns a histogram as a message of Remote Write 2.0 with nothing else in it. The start timestamp has a
// column of its own: senders of 1.0 repeat a histogram without it.
func encodeHistogram(h *promwire.Histogram) ([]byte, error) {
	bare := *h
	bare.StartTimestamp = 0
	req := promwire.WriteRequest{Timeseries: []promwire.TimeSeries{{Histograms: []promwire.Histogram{bare}}}}
	return req.AppendProto(nil, promwire.WriteV2)
}
