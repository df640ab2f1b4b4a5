// Package servebench measures the handlers of package server on the embedded store against those of Prometheus on the
// same TSDB library. It holds benchmarks only; bench/README.md says how to run them.
package servebench
