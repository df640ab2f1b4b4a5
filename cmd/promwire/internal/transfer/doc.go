// Package transfer moves samples: from files to an endpoint, and from one endpoint to another. It takes constant memory,
// counts what is refused by reason, goes on where an earlier run was interrupted, and compares what has arrived with what
// was sent.
//
// The packages under it have one thing each: formats reads and writes files, order sorts, series knows the notation of
// promtool, tally counts.
package transfer
