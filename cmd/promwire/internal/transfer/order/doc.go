// Package order puts points into the order in which they are sent, in bounded memory: what does not fit is sorted in
// parts, which wait in temporary files and are merged (external merge sort).
//
// Time goes first, in windows of half an hour; in a window come the series in the order of their labels, each with its
// points in order of time. So each series ascends, as receivers demand; and a Prometheus without an out-of-order window,
// which takes nothing older than an hour before the newest sample of any series, takes all of it. For readers, whole series come one after the other instead.
package order
