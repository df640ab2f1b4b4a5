// Package exposition reads what a scrape gets: text 0.0.4, OpenMetrics and the delimited protobuf form. The parsers are
// those of the Prometheus library, so that a line means what it means there; this package knows lines. A line that is bad
// costs itself only, and one that it has read before is recognised by its bytes: only value and time are read anew.
//
// It is one of the few packages that know Prometheus types, and returns none of them.
package exposition
