// Package htpasswd verifies users and passwords by a file as Apache's htpasswd writes it, with bcrypt hashes:
//
//	htpasswd -B -c users ann
//
// It is for the handlers of package server:
//
//	users, err := htpasswd.Open("users")
//	...
//	h := server.NewHandler(storage, server.WithAuth(server.Basic(users.Verify)))
//
// bcrypt is slow by design, some 50 ms at the usual cost of 10. A password that was verified is remembered until the
// file changes, so that a sender pays once, not for each request; what is remembered is a keyed hash in memory. Wrong
// passwords take the full time each time, those of unknown users too, and no more than half of the processors work on
// them.
package htpasswd
