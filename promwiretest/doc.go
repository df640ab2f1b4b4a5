// Package promwiretest helps to test programs that send or store Prometheus data.
//
// [Receiver] is a remote-write endpoint on loopback: a real HTTP server that keeps every request, series and sample it
// got, in order, and does to requests what networks and backends do to them, by a [Script] of [Fault] values: reset
// connections, silence, slow bytes, any status, answers that lie or get lost.
//
// [Memory] is a [promwire.Storage] in memory that keeps the contract to the letter. It stands for a database behind a
// handler, or for a store in tests of whoever writes to one and reads back.
//
// [TestStorage] holds a storage, whoever wrote it, against the contract; package protocol does so with an endpoint over
// HTTP. [WantSeries] compares series with text.
//
// Nothing here is meant for production.
package promwiretest
