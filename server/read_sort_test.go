package server_test

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"testing"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/chunk"
	"github.com/promwire/promwire/server"
)

// shuffled yields what a store has in any order: parts of different series mixed, those of one series in order of time.
// It uses its memory again, as storages may.
type shuffled struct{ store *memStore }

func (s shuffled) Read(_ context.Context, q promwire.Query) iter.Seq2[promwire.TimeSeries, error] {
	return func(yield func(promwire.TimeSeries, error) bool) {
		var queues [][]promwire.TimeSeries
		for _, ts := range s.store.sorted(q) {
			queues = append(queues, parts(ts, s.store.partSize))
		}
		random := rand.New(rand.NewPCG(3, 4))
		var used promwire.TimeSeries
		for len(queues) > 0 {
			i := random.IntN(len(queues))
			used.Labels = append(used.Labels[:0], queues[i][0].Labels...)
			used.Samples = append(used.Samples[:0], queues[i][0].Samples...)
			used.Histograms = append(used.Histograms[:0], queues[i][0].Histograms...)
			if !yield(used, nil) {
				return
			}
			if queues[i] = queues[i][1:]; len(queues[i]) == 0 {
				queues = append(queues[:i], queues[i+1:]...)
			}
		}
	}
}

// shuffledChunks does so with chunks.
type shuffledChunks struct{ shuffled }

func (s shuffledChunks) ReadChunks(ctx context.Context, q promwire.Query) iter.Seq2[promwire.ChunkedSeries, error] {
	return func(yield func(promwire.ChunkedSeries, error) bool) {
		var enc chunk.Encoder
		var chunks []promwire.Chunk
		for ts, err := range s.Read(ctx, q) {
			enc.Reset()
			chunks = enc.AppendHistograms(enc.AppendSamples(chunks[:0], ts.Samples), ts.Histograms)
			if !yield(promwire.ChunkedSeries{Labels: ts.Labels, Chunks: chunks}, err) {
				return
			}
		}
	}
}

func TestReadSorts(t *testing.T) {
	store := long(t, 30, 500)
	store.partSize = 130
	want := text([][]promwire.TimeSeries{store.sorted(compiled(t, all)), nil, store.sorted(compiled(t, query(match(2, "instance", ".*1:.*"))))})
	queries := []promwire.Query{all, query(), query(match(2, "instance", ".*1:.*"))}
	for name, reader := range map[string]promwire.Reader{"samples": shuffled{store}, "chunks": shuffledChunks{shuffled{store}}} {
		h := server.NewReadHandler(reader, server.WithSort(0))
		for range 2 {
			if got := text(samples(t, do(h, readRequest(wantSamples, queries...)))); got != want {
				t.Errorf("%s: got %.500s", name, got)
			}
			if got := text(stream(t, do(h, readRequest(wantStream, queries...)), 3)); got != want {
				t.Errorf("%s, stream: got %.500s", name, got)
			}
		}
		expect(t, do(server.NewReadHandler(reader), readRequest(wantSamples, all)), 500, "", "out of label order")
	}
}

// TestReadSortIsBounded: what is too much to sort is refused before memory is taken for it, and the client is told.
func TestReadSortIsBounded(t *testing.T) {
	const bound = 1 << 20
	for name, types := range map[string][]promwire.ResponseType{"samples": wantSamples, "stream": wantStream} {
		t.Run(name, func(t *testing.T) {
			h := server.NewReadHandler(counters(20_000, 1000, 1000), server.WithSort(bound))
			r := readRequest(types, all)
			used := allocated(func() {
				expect(t, do(h, r), 400, "", fmt.Sprintf("more than %d bytes to be sorted", bound))
			})
			if used > 4*bound {
				t.Errorf("took %d KiB", used>>10)
			}
			samples(t, do(server.NewReadHandler(counters(20, 1000, 1000), server.WithSort(bound)), readRequest(wantSamples, all)))
		})
	}
}

// TestReadSortNeedsTimeOrder: sorting brings parts of a series together, in the order in which they came.
func TestReadSortNeedsTimeOrder(t *testing.T) {
	a, b := series([]float64{1}, "__name__", "a"), series([]float64{1}, "__name__", "b")
	late := a.Clone()
	late.Samples[0].Timestamp--
	reader := readerFunc(func(context.Context, promwire.Query) iter.Seq2[promwire.TimeSeries, error] {
		return func(yield func(promwire.TimeSeries, error) bool) {
			_ = yield(a, nil) && yield(b, nil) && yield(late, nil)
		}
	})
	for _, types := range [][]promwire.ResponseType{wantSamples, wantStream} {
		expect(t, do(server.NewReadHandler(reader, server.WithSort(0)), readRequest(types, all)), 500, "", "out of time order")
	}
}
