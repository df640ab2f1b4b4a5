package server

import "github.com/promwire/promwire"

// maxReadPooled bounds each buffer that a read handler keeps for later requests, in bytes.
const maxReadPooled = 32 << 20

// maxPooledPart bounds the part of a series, in samples, whose memory for encoding is kept. Usual parts have 10,000.
const maxPooledPart = 100_000

// readState is the memory of one request.
type readState struct {
	encoded []byte
	body    promwire.Body
	lanes   []lane
	results []sampleResult
	stats   RequestStats // what the handler counts
}

func (h *readHandler) state() *readState {
	if s, ok := h.states.Get().(*readState); ok {
		return s
	}
	return new(readState)
}

// lanesFor makes sure that there are so many lanes.
func (s *readState) lanesFor(n int) []lane {
	for len(s.lanes) < n {
		s.lanes = append(s.lanes, lane{})
	}
	return s.lanes[:n]
}

// sampleResults returns empty results.
func (s *readState) sampleResults(n int) []sampleResult {
	for len(s.results) < n {
		s.results = append(s.results, sampleResult{})
	}
	return s.results[:n]
}

// release makes s available to later requests.
func (h *readHandler) release(s *readState) {
	for i := range s.lanes {
		if !s.lanes[i].release() {
			s.lanes[i] = lane{}
		}
	}
	if cap(s.encoded) <= maxReadPooled && s.body.Memory() <= maxReadPooled {
		h.states.Put(s)
	}
}
