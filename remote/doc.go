// Package remote speaks to remote storage elsewhere: [WriteClient] sends remote-write requests, [ReadClient] answers
// queries from a remote-read endpoint. Both are the interfaces of package promwire, so that they can stand wherever a
// [promwire.Writer] or [promwire.Reader] can.
//
// The URL is the full endpoint as in prometheus.yml, query included; nothing is appended to it. User name and password
// in it are sent as basic authentication. Errors name the endpoint without them and without the query.
//
// Around writers, local ones included: [Preflight] finds and mends what a target would refuse; [Queue] sends in the
// background; [FanOut] writes to all of several targets, [Sharded] each series to one of them, [TenantSplit] each series
// for the tenant that a label names.
//
// Only a Queue has goroutines of its own. A Write to several targets has some until it returns, net/http keeps those of
// connections, and a read that waits for the server has a timer.
package remote
