package server

import (
	"strconv"
	"sync/atomic"
)

// counts keeps the header values of numbers lately used. Header values are read after a handler has returned, so
// they can't be in pooled memory; those kept here never change.
type counts [256]atomic.Pointer[count]

type count struct {
	n      int
	header []string
}

// header returns the header value for n.
func (c *counts) header(n int) []string {
	slot := &c[uint(n)%uint(len(c))]
	if kept := slot.Load(); kept != nil && kept.n == n {
		return kept.header
	}
	made := &count{n, []string{strconv.Itoa(n)}}
	slot.Store(made)
	return made.header
}
