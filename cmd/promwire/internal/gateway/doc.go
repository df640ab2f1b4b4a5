// Package gateway is what promwire serve --upstream runs: the same front as before the embedded store, before an engine
// that there is already. Writes lie in a spool before they are acknowledged, and go from there to the engine, by package
// relay; queries are passed on to it; remote read is offered whether the engine has it or not, see [Engine.Reader].
package gateway
