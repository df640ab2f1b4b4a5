package promwire

import (
	"fmt"
	"unsafe"

	"github.com/promwire/promwire/internal/pb"
)

// memCost is what a field takes in memory when it is decoded and handed to a store: bytes for each field, and for each
// byte in it.
type memCost struct{ field, perByte uint64 }

// What the embedded store takes for an item, the item itself included, is between 150 and 350 bytes: a copy of it until
// it is committed, a record for the log, a refusal. Samples count less: 32 MiB of them must pass, with 18 bytes each.
const (
	memLabel     = uint64(unsafe.Sizeof(Label{}))
	memSample    = 128
	memExemplar  = 256
	memMetadata  = 256
	memHistogram = uint64(unsafe.Sizeof(Histogram{})) + 128
	// memWorst is the most that a byte of a message can become: an empty histogram has two.
	memWorst = memHistogram / 2
)

// The costs by field number, of a request and of a series in it. A label has two bytes at least, and so have two
// references, which are kept beside it; a bucket has one.
var (
	requestCostsV1 = [8]memCost{1: {field: uint64(unsafe.Sizeof(TimeSeries{}))}, 3: {field: memMetadata}}
	requestCostsV2 = [8]memCost{5: {field: uint64(unsafe.Sizeof(TimeSeries{}))}, 4: {field: uint64(unsafe.Sizeof(""))}}
	seriesCostsV1  = [8]memCost{1: {memLabel, 0}, 2: {memSample, 0}, 3: {memExemplar, memLabel / 2}, 4: {memHistogram, 8}}
	seriesCostsV2  = [8]memCost{1: {0, 4 + memLabel/2}, 2: {memSample, 0}, 3: {memHistogram, 8}, 4: {memExemplar, memLabel / 2}}
)

// checkMemory estimates what msg takes when it is decoded as a whole, and refuses more than limit. Messages that can't
// take so much, whatever they hold, are not looked at.
func checkMemory(msg string, t MessageType, limit uint64) error {
	if uint64(len(msg)) <= limit/memWorst {
		return nil
	}
	request, series, seriesTag := &requestCostsV1, &seriesCostsV1, uint64(0x0a)
	if t == WriteV2 {
		request, series, seriesTag = &requestCostsV2, &seriesCostsV2, 0x2a
	}
	memory := uint64(0)
	for i := 0; i < len(msg) && memory <= limit; {
		tag, start, end := field(msg, i)
		if end < 0 {
			return nil // malformed, as whoever decodes it will find
		}
		memory += request[tag>>3&7].field
		if tag == seriesTag {
			memory += seriesMemory(msg[start:end], series)
		}
		i = end
	}
	if memory > limit {
		return fmt.Errorf("%w: message of %d bytes takes more than %d bytes of memory; send smaller ones",
			ErrTooLarge, len(msg), limit)
	}
	return nil
}

// seriesMemory estimates what the fields of a series take. Field numbers above 7 are unknown, and count as if they
// were known: it is an estimate.
func seriesMemory(s string, costs *[8]memCost) uint64 {
	memory := uint64(0)
	for i := 0; i < len(s); {
		tag, start, end := uint64(s[i]), i+2, 0
		if tag&0x87 == pb.Bytes && start <= len(s) && int(s[i+1]) <= len(s)-start && s[i+1] < 0x80 {
			end = start + int(s[i+1])
		} else if tag, start, end = field(s, i); end < 0 {
			break
		}
		cost := &costs[tag>>3&7]
		memory += cost.field + uint64(end-start)*cost.perByte
		i = end
	}
	return memory
}

// field returns the tag of the field at s[i:] and the bounds of its value; end is -1 if it is malformed.
func field(s string, i int) (tag uint64, start, end int) {
	tag, i = pb.Uvarint(s, i)
	switch {
	case i < 0:
		return 0, 0, -1
	case tag&7 == pb.Bytes:
		start, end = pb.Length(s, i)
		return tag, start, end
	default:
		return tag, i, pb.Skip(s, i, tag)
	}
}
