package tsdbstore

import (
	"fmt"
	"runtime/debug"
)

// orEnd runs something of the TSDB that may write head chunks, and ends the process if it panics, which is what the TSDB
// does when that fails: the locks that it held are held for ever, so that everything after it would wait for them. Servers
// recover from the panics of a request. What was acknowledged is in the logs.
func (s *Store) orEnd(f func() error) error {
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		s.log.Error("the TSDB cannot go on, the process ends; what was acknowledged is in its logs", "dir", s.dir, "err", p)
		stack := debug.Stack()
		go func() { panic(fmt.Sprintf("data directory %s: %v\n%s", s.dir, p, stack)) }() // here nobody recovers
		select {}
	}()
	return f()
}
