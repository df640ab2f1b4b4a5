// Package web is the page that promwire serve has for people, at /: what arrives at the moment, which metrics there are,
// and PromQL. It is a handful of files of our own, embedded, and needs nothing of any other server.
//
// [UI] sees requests through the hook of the handlers ([UI.Option]) and, of some of them, the text through the
// storage ([UI.Storage]). Everything it keeps is bounded. Whatever it serves is read with GET, under a policy that allows scripts
// and styles of this server alone; other origins get nothing.
package web
