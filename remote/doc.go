// Package remote speaks to remote storage elsewhere: [WriteClient] sends remote-write requests, [ReadClient] answers
// queries from a remote-read endpoint. Both are the interfaces of package promwire, so that they can stand wherever a
// [promwire.Writer] or [promwire.Reader] can.
//
// The URL is the full endpoint as in prometheus.yml, query included; nothing is appended to it. User name and password
// in it are sent as basic authentication. Errors name the endpoint without them and without the query.
//
// Nothing here starts a goroutine, except those that net/http keeps for connections and, while a read waits for the
// server, a timer.
package remote
