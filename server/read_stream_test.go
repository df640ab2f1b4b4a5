package server_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/server"
)

// endless yields parts of ever new series until the loop ends, or fails after n parts.
func endless(n int, fail func(yield func(promwire.TimeSeries, error) bool)) readerFunc {
	return func(context.Context, promwire.Query) iter.Seq2[promwire.TimeSeries, error] {
		return func(yield func(promwire.TimeSeries, error) bool) {
			ts := series(make([]float64, 1000), "__name__", "m", "i", "")
			for i := range ts.Samples {
				ts.Samples[i].Value = float64(i*i%97) + 0.1
			}
			for i := range n {
				ts.Labels = promwire.LabelsFromStrings("__name__", "m", "i", fmt.Sprintf("%06d", i))
				if !yield(ts, nil) {
					return
				}
			}
			fail(yield)
		}
	}
}

// counters yields n series of size samples each, in parts, out of memory that it takes once.
func counters(n, size, part int) readerFunc {
	random := rand.New(rand.NewPCG(1, 2))
	labels := make([]promwire.Labels, n)
	for i := range labels {
		labels[i] = promwire.LabelsFromStrings("__name__", "m", "i", fmt.Sprintf("%06d", i))
	}
	values := make([]float64, part)
	for i := range values {
		values[i] = float64(random.IntN(1_000_000))
	}
	return func(context.Context, promwire.Query) iter.Seq2[promwire.TimeSeries, error] {
		return func(yield func(promwire.TimeSeries, error) bool) {
			ts := promwire.TimeSeries{Samples: make([]promwire.Sample, part)}
			for i := range labels {
				for at := 0; at < size; at += part {
					for k := range ts.Samples {
						ts.Samples[k] = promwire.Sample{Timestamp: int64(at + k), Value: values[k]}
					}
					ts.Labels = labels[i]
					if !yield(ts, nil) {
						return
					}
				}
			}
		}
	}
}

// counting is a ResponseWriter that counts and forgets.
type counting struct {
	header                 http.Header
	status, bytes, flushes int
}

func (c *counting) Header() http.Header { return c.header }
func (c *counting) WriteHeader(s int)   { c.status = s }
func (c *counting) Flush()              { c.flushes++ }

func (c *counting) Write(p []byte) (int, error) {
	c.bytes += len(p)
	return len(p), nil
}

func TestReadStreamTakesConstantMemory(t *testing.T) {
	h := server.NewReadHandler(endless(1500, func(func(promwire.TimeSeries, error) bool) {}))
	w := &counting{header: http.Header{}}
	r := readRequest(wantStream, all)
	used := allocated(func() { h.ServeHTTP(w, r) })
	if w.bytes < 4<<20 || w.flushes < 50 {
		t.Fatalf("stream of %d bytes with %d flushes", w.bytes, w.flushes)
	}
	if used > 2<<20 { // most of it the labels that the test makes
		t.Errorf("%d KiB allocated for a stream of %d KiB", used>>10, w.bytes>>10)
	}
}

// broken is a connection whose peer has gone.
type broken struct{ counting }

func (broken) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestReadStopsWhenClientIsGone(t *testing.T) {
	h := server.NewReadHandler(endless(1000, func(func(promwire.TimeSeries, error) bool) {
		t.Error("the storage was read to its end")
	}))
	defer func() {
		if err, _ := recover().(error); !errors.Is(err, http.ErrAbortHandler) {
			t.Errorf("panic %v, want http.ErrAbortHandler", err)
		}
	}()
	h.ServeHTTP(&broken{counting{header: http.Header{}}}, readRequest(wantStream, all))
}

func TestReadConcurrencyLimit(t *testing.T) {
	entered, proceed := make(chan struct{}), make(chan struct{})
	store := filled(t)
	h := server.NewReadHandler(readerFunc(func(ctx context.Context, q promwire.Query) iter.Seq2[promwire.TimeSeries, error] {
		entered <- struct{}{}
		<-proceed
		return store.Read(ctx, q)
	}), server.WithReadLimits(server.ReadLimits{MaxConcurrent: 1}))
	var wg sync.WaitGroup
	wg.Go(func() { samples(t, do(h, readRequest(nil, all))) })
	<-entered

	// The only slot is taken: who does not wait is told to come again.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	expect(t, do(h, readRequest(nil, all).WithContext(ctx)), 503, "", "waiting for one of 1 slots")

	// Who waits gets it.
	wg.Go(func() { samples(t, do(h, readRequest(nil, all))) })
	proceed <- struct{}{}
	<-entered
	proceed <- struct{}{}
	wg.Wait()
}

func TestReadPanicFreesItsSlot(t *testing.T) {
	bomb := true
	store := filled(t)
	h := server.NewReadHandler(readerFunc(func(ctx context.Context, q promwire.Query) iter.Seq2[promwire.TimeSeries, error] {
		if bomb {
			panic("storage bug")
		}
		return store.Read(ctx, q)
	}), server.WithReadLimits(server.ReadLimits{MaxConcurrent: 1}))
	func() {
		defer func() {
			if recover() != "storage bug" {
				t.Error("the panic was swallowed")
			}
		}()
		do(h, readRequest(nil, all))
	}()
	bomb = false
	samples(t, do(h, readRequest(nil, all)))
}

func TestReadCancelled(t *testing.T) {
	for _, types := range [][]promwire.ResponseType{wantSamples, wantStream} {
		ctx, cancel := context.WithCancel(t.Context())
		h := server.NewReadHandler(endless(3, func(func(promwire.TimeSeries, error) bool) { cancel() }))
		expect(t, do(h, readRequest(types, all).WithContext(ctx)), 503, "", "context canceled")
	}
}

// Chunks with start timestamps are nothing that a reader could refuse, so they are not sent.
func TestReadRecodesChunks(t *testing.T) {
	// Made by the Prometheus library: 1, 1.5, 2 at 1000, 2000, 3000, starts at 500, 500, 2500.
	xor2 := promwire.Chunk{MinTime: 1000, MaxTime: 3000, Encoding: promwire.ChunkXOR2, Data: unhex(t, "000382d00f3ff0000000000000e807e807cc074267fffb8300")}
	xor := promwire.Chunk{MinTime: 4000, MaxTime: 4000, Encoding: promwire.ChunkXOR, Data: unhex(t, "0001c03e4010000000000000")}
	for _, tt := range []struct {
		name   string
		chunks []promwire.Chunk
		want   string
	}{
		{"mixed", []promwire.Chunk{xor2, xor}, "0: m 1@1000 1.5@2000 2@3000 4@4000\n"},
		{"as they are", []promwire.Chunk{xor}, "0: m 4@4000\n"},
		{"unknown", []promwire.Chunk{{Encoding: 9}}, ""},
		{"malformed", []promwire.Chunk{{Encoding: promwire.ChunkXOR2, Data: []byte{0}}}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := server.NewReadHandler(chunkFunc{tt.chunks})
			w := do(h, readRequest(wantStream, all))
			if tt.want == "" {
				expect(t, w, 500, "", "chunk 0 of the storage")
				return
			}
			got := text(stream(t, w, 1, func(c *promwire.ChunkedReadResponse) {
				for _, ch := range c.ChunkedSeries[0].Chunks {
					if ch.Encoding != promwire.ChunkXOR {
						t.Errorf("chunk with encoding %d", ch.Encoding)
					}
				}
			}))
			if got != tt.want {
				t.Errorf("got %s", got)
			}
		})
	}
}

// chunkFunc yields one series with the chunks.
type chunkFunc struct{ chunks []promwire.Chunk }

func (chunkFunc) Read(context.Context, promwire.Query) iter.Seq2[promwire.TimeSeries, error] {
	panic("not used for streams")
}

func (c chunkFunc) ReadChunks(context.Context, promwire.Query) iter.Seq2[promwire.ChunkedSeries, error] {
	return func(yield func(promwire.ChunkedSeries, error) bool) {
		yield(promwire.ChunkedSeries{Labels: promwire.LabelsFromStrings("__name__", "m"), Chunks: c.chunks}, nil)
	}
}

func TestReadParallel(t *testing.T) {
	big, small := long(t, 5, 3000), filled(t)
	wantBig, wantSmall := text([][]promwire.TimeSeries{big.sorted(compiled(t, all))}), text([][]promwire.TimeSeries{small.sorted(compiled(t, query(match(0, "__name__", "up"))))})
	h := server.NewReadHandler(readerFunc(func(ctx context.Context, q promwire.Query) iter.Seq2[promwire.TimeSeries, error] {
		if len(q.Matchers) == 1 && q.Matchers[0].Value == "up" {
			return small.Read(ctx, q)
		}
		return big.Read(ctx, q)
	}))
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			for i := range 6 {
				q, want := all, wantBig
				if (worker+i)%2 == 0 {
					q, want = query(match(0, "__name__", "up")), wantSmall
				}
				got := text(samples(t, do(h, readRequest(nil, q))))
				if i%3 == 0 {
					got = text(stream(t, do(h, readRequest(wantStream, q)), 1))
				}
				if got != want {
					t.Errorf("got %.300s", got)
				}
			}
		})
	}
	wg.Wait()
}
