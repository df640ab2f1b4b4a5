package metrics

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"strconv"

	"github.com/promwire/promwire"
)

// The file is a line with the version of its format, the number of entries of each status as uvarints, the reach of each
// entry as a uvarint, a Remote Write 2.0 message with the entries, both in order of their status, and the CRC-32C of all
// that, little endian. Version 1 had no reaches.
const (
	stateMagic   = "promwire-state "
	stateVersion = 2
)

// maxState bounds the size of a file that is read.
const maxState = 256 << 20

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// append appends the file's contents.
func (s *State) append(dst []byte) ([]byte, error) {
	begin := len(dst)
	dst = append(strconv.AppendInt(append(dst, stateMagic...), stateVersion, 10), '\n')
	var req promwire.WriteRequest
	var reaches []byte
	for st := delivered; st < statuses; st++ {
		n := len(req.Timeseries)
		for _, e := range s.order {
			if e.status == st {
				req.Timeseries = append(req.Timeseries, e.ts)
				reaches = e.appendReach(reaches)
			}
		}
		dst = binary.AppendUvarint(dst, uint64(len(req.Timeseries)-n))
	}
	dst, err := req.AppendProto(append(dst, reaches...), promwire.WriteV2)
	if err != nil {
		return nil, err
	}
	if len(dst)-begin > maxState-crc32.Size {
		return nil, fmt.Errorf("%w: a state of %d bytes, at most %d are allowed", promwire.ErrTooLarge, len(dst), maxState)
	}
	return binary.LittleEndian.AppendUint32(dst, crc32.Checksum(dst[begin:], castagnoli)), nil
}

// decode takes the entries of a file. Errors wrap [ErrStateVersion] or [ErrStateDamaged].
func (s *State) decode(src []byte) error {
	version, err := readVersion(src)
	if err != nil {
		return err
	}
	n := len(src) - crc32.Size
	if n < 0 || crc32.Checksum(src[:n], castagnoli) != binary.LittleEndian.Uint32(src[n:]) {
		return fmt.Errorf("%w: its checksum does not match", ErrStateDamaged)
	}
	if err := s.decodeEntries(src[bytes.IndexByte(src, '\n')+1:n], version); err != nil {
		return fmt.Errorf("%w: %w", ErrStateDamaged, err)
	}
	return nil
}

func readVersion(src []byte) (uint64, error) {
	line, _, found := bytes.Cut(src[:min(len(src), 40)], []byte{'\n'})
	number, magic := bytes.CutPrefix(line, []byte(stateMagic))
	if !found || !magic {
		return 0, fmt.Errorf("%w: it does not begin as a state does", ErrStateDamaged)
	}
	switch v, err := strconv.ParseUint(string(number), 10, 32); {
	case err != nil || v == 0:
		return 0, fmt.Errorf("%w: %q is no version", ErrStateDamaged, number)
	case v > stateVersion:
		return 0, fmt.Errorf("%w: %d, this program knows up to %d; use the newer program", ErrStateVersion, v, stateVersion)
	default:
		return v, nil
	}
}

func (s *State) decodeEntries(src []byte, version uint64) error {
	var counts [statuses]uint64
	for i := range counts {
		v, n := binary.Uvarint(src)
		if n <= 0 {
			return errors.New("numbers of entries are missing")
		}
		counts[i], src = v, src[n:]
	}
	var reaches []uint64
	if version > 1 {
		var err error
		if reaches, src, err = readReaches(src, counts[:]); err != nil {
			return err
		}
	}
	var req promwire.WriteRequest
	if err := req.UnmarshalProto(src, promwire.WriteV2); err != nil {
		return err
	}
	all := req.Timeseries
	for st, count := range counts {
		if count > uint64(len(all)) {
			return fmt.Errorf("%d entries are missing", count-uint64(len(all)))
		}
		for i := range all[:count] {
			e := &entry{ts: all[i], status: status(st)}
			if err := e.check(); err != nil {
				return err
			}
			if err := e.setReach(reaches, len(s.order)); err != nil {
				return err
			}
			if !s.add(e) {
				return fmt.Errorf("%v occurs twice", e.ts.Labels)
			}
		}
		all = all[count:]
	}
	if len(all) > 0 {
		return fmt.Errorf("%d entries too many", len(all))
	}
	return nil
}

// check says what the rest of the package could not work with.
func (e *entry) check() error {
	points := e.points()
	switch {
	case len(e.ts.Samples) > 0 && len(e.ts.Histograms) > 0:
		return fmt.Errorf("%v has samples of both kinds", e.ts.Labels)
	case points == 0 || e.status == delivered && points > 1:
		return fmt.Errorf("%v has %d samples", e.ts.Labels, points)
	case e.status == afloat && !cumulative(e.ts.Metadata.Type):
		return fmt.Errorf("%v is a %v whose newest sample has no time", e.ts.Labels, e.ts.Metadata.Type)
	}
	for i := 1; i < len(e.ts.Samples); i++ {
		if e.ts.Samples[i].Timestamp <= e.ts.Samples[i-1].Timestamp {
			return fmt.Errorf("%v is not in order of time", e.ts.Labels)
		}
	}
	for i := 1; i < len(e.ts.Histograms); i++ {
		if e.ts.Histograms[i].Timestamp <= e.ts.Histograms[i-1].Timestamp {
			return fmt.Errorf("%v is not in order of time", e.ts.Labels)
		}
	}
	return e.ts.Labels.Validate(promwire.UTF8Names)
}
