package metrics

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/promwire/promwire"
)

// StateSet is a set of named states, each on (1) or off (0): one series per state, with a label that has the name of the
// metric (OpenMetrics, StateSet). It is safe for concurrent use. All states are off at first.
type StateSet struct {
	fam *family

	mu      sync.Mutex
	tl      timeline
	on      []bool   // as of the newest sample
	untimed []change // per state, since then
	touched bool
	wires   []wire // one per state
}

type change uint8

const (
	unchanged change = iota
	turnOff
	turnOn
	turnOnly    // on, and all others off
	changeKinds // their number
)

// StateSet makes a set of these states, or returns the one that was made before with the same name and states, whose help
// stays. States are not empty, valid UTF-8 and all different. Errors wrap [promwire.ErrInvalidName], [ErrInvalidUnit] if
// there is a unit, [ErrInvalidStates], [ErrReservedLabel] or [ErrConflict].
func (r *Registry) StateSet(name string, states []string, opts ...InstrumentOption) (*StateSet, error) {
	return single(r.StateSetVec(name, nil, states, opts...))
}

// StateSetVec is [Registry.StateSet] with labels, which are a part of the definition, and so is their order. Errors also
// wrap [promwire.ErrDuplicateLabel], if one is named as the metric is, too.
func (r *Registry) StateSetVec(name string, labels, states []string, opts ...InstrumentOption) (*Vec[StateSet], error) {
	d := define(promwire.TypeStateSet, name, labels, opts)
	d.states = slices.Clone(states)
	return register(r, d, newStateSet)
}

func newStateSet(f *family, ls promwire.Labels) *StateSet {
	s := &StateSet{
		fam:     f,
		tl:      f.newTimeline(),
		on:      make([]bool, len(f.states)),
		untimed: make([]change, len(f.states)),
	}
	for _, state := range f.states {
		s.wires = append(s.wires, wire{labels: extraLabel(ls, f.name, f.name, state)})
	}
	for i := range s.wires {
		f.adopt(&s.tl, &s.wires[i])
	}
	return s
}

// Set turns a state on or off, as of the time of the next push. A state that is not in the set is left out, and the next
// push reports it.
func (s *StateSet) Set(state string, on bool) { s.change(state, changeTo(on)) }

// SetOnly turns a state on and all others off.
func (s *StateSet) SetOnly(state string) { s.change(state, turnOnly) }

// SetAt turns a state on or off at time t; see "Recording" in the package documentation. Errors wrap [ErrLate], [promwire.ErrTooFarInFuture]
// or [ErrInvalidValue], and say that nothing was recorded.
func (s *StateSet) SetAt(state string, on bool, t time.Time) error {
	return s.changeAt(state, changeTo(on), t)
}

// SetOnlyAt turns a state on and all others off at time t, as [StateSet.SetAt] does.
func (s *StateSet) SetOnlyAt(state string, t time.Time) error { return s.changeAt(state, turnOnly, t) }

func changeTo(on bool) change {
	if on {
		return turnOn
	}
	return turnOff
}

func (s *StateSet) change(state string, c change) {
	i := slices.Index(s.fam.states, state)
	if i < 0 {
		s.fam.reg.refused.note(wrap(s.wires[0].labels, s.unknown(state)))
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if c == turnOnly {
		for j := range s.untimed {
			s.untimed[j] = turnOff
		}
		c = turnOn
	}
	s.untimed[i], s.touched = c, true
}

func (s *StateSet) changeAt(state string, c change, t time.Time) error {
	i := slices.Index(s.fam.states, state)
	if i < 0 {
		return wrap(s.wires[0].labels, s.unknown(state))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	// The timeline keeps numbers: which state, and what happens to it.
	return wrap(s.wires[0].labels, s.tl.add(float64(i*int(changeKinds)+int(c)), t, s.fam.reg.now()))
}

func (s *StateSet) unknown(state string) error {
	return fmt.Errorf("%w: there is no state %.100q, there are %q", ErrInvalidValue, state, s.fam.states)
}

func (s *StateSet) collect(dst []promwire.TimeSeries, now int64) []promwire.TimeSeries {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tl.drain(now, s.touched, s)
	s.touched = false
	for i := range s.wires {
		dst = s.wires[i].appendTo(dst, &s.fam.meta)
	}
	return dst
}

func (s *StateSet) settle(v verdict) {
	s.mu.Lock()
	defer s.mu.Unlock()
	keep := s.tl.settle(v)
	for i := range s.wires {
		s.wires[i].drop(keep)
	}
}

func (s *StateSet) line() *timeline { return &s.tl }

func (s *StateSet) apply(v float64) {
	i, c := int(v)/int(changeKinds), change(int(v)%int(changeKinds))
	if c == turnOnly {
		clear(s.on)
	}
	s.on[i] = c != turnOff
}

func (s *StateSet) applyUntimed() {
	for i, c := range s.untimed {
		if c != unchanged {
			s.on[i] = c == turnOn
		}
	}
	clear(s.untimed)
}

func (s *StateSet) emit(t int64) {
	for i, on := range s.on {
		v := 0.0
		if on {
			v = 1
		}
		s.wires[i].add(t, 0, v)
	}
}

func (s *StateSet) dropLast() {
	for i := range s.wires {
		s.wires[i].dropLast()
	}
}
