package tsdbstore

import "sync"

// gate counts who uses a thing that may be taken away. Unlike a lock it never makes a user wait, so that a loop over
// what is read may write.
type gate struct {
	mu    sync.Mutex
	users int
	shut  error         // why nobody may enter; nil if it is open
	idle  chan struct{} // closed when the last user leaves a gate that is shut
}

// enter returns nil, and leave has to be called, or why the gate is shut.
func (g *gate) enter() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shut == nil {
		g.users++
	}
	return g.shut
}

func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.users--; g.users == 0 && g.idle != nil {
		close(g.idle)
		g.idle = nil
	}
}

// shutIfIdle shuts the gate and reports true, unless there are users.
func (g *gate) shutIfIdle(reason error) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.users > 0 {
		return false
	}
	g.shut = reason
	return true
}

// shutAndWait shuts the gate, and waits until all users have left.
func (g *gate) shutAndWait(reason error) {
	g.mu.Lock()
	g.shut = reason
	idle := g.idle
	if g.users > 0 && idle == nil {
		idle = make(chan struct{})
		g.idle = idle
	}
	g.mu.Unlock()
	if idle != nil {
		<-idle
	}
}

// open lets users in again.
func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut = nil
}
