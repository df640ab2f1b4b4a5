package server_test

import (
	"encoding/binary"
	"strings"
	"testing"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/server"
)

// field appends a length-delimited field.
func field(dst []byte, number byte, body string) []byte {
	return append(binary.AppendUvarint(append(dst, number<<3|2), uint64(len(body))), body...)
}

// TestWriteLabelBytes sends one long symbol with many references.
func TestWriteLabelBytes(t *testing.T) {
	msg := field(field(field(nil, 4, ""), 4, "__name__"), 4, strings.Repeat("v", 1000))
	series := string(field(nil, 1, "\x01\x02")) + "\x12\x02\x10\x01"
	for range 100 {
		msg = field(msg, 5, series)
	}
	const text = 100 * 1008
	for road, h := range bothRoads() {
		t.Log(road)
		store, handler := h(server.WithWriteLimits(server.WriteLimits{MaxLabelBytes: text - 1}))
		for range 2 {
			expect(t, do(handler, request(promwire.WriteV2, msg)), 413, "0/0/0", "more than 100799 bytes of labels")
		}
		if len(store.series) != 0 {
			t.Errorf("%d series were written", len(store.series))
		}
		for _, enough := range []int{text, 0, -1} {
			_, handler = h(server.WithWriteLimits(server.WriteLimits{MaxLabelBytes: enough}))
			expect(t, do(handler, request(promwire.WriteV2, msg)), 204, "100/0/0")
		}
	}
}
