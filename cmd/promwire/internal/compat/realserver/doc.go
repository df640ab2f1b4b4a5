// Package realserver tests promwire against real Prometheus servers, as receivers and senders of remote write and on both
// ends of remote read. It holds tests only.
//
// Servers are the programs in the environment variable PROMWIRE_PROMETHEUS, separated by colons, or else the
// prometheus on the PATH. Without any, the tests are skipped, unless PROMWIRE_REQUIRE_SERVERS is set: then they fail.
// "make compat" installs two versions and runs the tests against both.
package realserver
