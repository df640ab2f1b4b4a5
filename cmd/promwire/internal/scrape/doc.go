// Package scrape asks targets for their metrics, steadily, and makes of the answers what is to be written: series with the
// labels of their target, stale markers for those that went away, and how the scrape went.
//
// It does what Prometheus does, and names as it does, with one difference: a bad line costs that line, not the scrape.
package scrape
