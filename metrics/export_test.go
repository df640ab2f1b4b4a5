package metrics

import (
	"encoding/binary"
	"hash/crc32"
)

// WithChecksum replaces the last bytes of a state's contents by the right checksum, so that fuzzing gets behind it.
func WithChecksum(data []byte) []byte {
	n := max(0, len(data)-crc32.Size)
	return binary.LittleEndian.AppendUint32(data[:n:n], crc32.Checksum(data[:n], castagnoli))
}

// DecodeState reads the contents of a state's file.
func DecodeState(data []byte) (*State, error) {
	s := newState()
	return s, s.decode(data)
}

// Encode returns the contents of the file.
func (s *State) Encode() ([]byte, error) { return s.append(nil) }
