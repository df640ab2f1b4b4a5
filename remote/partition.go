package remote

import (
	"context"
	"sync"

	"github.com/promwire/promwire"
)

// partition cuts a request into routes. Its memory is used again.
type partition struct {
	routes  []route
	of      []int // route of each series; -1 for none
	counts  []int // series of each route
	series  []promwire.TimeSeries
	index   []int
	labels  []promwire.Label
	numbers map[string]int // of routes, for tenants
	refused []promwire.Refusal
}

var partitions = sync.Pool{New: func() any { return &partition{numbers: map[string]int{}} }}

func newPartition() *partition { return partitions.Get().(*partition) }

// release forgets the request and gives p back.
func (p *partition) release() {
	clear(p.routes)
	clear(p.series)
	clear(p.labels)
	clear(p.numbers)
	*p = partition{
		routes: p.routes[:0], of: p.of[:0], counts: p.counts[:0], series: p.series[:0], index: p.index[:0],
		labels: p.labels[:0], numbers: p.numbers,
	}
	partitions.Put(p)
}

// add makes a route and returns its number.
func (p *partition) add(ctx context.Context, target string, w promwire.Writer) int {
	p.routes = append(p.routes, route{target: target, w: w, ctx: ctx})
	p.counts = append(p.counts, 0)
	return len(p.routes) - 1
}

// put says which route the next series goes, -1 for none.
func (p *partition) put(n int) {
	p.of = append(p.of, n)
	if n >= 0 {
		p.counts[n]++
	}
}

// cut gives each route its series, shared with req.
func (p *partition) cut(req *promwire.WriteRequest) {
	total := 0
	for _, n := range p.counts {
		total += n
	}
	p.series, p.index = resize(p.series, total), resize(p.index, total)
	from := 0
	for i, n := range p.counts {
		p.routes[i].req.Timeseries = p.series[from : from : from+n]
		p.routes[i].index = p.index[from : from : from+n]
		from += n
	}
	for i, n := range p.of {
		if n < 0 {
			continue
		}
		r := &p.routes[n]
		r.req.Timeseries = append(r.req.Timeseries, req.Timeseries[i])
		r.index = append(r.index, i)
	}
}

// send writes the routes that carry something and returns what became of them together.
func (p *partition) send() (promwire.WriteStats, error) {
	n := 0
	for _, r := range p.routes {
		if len(r.req.Timeseries)+len(r.req.Metadata) > 0 {
			p.routes[n] = r
			n++
		}
	}
	clear(p.routes[n:])
	routes := p.routes[:n]
	if n > 0 {
		send(routes)
	}
	var sum promwire.WriteStats
	for i := range routes {
		sum = sum.Add(routes[i].stats)
	}
	return sum, joinRoutes(routes, sum, p.refused)
}

// resize returns a slice of n values, which hold anything.
func resize[T any](s []T, n int) []T {
	if n > cap(s) {
		return make([]T, n)
	}
	return s[:n]
}
