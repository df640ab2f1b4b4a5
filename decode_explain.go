package promwire

import (
	"errors"
	"math"

	"github.com/promwire/promwire/internal/pb"
)

// The decoders only notice that a message is malformed. What is wrong, and where, is found out here, in a second and
// slow walk along tables of the messages: that keeps offsets, names and error values out of the hot paths.

// fieldKind is how a field is encoded.
type fieldKind uint8

const (
	kindVarint fieldKind = iota
	kindDouble
	kindString
	kindMessage
	kindVarints // repeated, packed or not
	kindDoubles // repeated, packed or not
)

type fieldInfo struct {
	number uint64
	name   string
	kind   fieldKind
	fields []fieldInfo // of kindMessage
}

var (
	labelFields       = []fieldInfo{{1, "name", kindString, nil}, {2, "value", kindString, nil}}
	sampleFieldsV1    = []fieldInfo{{1, "value", kindDouble, nil}, {2, "timestamp", kindVarint, nil}}
	spanFields        = []fieldInfo{{1, "offset", kindVarint, nil}, {2, "length", kindVarint, nil}}
	histogramFieldsV1 = []fieldInfo{
		{1, "count_int", kindVarint, nil},
		{2, "count_float", kindDouble, nil},
		{3, "sum", kindDouble, nil},
		{4, "schema", kindVarint, nil},
		{5, "zero_threshold", kindDouble, nil},
		{6, "zero_count_int", kindVarint, nil},
		{7, "zero_count_float", kindDouble, nil},
		{8, "negative_spans", kindMessage, spanFields},
		{9, "negative_deltas", kindVarints, nil},
		{10, "negative_counts", kindDoubles, nil},
		{11, "positive_spans", kindMessage, spanFields},
		{12, "positive_deltas", kindVarints, nil},
		{13, "positive_counts", kindDoubles, nil},
		{14, "reset_hint", kindVarint, nil},
		{15, "timestamp", kindVarint, nil},
		{16, "custom_values", kindDoubles, nil},
	}
	startField        = fieldInfo{17, "start_timestamp", kindVarint, nil}
	sampleFieldsV2    = append(sampleFieldsV1[:2:2], fieldInfo{3, "start_timestamp", kindVarint, nil})
	histogramFieldsV2 = append(histogramFieldsV1[:16:16], startField)

	requestFieldsV1 = []fieldInfo{
		{1, "timeseries", kindMessage, []fieldInfo{
			{1, "labels", kindMessage, labelFields},
			{2, "samples", kindMessage, sampleFieldsV1},
			{3, "exemplars", kindMessage, []fieldInfo{
				{1, "labels", kindMessage, labelFields},
				{2, "value", kindDouble, nil},
				{3, "timestamp", kindVarint, nil},
			}},
			{4, "histograms", kindMessage, histogramFieldsV1},
		}},
		{3, "metadata", kindMessage, []fieldInfo{
			{1, "type", kindVarint, nil},
			{2, "metric_family_name", kindString, nil},
			{4, "help", kindString, nil},
			{5, "unit", kindString, nil},
		}},
	}
	requestFieldsV2 = []fieldInfo{
		{4, "symbols", kindString, nil},
		{5, "timeseries", kindMessage, []fieldInfo{
			{1, "labels_refs", kindVarints, nil},
			{2, "samples", kindMessage, sampleFieldsV2},
			{3, "histograms", kindMessage, histogramFieldsV2},
			{4, "exemplars", kindMessage, []fieldInfo{
				{1, "labels_refs", kindVarints, nil},
				{2, "value", kindDouble, nil},
				{3, "timestamp", kindVarint, nil},
			}},
			{5, "metadata", kindMessage, []fieldInfo{
				{1, "type", kindVarint, nil},
				{3, "help_ref", kindVarint, nil},
				{4, "unit_ref", kindVarint, nil},
			}},
		}},
	}
)

// errMalformed stands in for a reason that explain does not find; there is none known.
var errMalformed = errors.New("malformed message")

// explain returns what is wrong with a malformed message.
func explain(msg string, t MessageType) *DecodeError {
	fields := requestFieldsV1
	if t == WriteV2 {
		fields = requestFieldsV2
	}
	if err := explainFields(pb.AsBytes(msg), 0, "", fields); err != nil {
		err.Message = string(t)
		return err
	}
	return &DecodeError{Message: string(t), Err: errMalformed}
}

func explainFields(msg []byte, base int, path string, fields []fieldInfo) *DecodeError {
	r := pb.NewReader(msg)
	for r.Next() {
		f := findField(fields, r.Field)
		if f == nil {
			continue
		}
		if err := explainField(&r, base, joinPath(path, f.name), f); err != nil {
			return err
		}
	}
	if r.Err == nil {
		return nil
	}
	if f := findField(fields, r.Field); f != nil {
		path = joinPath(path, f.name)
	}
	return &DecodeError{Field: path, Offset: base + r.Start, Err: r.Err}
}

func explainField(r *pb.Reader, base int, path string, f *fieldInfo) *DecodeError {
	var err error
	switch {
	case f.kind == kindMessage && r.Wire == pb.Bytes:
		return explainFields(r.Data, base+r.DataStart, path, f.fields)
	case f.kind == kindVarints && r.Wire == pb.Bytes:
		err = explainVarints(r.Data)
	case f.kind == kindDoubles && r.Wire == pb.Bytes:
		if len(r.Data)%8 != 0 {
			err = pb.ErrTruncated
		}
	case r.Wire != f.kind.wire():
		err = pb.ErrWireType
	}
	if err == nil {
		return nil
	}
	return &DecodeError{Field: path, Offset: base + r.Start, Err: err}
}

// wire is the wire type of a field, unpacked if it is repeated.
func (k fieldKind) wire() int {
	switch k {
	case kindVarint, kindVarints:
		return pb.Varint
	case kindDouble, kindDoubles:
		return pb.Fixed64
	default:
		return pb.Bytes
	}
}

func explainVarints(data []byte) error {
	run := 0
	for _, c := range data {
		run++
		if run > 10 || run == 10 && c >= 0x80 {
			return pb.ErrVarint
		}
		if c < 0x80 {
			run = 0
		}
	}
	if run > 0 {
		return pb.ErrTruncated
	}
	return nil
}

func findField(fields []fieldInfo, number uint64) *fieldInfo {
	if number == 0 || number > math.MaxInt32 {
		return nil
	}
	for i := range fields {
		if fields[i].number == number {
			return &fields[i]
		}
	}
	return nil
}

func joinPath(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
