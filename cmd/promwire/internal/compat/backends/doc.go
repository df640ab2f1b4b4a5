// Package backends tests promwire against real servers of several makes: every kind of data over every road to them, read
// back value by value through their own API, and what each does with data that are bad in part. It holds tests only.
//
// What it sees is in docs/backends.md. "go test -update" writes the sections there of the servers that are found; without
// the flag, a section that does not say what was seen fails the test.
package backends
