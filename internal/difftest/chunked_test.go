package difftest

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"testing"

	"github.com/prometheus/prometheus/prompb"

	"github.com/promwire/promwire"
)

func (s *source) chunked() *promwire.ChunkedReadResponse {
	r := &promwire.ChunkedReadResponse{QueryIndex: int64(s.intn(3))}
	if s.one(8) {
		r.QueryIndex = s.int64()
	}
	for len(r.ChunkedSeries) < 4 && !s.done() {
		series := promwire.ChunkedSeries{Labels: s.labels()}
		for range s.intn(4) {
			c := promwire.Chunk{
				MinTime: s.int64(), MaxTime: s.int64(), Encoding: promwire.ChunkEncoding(s.intn(8)), Data: []byte(s.text(60)),
			}
			if s.one(8) {
				c.Encoding = promwire.ChunkEncoding(int32(s.int64()))
			}
			series.Chunks = append(series.Chunks, c)
		}
		r.ChunkedSeries = append(r.ChunkedSeries, series)
	}
	return r
}

func toChunked(r *promwire.ChunkedReadResponse) *prompb.ChunkedReadResponse {
	out := &prompb.ChunkedReadResponse{QueryIndex: r.QueryIndex}
	for _, series := range r.ChunkedSeries {
		p := &prompb.ChunkedSeries{Labels: toLabelsV1(series.Labels)}
		for _, c := range series.Chunks {
			p.Chunks = append(p.Chunks, prompb.Chunk{
				MinTimeMs: c.MinTime, MaxTimeMs: c.MaxTime, Type: prompb.Chunk_Encoding(c.Encoding), Data: c.Data,
			})
		}
		out.ChunkedSeries = append(out.ChunkedSeries, p)
	}
	return out
}

// diffChunked compares a decoded frame with the library's, or returns "".
func diffChunked(got *promwire.ChunkedReadResponse, want *prompb.ChunkedReadResponse) string {
	if got.QueryIndex != want.QueryIndex || len(got.ChunkedSeries) != len(want.ChunkedSeries) {
		return fmt.Sprintf("got %+v, want %+v", got, want)
	}
	for i, w := range want.ChunkedSeries {
		g := &got.ChunkedSeries[i]
		same := slices.EqualFunc(g.Chunks, w.Chunks, func(a promwire.Chunk, b prompb.Chunk) bool {
			return a.MinTime == b.MinTimeMs && a.MaxTime == b.MaxTimeMs && a.Encoding == promwire.ChunkEncoding(b.Type) &&
				bytes.Equal(a.Data, b.Data)
		})
		if !same || !slices.Equal(g.Labels, fromLabelsV1(w.Labels)) {
			return fmt.Sprintf("series %d: got %+v, want %+v", i, g, w)
		}
	}
	return ""
}

func checkChunked(t *testing.T, s *source) {
	t.Helper()
	r := s.chunked()
	want, err := toChunked(r).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if got := r.AppendProto(nil); !bytes.Equal(got, want) {
		t.Fatalf("got  %x\nwant %x\nfrom %+v", got, want, r)
	}
	var reused promwire.ChunkedReadResponse
	eachDamage(s, want, func(msg []byte) { compareChunked(t, &reused, msg) })

	frames := promwire.NewFrameReader(bytes.NewReader(promwire.AppendFrame(promwire.AppendFrame(nil, r), r)), 0)
	for range 2 {
		if err := frames.Next(&reused); err != nil {
			if err == io.EOF && len(want) == 0 {
				return
			}
			t.Fatal(err)
		}
		if diff := diffChunked(&reused, toChunked(r)); diff != "" {
			t.Fatalf("frame: %s", diff)
		}
	}
	if err := frames.Next(&reused); err != io.EOF {
		t.Fatalf("behind the last frame: got %v", err)
	}
}

func compareChunked(t *testing.T, got *promwire.ChunkedReadResponse, msg []byte) {
	t.Helper()
	var want prompb.ChunkedReadResponse
	if !sameVerdict(t, got.UnmarshalProtoAlias(msg), want.Unmarshal(msg)) {
		return
	}
	if diff := diffChunked(got, &want); diff != "" {
		t.Fatal(diff)
	}
}

func TestChunked(t *testing.T) { eachSource(t, 1000, checkChunked) }

func FuzzChunkedBytes(f *testing.F) {
	seedMessages(f, func(s *source) ([]byte, error) { return toChunked(s.chunked()).Marshal() })
	f.Fuzz(func(t *testing.T, msg []byte) { compareChunked(t, &promwire.ChunkedReadResponse{}, msg) })
}
