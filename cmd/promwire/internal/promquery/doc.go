// Package promquery asks a server for PromQL over the HTTP API of Prometheus, and shows the answers: as a table, as JSON or
// CSV, and as charts for terminals and files.
package promquery
