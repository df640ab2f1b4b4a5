package clientgolang

import (
	"math"

	"github.com/promwire/promwire"
)

// maxCached bounds the families, and the bounds of buckets, whose texts are kept. A registry of more is a rare one, and
// only pays for making them again.
const maxCached = 10_000

// familyNames are the names of a family's series.
type familyNames struct{ plain, bucket, count, sum string }

// nameCache keeps texts that would have to be made anew for each push.
type nameCache struct {
	families map[string]*familyNames
	bounds   map[uint64]string // by the bits of the bound
}

// begin empties what grew too large.
func (n *nameCache) begin() {
	if n.families == nil || len(n.families) > maxCached {
		n.families = map[string]*familyNames{}
	}
	if n.bounds == nil || len(n.bounds) > maxCached {
		n.bounds = map[uint64]string{}
	}
}

func (n *nameCache) family(name string) *familyNames {
	f := n.families[name]
	if f == nil {
		f = &familyNames{name, name + "_bucket", name + "_count", name + "_sum"}
		n.families[name] = f
	}
	return f
}

// bound returns v as it is spelled in le and quantile.
func (n *nameCache) bound(v float64) string {
	bits := math.Float64bits(v)
	s, found := n.bounds[bits]
	if !found {
		s = promwire.FormatLe(v)
		n.bounds[bits] = s
	}
	return s
}
