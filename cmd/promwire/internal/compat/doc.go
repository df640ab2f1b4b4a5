// Package compat tests clients, handlers and the embedded store through real HTTP: with each other, and with the clients
// and handlers of Prometheus. It holds tests only.
package compat
