// Package clientgolang sends what a registry of github.com/prometheus/client_golang holds over remote write: the
// program keeps its metrics as they are, and pushes them where nobody can scrape it.
//
// What arrives is what Prometheus would store if it scraped the registry over the protobuf format: counters, gauges,
// untyped metrics, summaries, classic and native histograms (integer and float, gauge histograms too), exemplars, type,
// help and unit, start timestamps, metric timestamps, and stale markers for series that went away.
//
// A [Pusher] is all that most programs need. A [Converter] makes requests for those that send them in another way.
package clientgolang
