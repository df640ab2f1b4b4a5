// Package outlets is what commands share that write to several places at once, each at its own speed: deliveries from one
// spool, figures, and what the log says of them.
package outlets
