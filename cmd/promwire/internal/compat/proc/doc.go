// Package proc finds the programs of real servers, and runs them for tests on 127.0.0.1, in temporary folders, until the
// test ends or the test binary does.
//
// Programs are in the folders of the environment variable PROMWIRE_SERVERS, separated by colons, under the names that
// scripts/servers gives them; without the variable, on the PATH. Without a program its tests are skipped, unless
// PROMWIRE_REQUIRE_SERVERS is set: then they fail; with "all" for every program, with anything else for those that are
// Debian packages.
package proc
