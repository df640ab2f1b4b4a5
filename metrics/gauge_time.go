package metrics

import "time"

// SetTime sets the value to t in seconds since the Unix epoch, fractions included: the way to write down when something
// happened, such as the last success of a job.
func (g *Gauge) SetTime(t time.Time) { g.Set(unixSeconds(t)) }

// SetToCurrentTime is SetTime with the time now, by the registry's clock.
func (g *Gauge) SetToCurrentTime() { g.SetTime(g.fam.reg.now()) }

// unixSeconds works for times that UnixNano has no number for, too.
func unixSeconds(t time.Time) float64 { return float64(t.Unix()) + float64(t.Nanosecond())/1e9 }
