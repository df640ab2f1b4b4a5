package remote

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/serieshash"
)

// Sharded writes each series to one of its targets, which it finds by a hash of the labels; it is a [promwire.Writer].
// It is safe for concurrent use.
//
// The rule is rendezvous hashing: a series belongs to the target with the highest score of
//
//	avalanche(XXH64(labels) XOR rotate-left(XXH64(name), 31) × 0x9E3779B185EBCA87)
//
// where labels are their names and values in order, each followed by the byte 0xFF, and avalanche is the last step of
// XXH64. So a target that is added to n others takes about 1/(n+1) of their series, and no series moves between the
// others; a target that is taken away leaves its series to all. The rule is the same in every version and after every
// restart. It goes by the names of targets: one that gets another URL keeps its name, and its series.
//
// Family metadata that belong to no series go to all targets.
//
// A target that fails does not stop the others. A request that is sent again goes to all its targets again: see
// [FanOut].
type Sharded struct {
	names   []string
	writers []promwire.Writer
	hashes  []uint64
}

var _ promwire.Writer = (*Sharded)(nil)

// NewSharded makes a Sharded of targets by name. It fails if there is none, or one without a name or writer.
func NewSharded(targets map[string]promwire.Writer) (*Sharded, error) {
	if len(targets) == 0 {
		return nil, errors.New("remote: NewSharded: there are no targets")
	}
	s := &Sharded{names: slices.Sorted(maps.Keys(targets))}
	for _, name := range s.names {
		if name == "" || targets[name] == nil {
			return nil, errors.New("remote: NewSharded: a target has no name or no writer")
		}
		s.writers = append(s.writers, targets[name])
		s.hashes = append(s.hashes, serieshash.Bytes([]byte(name)))
	}
	return s, nil
}

// Target returns the name of the target of a series. The labels must be sorted.
func (s *Sharded) Target(ls promwire.Labels) string {
	return s.names[serieshash.Rendezvous(serieshash.Labels(ls), s.hashes)]
}

// Write implements [promwire.Writer]. It returns when all targets have, with the sum of their counts. The error is a
// [*TargetsError] or nil; refusals have the indices of req.
func (s *Sharded) Write(ctx context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	p := newPartition()
	defer p.release()
	for i, name := range s.names {
		n := p.add(ctx, name, s.writers[i])
		p.routes[n].req.Metadata = req.Metadata
	}
	for i := range req.Timeseries {
		p.put(serieshash.Rendezvous(serieshash.Labels(req.Timeseries[i].Labels), s.hashes))
	}
	p.cut(req)
	return p.send()
}
