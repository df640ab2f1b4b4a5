package server

import "github.com/promwire/promwire"

// maxReadPooled bounds each buffer that a read handler keeps for later requests, in bytes. It holds the compressed answer
// for some million samples; as many answers are built at a time as there are slots, and the garbage collector takes
// what lies idle.
const maxReadPooled = 32 << 20

// maxPooledPart bounds the part of a series, in samples, whose memory for encoding is kept. Usual parts have 10,000.
const maxPooledPart = 100_000

// readState is the memory of one request.
type readState struct {
	encoded []byte
	body    promwire.Body
	message sampleMessage
	stream  streamer
	chunks  chunker
}

func (h *readHandler) state() *readState {
	if s, ok := h.states.Get().(*readState); ok {
		return s
	}
	return new(readState)
}

// release makes s available to later requests.
func (h *readHandler) release(s *readState) {
	s.stream.release()
	s.chunks.release()
	for _, size := range []int{cap(s.encoded), s.body.Memory(), s.message.memory(), cap(s.stream.buf)} {
		if size > maxReadPooled {
			return
		}
	}
	h.states.Put(s)
}
