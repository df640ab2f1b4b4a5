// Package bench measures promwire and its peers on the same work, in one run.
package bench
