// Package promconfig takes the remote_write blocks of a prometheus.yml as they are: Prometheus' own configuration
// types check them, and what they ask for becomes options of a write client and a relabelling writer. With
// internal/tsdbstore it is one of the few packages that know Prometheus types.
package promconfig
