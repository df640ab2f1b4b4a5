// Package senders has real senders scrape and send to promwire serve for a while, which answers 503 half way, and is then
// killed and started again: every value that a sender was given must be there afterwards, as it was. It holds tests only.
//
// The standard run takes Debian's senders and fifteen scrapes. PROMWIRE_SENDERS=10m, or any other time, takes all of
// them for as long ("make senders"). What each sends, and what it loses by rules of its own, is in docs/backends.md.
package senders
