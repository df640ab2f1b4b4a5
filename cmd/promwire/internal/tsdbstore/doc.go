// Package tsdbstore is a [promwire.Storage] on the Prometheus TSDB: a data directory with blocks, a write-ahead log and
// an out-of-order log. It is the only package that knows Prometheus types.
//
// # What an acknowledgement means
//
// A write that is counted in the returned [promwire.WriteStats] has been handed to the operating system as a part of
// the logs: it survives a kill -9 of the process. It is not synced to the disk on every write, so a power failure may
// take the last seconds, as with Prometheus itself.
//
// The valid part of a request is stored and counted; every refused sample is named in a
// [promwire.PartialWriteError]. A request of which anything could not be logged gives an error that wraps
// [promwire.ErrUnavailable] and counts nothing, though a part of it may be stored: the same request may be sent again,
// since what is there already is accepted as a duplicate.
//
// Two requests that run at the same time and hold different values for the same series and the same time are not
// judged against each other: the one that commits first wins, and the other one's sample is dropped though counted.
// Send the samples of one series one request after the other, as the protocols demand.
package tsdbstore
