package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"

	_ "github.com/ncruces/go-sqlite3/driver" // SQLite as WebAssembly, run by a library in Go: no C compiler is needed
	_ "github.com/ncruces/go-sqlite3/embed"

	"github.com/promwire/promwire"
)

// schema has a row for each sample. Values are the bits of the float as an integer: a REAL column makes NULL of each NaN,
// and with it of stale markers, and takes the sign of zero. A row with a histogram has no value.
const schema = `
CREATE TABLE IF NOT EXISTS series (
	id INTEGER PRIMARY KEY,
	labels BLOB NOT NULL UNIQUE -- see appendKey: sorts as label sets do
) STRICT;
CREATE TABLE IF NOT EXISTS label ( -- which series have this label: the index for matchers
	name TEXT NOT NULL, value TEXT NOT NULL, series INTEGER NOT NULL,
	PRIMARY KEY (name, value, series)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sample (
	series INTEGER NOT NULL,
	time INTEGER NOT NULL, -- milliseconds since 1970
	start INTEGER NOT NULL, -- start timestamp, 0 if it is not known
	bits INTEGER, -- of the float64
	histogram BLOB, -- see encodeHistogram
	PRIMARY KEY (series, time)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS exemplar (
	series INTEGER NOT NULL, time INTEGER NOT NULL, labels BLOB NOT NULL, bits INTEGER NOT NULL,
	PRIMARY KEY (series, time)
) STRICT, WITHOUT ROWID;`

// Storage is a [promwire.Storage] in a SQLite file. It is safe for concurrent use, of the file by several processes too.
type Storage struct {
	writes *sql.DB // one connection: SQLite has one writer at a time
	// A connection for each query, of which the handler bounds the number. With a bound here, queries of a request could
	// wait for each other.
	reads *sql.DB
}

var _ promwire.Storage = (*Storage)(nil)

// Open opens a file, and makes it if it is not there.
func Open(file string) (*Storage, error) {
	// With WAL, reads and writes do not wait for each other; FULL syncs the file before a write returns.
	s := &Storage{}
	var err error
	if s.writes, err = connect(file, 1, "_txlock=immediate", "_pragma=journal_mode(wal)", "_pragma=synchronous(full)"); err != nil {
		return nil, err
	}
	if _, err := s.writes.ExecContext(context.Background(), schema); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", file, err), s.Close())
	}
	if s.reads, err = connect(file, 0, "_pragma=query_only(true)"); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// connect opens a file. 0 stands for any number of connections.
func connect(file string, connections int, options ...string) (*sql.DB, error) {
	options = append(options, "_pragma=busy_timeout(10000)") // another process may be writing
	name := url.URL{Scheme: "file", OmitHost: true, Path: filepath.ToSlash(file), RawQuery: strings.Join(options, "&")}
	db, err := sql.Open("sqlite3", name.String())
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", file, err)
	}
	db.SetMaxOpenConns(connections)
	return db, nil
}

// Close closes the file. No other call may be under way.
func (s *Storage) Close() error {
	var errs []error
	for _, db := range []*sql.DB{s.reads, s.writes} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	return errors.Join(errs...)
}
