// Package formats reads and writes files of samples: text 0.0.4, OpenMetrics, CSV, JSON lines, and to read only the series
// notation of promtool's unit tests. All take constant memory, whatever the length of a file: what is read goes on point
// by point, a line has a bound, and a bad line costs itself only. What is written is read back bit for bit; what a format
// has no place for is told, never dropped in silence.
package formats
