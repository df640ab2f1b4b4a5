package server

import (
	"unsafe"

	"github.com/promwire/promwire"
)

// maxPooled bounds the memory of one request that a write handler keeps for later ones, in bytes. What grew beyond it
// is left to the garbage collector, so that a few large requests don't hold memory for ever.
const maxPooled = 16 << 20

// writeState is the memory of one request. Its parts refer to each other, so they are kept or dropped together.
type writeState struct {
	encoded []byte
	body    promwire.Body
	decoder promwire.Decoder
	request promwire.WriteRequest
	removed promwire.Removed
	first   int // index in the message of the first series of the request

	bodyBytes, series int // for the statistics

	limits       WriteLimits
	claims       claims
	meter        meter
	compressions [1]promwire.Compression // the meter
}

func (h *writeHandler) state() *writeState {
	s, ok := h.states.Get().(*writeState)
	if !ok {
		return new(writeState)
	}
	// What stays as it is if a request is refused before its body is read.
	s.bodyBytes, s.series, s.meter.size = 0, 0, 0
	return s
}

// release makes s available to later requests.
func (h *writeHandler) release(s *writeState) {
	if s.memory() <= maxPooled {
		h.states.Put(s)
	}
}

// memory returns how many bytes s holds, roughly.
func (s *writeState) memory() int {
	size := cap(s.encoded) + s.body.Memory() + 8*cap(s.removed) +
		cap(s.decoder.Symbols())*int(unsafe.Sizeof("")) +
		cap(s.decoder.Metadata())*int(unsafe.Sizeof(promwire.MetricMetadata{}))
	all := s.request.Timeseries[:cap(s.request.Timeseries)]
	for i := range all {
		size += memoryOf(&all[i])
	}
	return size
}

// memoryOf returns how many bytes ts and its slices hold, those that are not in use included.
func memoryOf(ts *promwire.TimeSeries) int {
	size := int(unsafe.Sizeof(*ts)) +
		cap(ts.Labels)*int(unsafe.Sizeof(promwire.Label{})) +
		cap(ts.Samples)*int(unsafe.Sizeof(promwire.Sample{}))
	hs := ts.Histograms[:cap(ts.Histograms)]
	for i := range hs {
		h := &hs[i]
		size += int(unsafe.Sizeof(*h)) + 8*(cap(h.PositiveDeltas)+cap(h.NegativeDeltas)+cap(h.PositiveCounts)+
			cap(h.NegativeCounts)+cap(h.PositiveSpans)+cap(h.NegativeSpans)+cap(h.CustomValues))
	}
	es := ts.Exemplars[:cap(ts.Exemplars)]
	for i := range es {
		size += int(unsafe.Sizeof(es[i])) + cap(es[i].Labels)*int(unsafe.Sizeof(promwire.Label{}))
	}
	return size
}
