// Package relay is what promwire relay runs: a remote-write endpoint whose requests lie on disk before they are
// acknowledged, and deliveries from there to one or many targets, each at its own speed.
package relay
