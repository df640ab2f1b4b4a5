package promwire_test

import (
	"errors"
	"testing"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/pb"
)

func TestDecodeMalformed(t *testing.T) {
	long := msg("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01")
	group := msg{}.tag(9, 3).tag(9, 4)
	table := msg{}.str(4, "").str(4, "a")
	tests := []struct {
		name   string
		t      promwire.MessageType
		msg    msg
		field  string
		offset int
		err    error
	}{
		{"field number 0", v1, msg{0x02, 0x00}, "", 0, pb.ErrFieldNumber},
		{"field number too high", v1, msg{}.tag(1<<29, 0).append(msg{0}), "", 0, pb.ErrFieldNumber},
		{
			"field number 0 in a sample", v1, msg{}.sub(1, msg{}.sub(2, msg{0x00, 0x00})), "timeseries.samples", 4,
			pb.ErrFieldNumber,
		},
		{"tag of eleven bytes", v1, long, "", 0, pb.ErrVarint},
		{"tag cut off", v1, msg{0x80}, "", 0, pb.ErrTruncated},
		{"group", v1, group, "", 0, pb.ErrGroup},
		{"group in a series", v2, table.sub(5, group), "timeseries", 7, pb.ErrGroup},
		{"wire type 6", v1, msg{}.tag(9, 6), "", 0, pb.ErrWireType},
		{"length past the end", v1, msg{}.tag(1, 2).append(msg{5, 0}), "timeseries", 0, pb.ErrTruncated},
		{
			"length of 2^63", v1, msg{}.tag(1, 2).append(msg("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01")), "timeseries", 0,
			pb.ErrTruncated,
		},
		{
			"length past the series", v1, msg{}.sub(1, msg{}.tag(1, 2).append(msg{1})).sub(1), "timeseries.labels", 2,
			pb.ErrTruncated,
		},
		{
			"label past the series", v1, msg{}.sub(1, msg{}.sub(1, labelMsg("name", "value"))[:14]).sub(1), "timeseries.labels",
			2, pb.ErrTruncated,
		},
		{
			"sample past the series", v1, msg{}.sub(1, msg{}.sub(2, sampleMsg(1, 1))[:12]).sub(1), "timeseries.samples", 2,
			pb.ErrTruncated,
		},
		{"value past the label", v1, msg{}.sub(1, msg{}.sub(1, msg{}.str(1, "name").append(msg("\x12\x06value"))).
			sub(2)), "timeseries.labels.value", 10, pb.ErrTruncated},
		{"field number 0, short", v2, msg{0x02, 0x00}, "", 0, pb.ErrFieldNumber},
		{
			"help reference cut off", v2, table.sub(5, msg{}.sub(5, msg{}.uint(1, 1).append(msg{0x18}))),
			"timeseries.metadata.help_ref", 11, pb.ErrTruncated,
		},
		{"metadata past the series", v2, table.sub(5, msg{0x2a, 0x02, 0x08}), "timeseries.metadata", 7, pb.ErrTruncated},
		{
			"value of eleven bytes", v1, msg{}.sub(1, msg{}.sub(2, msg{}.tag(2, 0).append(long))),
			"timeseries.samples.timestamp", 4, pb.ErrVarint,
		},
		{"series as varint", v1, msg{}.uint(1, 1), "timeseries", 0, pb.ErrWireType},
		{"metadata as varint", v1, msg{}.uint(3, 1), "metadata", 0, pb.ErrWireType},
		{"metadata type as string", v1, msg{}.sub(3, msg{}.str(1, "")), "metadata.type", 2, pb.ErrWireType},
		{"label as varint", v1, msg{}.sub(1, msg{}.uint(1, 1)), "timeseries.labels", 2, pb.ErrWireType},
		{
			"label name as varint", v1, msg{}.sub(1, msg{}.sub(1, msg{}.str(2, "v").uint(1, 1))), "timeseries.labels.name", 7,
			pb.ErrWireType,
		},
		{"sample as double", v1, msg{}.sub(1, msg{}.double(2, 1)), "timeseries.samples", 2, pb.ErrWireType},
		{
			"value as varint", v1, msg{}.sub(1, msg{}.sub(2, msg{}.uint(1, 1))), "timeseries.samples.value", 4,
			pb.ErrWireType,
		},
		{"value cut off", v1, msg{}.sub(1, msg{}.sub(2, msg{9, 1, 2, 3})), "timeseries.samples.value", 4, pb.ErrTruncated},
		{
			"start timestamp as double", v2, msg{}.sub(5, msg{}.sub(2, msg{}.double(3, 1))),
			"timeseries.samples.start_timestamp", 4, pb.ErrWireType,
		},
		{
			"exemplar value as varint", v1, msg{}.sub(1, msg{}.sub(3, msg{}.uint(2, 1))), "timeseries.exemplars.value", 4,
			pb.ErrWireType,
		},
		{
			"exemplar references as double", v2, msg{}.sub(5, msg{}.sub(4, msg{}.double(1, 1))),
			"timeseries.exemplars.labels_refs", 4, pb.ErrWireType,
		},
		{"symbols as varint", v2, msg{}.uint(4, 1), "symbols", 0, pb.ErrWireType},
		{"series as double", v2, msg{}.double(5, 1), "timeseries", 0, pb.ErrWireType},
		{"reference cut off", v2, table.sub(5, msg{}.str(1, "\x00\x80")), "timeseries.labels_refs", 7, pb.ErrTruncated},
		{
			"reference of eleven bytes", v2, table.sub(5, msg{}.str(1, string(long))), "timeseries.labels_refs", 7,
			pb.ErrVarint,
		},
		{
			"help reference as string", v2, table.sub(5, msg{}.sub(5, msg{}.str(3, ""))), "timeseries.metadata.help_ref", 9,
			pb.ErrWireType,
		},
		{
			"bucket counts of seven bytes", v1, msg{}.sub(1, msg{}.sub(4, msg{}.str(13, "1234567"))),
			"timeseries.histograms.positive_counts", 4, pb.ErrTruncated,
		},
		{
			"delta cut off", v1, msg{}.sub(1, msg{}.sub(4, msg{}.str(12, "\x80"))),
			"timeseries.histograms.positive_deltas", 4, pb.ErrTruncated,
		},
		{
			"deltas as double", v2, msg{}.sub(5, msg{}.sub(3, msg{}.double(9, 1))),
			"timeseries.histograms.negative_deltas", 4, pb.ErrWireType,
		},
		{
			"span offset as double", v2, msg{}.sub(5, msg{}.sub(3, msg{}.sub(8, msg{}.double(1, 1)))),
			"timeseries.histograms.negative_spans.offset", 6, pb.ErrWireType,
		},
		{
			"count as fixed32", v1, msg{}.sub(1, msg{}.sub(4, msg{}.tag(1, 5).append(msg{1, 2, 3, 4}))),
			"timeseries.histograms.count_int", 4, pb.ErrWireType,
		},
		{
			"histogram start as string", v2, msg{}.sub(5, msg{}.sub(3, msg{}.str(17, ""))),
			"timeseries.histograms.start_timestamp", 4, pb.ErrWireType,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, way := range decodeWays {
				req, err := way.decode(tt.msg, tt.t)
				var de *promwire.DecodeError
				if !errors.As(err, &de) {
					t.Fatalf("%s: %v, want a DecodeError", way.name, err)
				}
				want := promwire.DecodeError{Message: string(tt.t), Field: tt.field, Offset: tt.offset, Err: tt.err}
				if *de != want {
					t.Errorf("%s: %+v, want %+v", way.name, *de, want)
				}
				if len(req.Timeseries)+len(req.Metadata) != 0 {
					t.Errorf("%s: request is not empty: %+v", way.name, req)
				}
			}
		})
	}
}

// TestDecodeTruncated cuts each vector at each byte: what comes out is an error or a shorter request.
func TestDecodeTruncated(t *testing.T) {
	full := append([]vector{
		{name: "histogram 1.0", t: v1, want: promwire.WriteRequest{Timeseries: make([]promwire.TimeSeries, 1)}},
	}, vectors...)
	for _, v := range full {
		t.Run(v.name, func(t *testing.T) {
			src := unhex(t, v.hex)
			if v.hex == "" && len(v.want.Timeseries) > 0 {
				src = msg{}.sub(1, msg{}.sub(4, histogramFull()))
			}
			for n := range src {
				req := decodeAll(t, src[:n:n], v.t)
				if req != nil && len(req.Timeseries) > len(v.want.Timeseries) {
					t.Fatalf("cut at %d: more series than in the whole", n)
				}
				// Cut inside the last top-level field is always an error.
				if n == len(src)-1 && req != nil {
					t.Fatalf("cut at %d: no error", n)
				}
			}
		})
	}
}

// decodeAll decodes src in every way, demands that all agree, and returns the request, or nil if it is malformed.
func decodeAll(t testing.TB, src []byte, mt promwire.MessageType) *promwire.WriteRequest {
	t.Helper()
	sameItems(t, src, mt)
	var first *promwire.WriteRequest
	var firstErr error
	started := false
	for _, way := range decodeWays {
		req, err := way.decode(src, mt)
		var de *promwire.DecodeError
		if err != nil && !errors.As(err, &de) && !errors.Is(err, promwire.ErrInvalidSymbolRef) {
			t.Fatalf("%s: error of another kind: %v", way.name, err)
		}
		if de != nil && (de.Offset < 0 || de.Offset > len(src) || de.Err.Error() == "malformed message") {
			t.Fatalf("%s: error does not say what is wrong where: %+v", way.name, de)
		}
		if !started {
			first, firstErr, started = req, err, true
		}
		if (err == nil) != (firstErr == nil) || !sameRequest(req, first) {
			t.Fatalf("%s: %+v, %v\nelsewhere %+v, %v", way.name, req, err, first, firstErr)
		}
	}
	if firstErr != nil {
		return nil
	}
	return first
}
