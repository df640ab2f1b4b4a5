// Package agent is what promwire agent runs: scrapes on one side, on the other side writers that are independent of each
// other, each behind something that keeps what waits.
package agent
