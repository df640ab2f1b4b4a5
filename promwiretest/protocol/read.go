package protocol

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/chunk"
	"github.com/promwire/promwire/internal/same"
)

// maxDecoded bounds what an answer may decompress to.
const maxDecoded = 64 << 20

// usualFrame is where servers close a frame, and readers give up far beyond it.
const usualFrame = 2 << 20

var (
	streamOnly  = []promwire.ResponseType{promwire.ResponseStreamedXORChunks}
	samplesOnly = []promwire.ResponseType{promwire.ResponseSamples}
)

func readBody(types []promwire.ResponseType, queries ...promwire.Query) []byte {
	req := promwire.ReadRequest{Queries: queries, AcceptedResponseTypes: types}
	return snappy(req.AppendProto(nil))
}

// read sends queries.
func (p *probe) read(types []promwire.ResponseType, queries ...promwire.Query) *answer {
	return p.send(http.MethodPost, p.readURL, readHeaders(), readBody(types, queries...))
}

// results decodes an answer of type SAMPLES to n queries.
func (a *answer) results(n int) ([]promwire.QueryResult, error) {
	switch contentType := a.header.Get("Content-Type"); {
	case a.err != nil:
		return nil, a.err
	case a.status != http.StatusOK:
		return nil, fmt.Errorf("status %d for a good query", a.status)
	case contentType != promwire.ContentTypeProtobuf:
		return nil, fmt.Errorf("content type %q, want %q", contentType, promwire.ContentTypeProtobuf)
	case a.header.Get("Content-Encoding") != promwire.EncodingSnappy:
		return nil, fmt.Errorf("content encoding %q, want %q", a.header.Get("Content-Encoding"), promwire.EncodingSnappy)
	}
	msg, err := promwire.Snappy.AppendDecoded(nil, a.body, maxDecoded)
	if err != nil {
		return nil, fmt.Errorf("the body is no snappy block: %w", err)
	}
	var resp promwire.ReadResponse
	if err := resp.UnmarshalProto(msg); err != nil {
		return nil, err
	}
	if len(resp.Results) != n {
		return nil, fmt.Errorf("%d results for %d queries", len(resp.Results), n)
	}
	return resp.Results, nil
}

// readSamples reads what a query selects, in label order, without leaving a note.
func (p *probe) readSamples(q promwire.Query) ([]promwire.TimeSeries, error) {
	a := p.exchange(http.MethodPost, p.readURL, readHeaders(), readBody(nil, q))
	results, err := a.results(1)
	if err != nil {
		return nil, err
	}
	series := results[0].Timeseries
	for i := range series {
		if err := inOrder(&series[i]); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(series, func(x, y promwire.TimeSeries) int { return x.Labels.Compare(y.Labels) })
	return series, nil
}

// inOrder checks the times of a series.
func inOrder(ts *promwire.TimeSeries) error {
	for i := 1; i < len(ts.Samples); i++ {
		if ts.Samples[i].Timestamp <= ts.Samples[i-1].Timestamp {
			return fmt.Errorf("%s: sample at %d behind one at %d", ts.Labels, ts.Samples[i].Timestamp, ts.Samples[i-1].Timestamp)
		}
	}
	for i := 1; i < len(ts.Histograms); i++ {
		if ts.Histograms[i].Timestamp <= ts.Histograms[i-1].Timestamp {
			return fmt.Errorf("%s: histogram at %d behind one at %d", ts.Labels, ts.Histograms[i].Timestamp, ts.Histograms[i-1].Timestamp)
		}
	}
	return nil
}

// frame is one frame of a stream.
type frame struct {
	promwire.ChunkedReadResponse
	size int
}

// frames decodes a stream, and checks its form.
func (a *answer) frames() ([]frame, error) {
	switch contentType := a.header.Get("Content-Type"); {
	case a.err != nil:
		return nil, a.err
	case a.status != http.StatusOK:
		return nil, fmt.Errorf("status %d for a good query", a.status)
	case !strings.HasPrefix(contentType, promwire.ContentTypeStream):
		return nil, fmt.Errorf("content type %q, want %q: readers compare its bytes, and the blank", contentType, promwire.ContentTypeStream)
	case a.header.Get("Content-Encoding") != "":
		return nil, fmt.Errorf("content encoding %q of a stream, want none", a.header.Get("Content-Encoding"))
	}
	source := bytes.NewReader(a.body)
	reader := promwire.NewFrameReader(source, 0)
	var all []frame
	for {
		var c promwire.ChunkedReadResponse
		err := reader.Next(&c)
		if errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return all, nil
		}
		if err != nil {
			return nil, fmt.Errorf("frame %d: %w", len(all), err)
		}
		if len(c.ChunkedSeries) != 1 {
			return nil, fmt.Errorf("frame %d has %d series, want one: readers look at the first only", len(all), len(c.ChunkedSeries))
		}
		all = append(all, frame{clone(&c), len(c.AppendProto(nil))})
	}
}

// clone makes a copy of c, which is valid until the next frame.
func clone(c *promwire.ChunkedReadResponse) promwire.ChunkedReadResponse {
	out := promwire.ChunkedReadResponse{QueryIndex: c.QueryIndex}
	for _, s := range c.ChunkedSeries {
		s.Labels = s.Labels.Clone()
		s.Chunks = slices.Clone(s.Chunks)
		for i := range s.Chunks {
			s.Chunks[i].Data = bytes.Clone(s.Chunks[i].Data)
		}
		out.ChunkedSeries = append(out.ChunkedSeries, s)
	}
	return out
}

// joined decodes the chunks of all frames of one query, cut to its range, and checks the order of frames.
func joined(frames []frame, index int64, q promwire.Query) ([]promwire.TimeSeries, error) {
	lo, hi := q.Range()
	var all []promwire.TimeSeries
	var decoder chunk.Decoder
	for i := range frames {
		if frames[i].QueryIndex != index {
			continue
		}
		part := frames[i].ChunkedSeries[0]
		if n := len(all); n == 0 || !all[n-1].Labels.Equal(part.Labels) {
			if n > 0 && all[n-1].Labels.Compare(part.Labels) > 0 {
				return nil, fmt.Errorf("series %s comes behind %s", part.Labels, all[n-1].Labels)
			}
			all = append(all, promwire.TimeSeries{Labels: part.Labels})
		}
		ts := &all[len(all)-1]
		for j, c := range part.Chunks {
			if err := appendChunk(&decoder, ts, c, lo, hi); err != nil {
				return nil, fmt.Errorf("frame %d, chunk %d: %w", i, j, err)
			}
		}
	}
	for i := range all {
		if err := inOrder(&all[i]); err != nil {
			return nil, err
		}
	}
	return slices.DeleteFunc(all, func(ts promwire.TimeSeries) bool { return len(ts.Samples)+len(ts.Histograms) == 0 }), nil
}

// appendChunk decodes a chunk and holds its times against those that it announces.
func appendChunk(d *chunk.Decoder, ts *promwire.TimeSeries, c promwire.Chunk, lo, hi int64) error {
	if c.Encoding < promwire.ChunkXOR || c.Encoding > promwire.ChunkFloatHistogram {
		return fmt.Errorf("encoding %d, which older readers do not know and cannot refuse", c.Encoding)
	}
	var whole promwire.TimeSeries
	if err := d.Append(&whole, c, -1<<63, 1<<63-1); err != nil {
		return err
	}
	for _, s := range whole.Samples {
		if s.Timestamp < c.MinTime || s.Timestamp > c.MaxTime {
			return fmt.Errorf("holds a sample at %d, and announces %d to %d", s.Timestamp, c.MinTime, c.MaxTime)
		}
	}
	for i := range whole.Histograms {
		if t := whole.Histograms[i].Timestamp; t < c.MinTime || t > c.MaxTime {
			return fmt.Errorf("holds a histogram at %d, and announces %d to %d", t, c.MinTime, c.MaxTime)
		}
	}
	return d.Append(ts, c, lo, hi)
}

// wantStream reads a query as a stream, and compares.
func (p *probe) wantStream(q promwire.Query, want ...promwire.TimeSeries) {
	diff := ""
	settled := p.settled(func() bool {
		a := p.exchange(http.MethodPost, p.readURL, readHeaders(), readBody(streamOnly, q))
		frames, err := a.frames()
		var got []promwire.TimeSeries
		if err == nil {
			got, err = joined(frames, 0, q)
		}
		if diff = same.All(got, want); err != nil {
			diff = err.Error()
		}
		return diff == ""
	})
	if !settled {
		p.fail("streamed: %s", diff)
	}
}
