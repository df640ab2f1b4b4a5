package mend

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/tsdb/record"
	"github.com/prometheus/prometheus/tsdb/wlog"
	"github.com/prometheus/prometheus/util/compression"
)

// reserveFile holds the highest number that a lost series can have had. It stays: samples of lost series may be in logs
// and in files of head chunks for hours, and it costs a record at each start.
const reserveFile = "promwire.reserved-series"

// moreThanLost is more than the series that a store can have had in memory when a log was damaged. Numbers have 40 bits.
const moreThanLost = 1 << 28

// Reserve notes that all numbers of series that may have been in use are taken, as [Logs] does when it finds a damage.
func Reserve(dir string, log *slog.Logger) error {
	d := newDirectory(dir, log)
	if err := d.writeAheadLog(); err != nil {
		return err
	}
	return d.raise()
}

// raise notes that all numbers that lost series can have had are taken. It comes before anything is mended: a start that
// ends in between finds the damage again.
func (d *directory) raise() error {
	highest, err := d.reserved()
	if err != nil {
		return err
	}
	seen, err := d.highest()
	if err != nil {
		return err
	}
	path := filepath.Join(d.dir, reserveFile)
	f, err := os.Create(path + ".tmp")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(f, max(highest, seen)+moreThanLost)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return errors.Join(os.Rename(path+".tmp", path), syncDir(d.dir))
}

// reserved returns the number in the file; 0 if there is none.
func (d *directory) reserved() (uint64, error) {
	text, err := os.ReadFile(filepath.Join(d.dir, reserveFile))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 40)
	if err != nil {
		d.log.Warn("the file is damaged, and made anew from the log", "file", reserveFile, "err", err)
		if n, err = d.highest(); err != nil {
			return 0, err
		}
	}
	return n, nil
}

// highest returns the highest number of a series in the logs.
func (d *directory) highest() (n uint64, err error) {
	decoder := record.NewDecoder(labels.NewSymbolTable(), d.log)
	note := func(rec []byte, _ []place) {
		if decoder.Type(rec) != record.Series {
			return
		}
		series, _ := decoder.Series(rec, nil) // up to where it can be read
		for _, s := range series {
			n = max(n, uint64(s.Ref))
		}
	}
	for _, path := range d.walSegments {
		if _, err := readSegment(path, note); err != nil {
			return 0, err
		}
	}
	return n, nil
}

// reserve adds a record of a series to the log that has the highest number that is taken: the TSDB goes on behind it. The
// series itself has no samples, so that the TSDB drops it as soon as it has read it.
func (d *directory) reserve() error {
	n, err := d.reserved()
	if err != nil || n == 0 {
		return err
	}
	log, err := wlog.NewSize(d.log, nil, d.wal(), wlog.DefaultSegmentSize, compression.None)
	if err != nil {
		return err
	}
	series := []record.RefSeries{{Ref: chunks.HeadSeriesRef(n), Labels: labels.FromStrings("__name__", "promwire_reserved")}}
	return errors.Join(log.Log(new(record.Encoder).Series(series, nil)), log.Close())
}
