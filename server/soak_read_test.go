package server_test

import (
	"bytes"
	"math"
	"net/http"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/server"
)

func readSeeds(t *testing.T) (seeds [][]byte) {
	whole := promwire.Query{
		Start: time.UnixMilli(math.MinInt32), End: time.UnixMilli(math.MaxInt32), Matchers: []promwire.Matcher{match(promwire.MatchRegexp, "__name__", ".+")},
		Hints: promwire.ReadHints{Step: time.Minute, Func: "rate", Grouping: []string{"job"}, By: true, Range: time.Minute},
	}
	for _, types := range [][]promwire.ResponseType{wantSamples, wantStream, {promwire.ResponseStreamedXORChunks, promwire.ResponseSamples}} {
		req := promwire.ReadRequest{Queries: []promwire.Query{all, query(match(promwire.MatchNotRegexp, "job", "a|b.*")), whole}, AcceptedResponseTypes: types}
		seeds = append(seeds, req.AppendProto(nil))
	}
	for _, hex := range readVectors {
		seeds = append(seeds, unhex(t, hex))
	}
	return append(seeds, corpus(t, "FuzzReadHandler")...)
}

// TestSoakRead holds three read handlers against each other: queries one by one, side by side, and handed through as chunks.
func TestSoakRead(t *testing.T) {
	s := newSoak(t)
	m := newMutator(s.rng, readSeeds(t))
	store := filled(t)
	l := server.ReadLimits{MaxDecodedBytes: soakDecoded, MaxQueries: 10, MaxMatchers: 20, MaxPatternBytes: 200}
	sideBySide := server.NewReadHandler(store, server.WithReadLimits(l), server.WithSort(0))
	l.MaxParallelQueries = 1
	plain := server.NewReadHandler(store, server.WithReadLimits(l))
	chunks := server.NewReadHandler(chunkStore{store}, server.WithReadLimits(l))
	s.run(func() int {
		s.last = m.hostile(m.message(), promwire.ContentTypeProtobuf)
		want, other, third := do(plain, s.last.request()), do(sideBySide, s.last.request()), do(chunks, s.last.request())
		switch want.Code {
		case http.StatusOK:
			if body := bytes.Clone(want.Body.Bytes()); want.Header().Get("Content-Encoding") == "snappy" {
				samples(t, want)
				want.Body = bytes.NewBuffer(body)
			} else {
				stream(t, want, 10)
				want.Body = bytes.NewBuffer(body)
			}
		case http.StatusBadRequest, http.StatusMethodNotAllowed, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType:
		default:
			t.Errorf("status %d: %s", want.Code, want.Body)
		}
		if other.Code != want.Code || !bytes.Equal(other.Body.Bytes(), want.Body.Bytes()) {
			t.Errorf("side by side: status %d, one by one %d, bodies %q and %q", other.Code, want.Code, other.Body, want.Body)
		}
		if third.Code != want.Code {
			t.Errorf("status %d of chunks, %d of samples: %s", third.Code, want.Code, third.Body)
		}
		m.keep(want.Code == http.StatusOK)
		return want.Code
	}, 200, 400, 413, 415)
}
