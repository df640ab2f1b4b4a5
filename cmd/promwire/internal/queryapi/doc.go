// Package queryapi answers the HTTP API of Prometheus from the embedded TSDB: Prometheus' own handlers and PromQL engine,
// for what only reads. What a query may take is bounded before it is parsed and while it runs.
package queryapi
