// Package promwire is the wire and the contracts of Prometheus remote storage: the data model, the codec of
// Remote Write 1.0 and 2.0 and of Remote Read, and the one-method interfaces that clients, servers, queues and
// stores share.
//
// A [Writer] takes a [WriteRequest]; a [Reader] answers a [Query] with series in label order. A remote-write
// client, a disk spool, a fan-out and an embedded TSDB are all Writers; a remote-read client and a database are
// Readers. Package server turns them into HTTP handlers, package remote speaks to such handlers elsewhere, and
// package metrics makes series out of counters, gauges and histograms.
//
// # Memory
//
// The fast paths reuse memory. Each function says who owns what; where it says "valid until", [WriteRequest.Clone],
// [TimeSeries.Clone] or [Labels.Clone] keeps a copy.
//
// # Time
//
// Times in data are int64 milliseconds since the Unix epoch, UTC, as on the wire. Queries and options use
// [time.Time] and [time.Duration].
//
// Nothing in this package starts a goroutine.
package promwire
