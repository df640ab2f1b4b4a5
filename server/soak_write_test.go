package server_test

import (
	"context"
	"fmt"
	"hash/maphash"
	"net/http"
	"testing"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/workload"
	"github.com/promwire/promwire/server"
)

// digest is a storage that keeps a sum of what it gets. It refuses some samples.
type digest struct {
	t    *testing.T
	seed maphash.Seed
	text []byte
	got  total
}

type total struct {
	stats promwire.WriteStats
	sum   uint64
}

// Write implements [promwire.Writer].
func (d *digest) Write(_ context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	var stats promwire.WriteStats
	var refused []promwire.Refusal
	for i := range req.Timeseries {
		ts := &req.Timeseries[i]
		if err := ts.Labels.Validate(promwire.UTF8Names); err != nil {
			d.t.Errorf("the storage got %s: %v", ts.Labels, err)
		}
		one := ts.Stats()
		for _, v := range ts.Samples {
			if v.Timestamp%5 == 3 {
				one.Samples--
				refused = append(refused, promwire.Refusal{Series: i, Labels: ts.Labels.Clone(), Timestamp: v.Timestamp, Reason: promwire.ErrOutOfOrder})
			}
		}
		stats = stats.Add(one)
		text, err := (&promwire.WriteRequest{Timeseries: req.Timeseries[i : i+1]}).AppendProto(d.text[:0], promwire.WriteV2)
		if err != nil {
			d.t.Error(err)
		}
		d.text, d.got.sum = text, d.got.sum+maphash.Bytes(d.seed, text)
	}
	d.got.stats = d.got.stats.Add(stats)
	if len(refused) > 0 {
		return stats, &promwire.PartialWriteError{Written: stats, Refused: refused}
	}
	return stats, nil
}

// writeSeeds has messages of both versions: those of the other one are of use too.
func writeSeeds(t *testing.T, version promwire.MessageType) (seeds [][]byte) {
	for _, req := range []*promwire.WriteRequest{workload.Small(), workload.Histograms(), many(3)} {
		req.Timeseries = req.Timeseries[:min(len(req.Timeseries), 10)]
		seeds = append(seeds, encode(t, version, req))
	}
	for _, hex := range writeVectors {
		seeds = append(seeds, unhex(t, hex))
	}
	return append(seeds, corpus(t, "FuzzWriteHandler")...)
}

// TestSoakWrite holds both roads of the write handler against each other, and against what it promises for bad input.
func TestSoakWrite(t *testing.T) {
	s := newSoak(t)
	mutators := map[promwire.MessageType]*mutator{}
	for _, version := range bothTypes {
		mutators[version] = newMutator(s.rng, writeSeeds(t, version))
	}
	opts := []server.WriteOption{
		server.WithCompressions(soakCompressions...),
		server.WithWriteLimits(server.WriteLimits{MaxDecodedBytes: soakDecoded, MaxSeries: 1000, MaxMemoryBytes: 100_000}),
	}
	oracle := &digest{t: t, seed: maphash.MakeSeed()}
	store := &digest{t: t, seed: oracle.seed}
	requests, bodies := server.NewWriteHandler(oracle, opts...), server.NewWriteHandler(bodyStore{store}, opts...)
	s.run(func() int {
		version := bothTypes[s.rng.IntN(2)]
		m := mutators[version]
		s.last = m.hostile(m.message(), version.ContentType())
		oracle.got, store.got = total{}, total{}
		want, got := do(requests, s.last.request()), do(bodies, s.last.request())
		switch want.Code {
		case http.StatusNoContent, http.StatusBadRequest, http.StatusMethodNotAllowed, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType:
		default:
			t.Errorf("status %d: %s", want.Code, want.Body)
		}
		stored := oracle.got.stats
		if written := counts(want); written != "" && written != fmt.Sprintf("%d/%d/%d", stored.Samples, stored.Histograms, stored.Exemplars) {
			t.Errorf("written %q, stored %+v", written, stored)
		}
		if got.Code != want.Code || counts(got) != counts(want) || got.Body.String() != want.Body.String() || store.got != oracle.got {
			t.Errorf("roads differ: %d %q %s\n%d %q %s", want.Code, counts(want), want.Body, got.Code, counts(got), got.Body)
		}
		m.keep(want.Code == http.StatusNoContent || stored != promwire.WriteStats{})
		return want.Code
	}, 204, 400, 413, 415)
}
