package protocol

import (
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/pb"
	"github.com/promwire/promwire/internal/same"
)

// metric is the name of all series.
const metric = "promwire_check"

var messages = []promwire.MessageType{promwire.WriteV1, promwire.WriteV2}

func short(t promwire.MessageType) string {
	if t == promwire.WriteV2 {
		return "v2"
	}
	return "v1"
}

// spec names a section of the specification that a message belongs to.
func spec(t promwire.MessageType, section string) string {
	if t == promwire.WriteV2 {
		return "Remote Write 2.0, " + section
	}
	return "Remote Write 1.0, " + section
}

// needOf is what a check of this message needs.
func needOf(t promwire.MessageType) need {
	if t == promwire.WriteV2 {
		return needWrite | needV2
	}
	return needWrite
}

// labels are those of a series of this check.
func (p *probe) labels(more ...string) promwire.Labels {
	return promwire.LabelsFromStrings(append([]string{promwire.MetricName, metric, "check", p.check.name, "run", p.run}, more...)...)
}

// at is a time of this run: step seconds after its start, which lies five minutes back.
func (t *target) at(step int) int64 { return t.now - 300_000 + int64(step)*1000 }

// series makes a series of this check with a sample per value, a second apart.
func (p *probe) series(ls promwire.Labels, values ...float64) promwire.TimeSeries {
	ts := promwire.TimeSeries{Labels: ls}
	for i, v := range values {
		ts.Samples = append(ts.Samples, promwire.Sample{Timestamp: p.at(i), Value: v})
	}
	return ts
}

func samples(n int) promwire.WriteStats { return promwire.WriteStats{Samples: n} }

// query selects the series of this check, from step 0 to 300.
func (p *probe) query(more ...promwire.Matcher) promwire.Query {
	return p.between(0, 300, more...)
}

func (p *probe) between(from, to int, more ...promwire.Matcher) promwire.Query {
	return promwire.Query{
		Start: time.UnixMilli(p.at(from)), End: time.UnixMilli(p.at(to)),
		Matchers: append([]promwire.Matcher{
			{Name: promwire.MetricName, Value: metric},
			{Name: "check", Value: p.check.name},
			{Name: "run", Value: p.run},
		}, more...),
	}
}

// wantRead reads back the series of this check, again until they are there or the time to settle is over.
func (p *probe) wantRead(want ...promwire.TimeSeries) bool {
	return p.wantQuery(p.query(), want...)
}

func (p *probe) wantQuery(q promwire.Query, want ...promwire.TimeSeries) bool {
	if p.has&needRead == 0 {
		p.note("not read back")
		return true
	}
	diff := ""
	settled := p.settled(func() bool {
		got, err := p.readSamples(q)
		if err != nil {
			diff = err.Error()
			return false
		}
		diff = same.All(got, want)
		return diff == ""
	})
	if !settled {
		p.fail("read back: %s", diff)
	}
	return settled
}

// settled asks until the answer is yes, or the time to settle is over.
func (p *probe) settled(ready func() bool) bool {
	end := time.Now().Add(p.settle)
	pause := 10 * time.Millisecond
	for !ready() {
		if time.Now().Add(pause).After(end) || p.ctx.Err() != nil {
			return false
		}
		select {
		case <-time.After(pause):
		case <-p.ctx.Done():
		}
		pause = min(2*pause, time.Second)
	}
	return true
}

// The tags of a 2.0 message.
const (
	tagSymbols, tagSeries                        = 0x22, 0x2a
	tagRefs, tagRefsUnpacked, tagSample          = 0x0a, 0x08, 0x12
	tagValue, tagTimestamp                       = 0x09, 0x10
	tagUnknownString, tagUnknownInt, tagV1Series = 0x7a, 0x70, 0x0a
)

// rawSeries is a series of a 2.0 message by references, valid or not.
type rawSeries struct {
	refs     []uint64
	unpacked bool
	more     []byte // unknown fields
	samples  []promwire.Sample
}

func (s rawSeries) append(dst []byte) []byte {
	var body []byte
	if s.unpacked {
		for _, ref := range s.refs {
			body = pb.AppendVarint(append(body, tagRefsUnpacked), ref)
		}
	} else if len(s.refs) > 0 {
		var packed []byte
		for _, ref := range s.refs {
			packed = pb.AppendVarint(packed, ref)
		}
		body = pb.AppendString(body, tagRefs, packed)
	}
	for _, sample := range s.samples {
		body = pb.AppendString(body, tagSample, rawSample(sample))
	}
	body = append(body, s.more...)
	return append(pb.AppendHeader(dst, tagSeries, uint64(len(body))), body...)
}

func rawSample(s promwire.Sample) []byte {
	message := pb.AppendFixed64([]byte{tagValue}, floatBits(s.Value))
	return pb.AppendVarint(append(message, tagTimestamp), uint64(s.Timestamp))
}

func appendSymbols(dst []byte, symbols ...string) []byte {
	for _, s := range symbols {
		dst = append(pb.AppendHeader(dst, tagSymbols, uint64(len(s))), s...)
	}
	return dst
}
