// Package mend readies a data directory for the TSDB, after a kill has torn its logs, or a disk has damaged them.
//
// The TSDB mends its logs too, but at a price: it gives up all that is behind the first damage; a damaged checkpoint makes
// it delete every segment of the log, and fail; and it hands the numbers of series whose records are gone to new series,
// which get, at the next start, what is left of the old ones' samples. So it never gets to see a damage: what can't be read
// is replaced by records that mean nothing, all else stays where it was, and numbers that may have been in use are not
// used again.
package mend
