package metrics

import (
	"fmt"
	"sync"

	"github.com/promwire/promwire"
)

// refusals keeps what the methods that return no error refused, for the next push to report.
type refusals struct {
	mu    sync.Mutex
	first error
	count int
}

func (r *refusals) add(ls promwire.Labels, what string, v float64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.count == 0 {
		r.first = wrap(ls, fmt.Errorf("%w: %s %v", ErrInvalidValue, what, v))
	}
	r.count++
}

// note is add for an error that is made already.
func (r *refusals) note(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.count == 0 {
		r.first = err
	}
	r.count++
}

// take returns what was refused since the last call; nil if nothing was.
func (r *refusals) take() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	err, more := r.first, r.count-1
	r.first, r.count = nil, 0
	if more > 0 {
		return fmt.Errorf("%w; and %d more recordings refused", err, more)
	}
	return err
}

// wrap names the series in err, unless that is nil.
func wrap(ls promwire.Labels, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("metrics: %v: %w", ls, err)
}
