// Package servebench measures the handlers of package server on the embedded store against those of Prometheus on the
// same TSDB library. bench/README.md says how to run the
// benchmarks. The tests hold messages that are made to cost much to a bound.
package servebench
