package server_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/server"
)

// named is a query whose number the storages of these tests know by its only matcher.
func named(i int) promwire.Query { return query(match(0, "__name__", fmt.Sprint(i))) }

func number(q promwire.Query) (i int) {
	_, _ = fmt.Sscan(q.Matchers[0].Value, &i)
	return i
}

func namedQueries(n int) (all []promwire.Query) {
	for i := range n {
		all = append(all, named(i))
	}
	return all
}

// meeting counts the queries that are read at the same time. Each waits until nobody else comes.
type meeting struct {
	now, most atomic.Int64
	goOn      chan struct{}
}

func (m *meeting) Read(ctx context.Context, q promwire.Query) iter.Seq2[promwire.TimeSeries, error] {
	return func(yield func(promwire.TimeSeries, error) bool) {
		n := m.now.Add(1)
		for most := m.most.Load(); n > most && !m.most.CompareAndSwap(most, n); most = m.most.Load() {
		}
		<-m.goOn
		m.now.Add(-1)
		yield(series([]float64{float64(number(q))}, "__name__", "m"), nil)
	}
}

// TestReadSideBySide: as many queries of a request are read at a time as there are lanes, and places in the handler.
func TestReadSideBySide(t *testing.T) {
	for _, tt := range []struct {
		limits server.ReadLimits
		want   int64
	}{
		{server.ReadLimits{}, 4},
		{server.ReadLimits{MaxParallelQueries: 1}, 1},
		{server.ReadLimits{MaxParallelQueries: 20}, 10}, // places in all
		{server.ReadLimits{MaxParallelQueries: -1, MaxConcurrent: -1}, 15},
		{server.ReadLimits{MaxConcurrent: 2}, 2},
	} {
		for name, types := range map[string][]promwire.ResponseType{"samples": wantSamples, "stream": wantStream} {
			t.Run(fmt.Sprintf("%s %+v", name, tt.limits), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					m := &meeting{goOn: make(chan struct{})}
					h := server.NewReadHandler(m, server.WithReadLimits(tt.limits))
					for range 2 { // places were given back
						m.most.Store(0)
						answer := make(chan *httptest.ResponseRecorder)
						go func() { answer <- do(h, readRequest(types, namedQueries(15)...)) }()
						for range 15 {
							synctest.Wait()
							m.goOn <- struct{}{}
						}
						w := <-answer
						var got [][]promwire.TimeSeries
						if types[0] == promwire.ResponseSamples {
							got = samples(t, w)
						} else {
							got = stream(t, w, 15)
						}
						for i, result := range got {
							if len(result) != 1 || result[0].Samples[0].Value != float64(i) {
								t.Errorf("result %d is %+v", i, result)
							}
						}
						if m.most.Load() != tt.want {
							t.Errorf("%d queries side by side, want %d", m.most.Load(), tt.want)
						}
					}
				})
			})
		}
	}
}

// TestReadSideBySideLeavesPlaces: queries beyond the first take free places only, so that other requests are not kept
// out by more than one request can take.
func TestReadSideBySideLeavesPlaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &meeting{goOn: make(chan struct{})}
		h := server.NewReadHandler(m, server.WithReadLimits(server.ReadLimits{MaxConcurrent: 5, MaxParallelQueries: 4}))
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() { samples(t, do(h, readRequest(nil, namedQueries(4)...))) })
		}
		synctest.Wait()
		if n := m.now.Load(); n != 5 {
			t.Errorf("%d queries at the same time, want 5", n)
		}
		for range 12 {
			m.goOn <- struct{}{}
			synctest.Wait()
		}
		wg.Wait()
		if m.most.Load() != 5 {
			t.Errorf("%d queries at the same time, want 5", m.most.Load())
		}
	})
}

// TestReadAheadIsBounded: while the first query of a stream waits, the others are read only as far as pipes and lanes
// reach, whatever they select.
func TestReadAheadIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var yielded atomic.Int64
		first := make(chan struct{})
		h := server.NewReadHandler(readerFunc(func(ctx context.Context, q promwire.Query) iter.Seq2[promwire.TimeSeries, error] {
			return func(yield func(promwire.TimeSeries, error) bool) {
				if number(q) == 0 {
					<-first
				}
				for ts, err := range endless(60, func(func(promwire.TimeSeries, error) bool) {})(ctx, q) {
					yielded.Add(1)
					if !yield(ts, err) {
						return
					}
				}
			}
		}))
		answer := make(chan *httptest.ResponseRecorder)
		go func() { answer <- do(h, readRequest(wantStream, namedQueries(8)...)) }()
		synctest.Wait()
		// A series has 7 kB in a stream. Three lanes are ahead, with two buffers in the pipe and one at hand each.
		if n := yielded.Load(); n < 3*10 || n > 3*3*12 {
			t.Errorf("%d series read ahead", n)
		}
		close(first)
		got := stream(t, <-answer, 8)
		for i, result := range got {
			if len(result) != 60 {
				t.Errorf("query %d: %d series", i, len(result))
			}
		}
	})
}

// faulty answers all queries but one, which fails in its own way.
func faulty(bad int, fail func(yield func(promwire.TimeSeries, error) bool), ended *atomic.Int64) readerFunc {
	return func(ctx context.Context, q promwire.Query) iter.Seq2[promwire.TimeSeries, error] {
		return func(yield func(promwire.TimeSeries, error) bool) {
			defer ended.Add(1)
			switch i := number(q); {
			case i == bad:
				fail(yield)
			case i > bad:
				<-ctx.Done() // until the others are told to end
				yield(promwire.TimeSeries{}, ctx.Err())
			default:
				yield(series([]float64{1}, "__name__", "m"), nil)
			}
		}
	}
}

func TestReadSideBySideFails(t *testing.T) {
	for name, types := range map[string][]promwire.ResponseType{"samples": wantSamples, "stream": wantStream} {
		for bad := range 4 {
			t.Run(fmt.Sprintf("%s, query %d", name, bad), func(t *testing.T) {
				var ended atomic.Int64
				h := server.NewReadHandler(faulty(bad, func(yield func(promwire.TimeSeries, error) bool) {
					yield(promwire.TimeSeries{}, errors.New("disk on fire"))
				}, &ended))
				w := httptest.NewRecorder()
				func() {
					defer func() {
						if p := recover(); p != nil && p != any(http.ErrAbortHandler) {
							panic(p)
						}
					}()
					h.ServeHTTP(w, readRequest(types, namedQueries(4)...))
				}()
				// What is sent of the queries before the bad one is up to chance.
				if w.Code != 500 && (types[0] == promwire.ResponseSamples || w.Code != 200) || !strings.Contains(w.Body.String(), "disk on fire") {
					t.Errorf("%d: %q", w.Code, w.Body)
				}
				// Nobody reads any more.
				if n := ended.Load(); n == 0 || n > 4 {
					t.Errorf("%d reads ended", n)
				}
			})
		}
	}
}

// TestReadSideBySidePanics: a panic of the storage in a goroutine of the handler goes on in that of the request, and
// places are free again.
func TestReadSideBySidePanics(t *testing.T) {
	for name, types := range map[string][]promwire.ResponseType{"samples": wantSamples, "stream": wantStream} {
		t.Run(name, func(t *testing.T) {
			var ended atomic.Int64
			bomb := faulty(2, func(func(promwire.TimeSeries, error) bool) { panic("storage bug") }, &ended)
			var reader promwire.Reader = bomb
			h := server.NewReadHandler(readerFunc(func(ctx context.Context, q promwire.Query) iter.Seq2[promwire.TimeSeries, error] {
				return reader.Read(ctx, q)
			}), server.WithReadLimits(server.ReadLimits{MaxConcurrent: 4}))
			func() {
				defer func() {
					if p := recover(); p != "storage bug" {
						t.Errorf("panic %v", p)
					}
				}()
				do(h, readRequest(types, namedQueries(4)...))
			}()
			reader = filled(t)
			for range 5 {
				samples(t, do(h, readRequest(nil, all, all, all, all)))
			}
		})
	}
}

// TestReadSideBySideEqualsOneByOne reads many queries of all sizes, on all roads.
func TestReadSideBySideEqualsOneByOne(t *testing.T) {
	store := long(t, 25, 200)
	store.partSize = 90
	var queries []promwire.Query
	for i := range 20 {
		q := query(match(2, "instance", fmt.Sprintf(`10\.0\.0\.%d.*`, i)))
		if i%3 == 0 {
			q = all
		}
		queries = append(queries, q, query())
	}
	one := readRoads(store, server.WithReadLimits(server.ReadLimits{MaxParallelQueries: 1}))
	for road, read := range readRoads(store) {
		for range 2 {
			if !sameData(read(t, queries...), one[road](t, queries...)) {
				t.Errorf("%s: other data", road)
			}
		}
	}
}
