package remote

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"testing"

	"github.com/promwire/promwire"
)

// noise makes a request of one series whose samples do not compress, about 17 bytes each.
func noise(name string, samples int) *promwire.WriteRequest {
	random := rand.New(rand.NewPCG(1, 2))
	ts := promwire.TimeSeries{Labels: promwire.LabelsFromStrings("__name__", name)}
	for range samples {
		ts.Samples = append(ts.Samples, promwire.Sample{Timestamp: random.Int64(), Value: random.Float64()})
	}
	return &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{ts}}
}

func body(t testing.TB, req *promwire.WriteRequest, message promwire.MessageType) []byte {
	t.Helper()
	p := newPayload()
	defer p.release()
	if _, _, err := p.encode(req, format{message, promwire.Snappy}); err != nil {
		t.Fatal(err)
	}
	return bytes.Clone(p.compressed)
}

// A server that answers before it has read the body leaves net/http writing the body after Write has returned. The
// memory must not be used again before that has ended.
func TestEarlyAnswerDoesNotCorruptTheBody(t *testing.T) {
	slow := noise("slow", 300_000)
	want := body(t, slow, v1)
	early := newEarlyServer(t, want)
	c := newWriteClient(t, "http://"+early.listener.Addr().String(), WithMessageType(v1))
	for range 4 {
		_, err := c.Write(context.Background(), slow)
		var answer *promwire.HTTPError
		if !errors.As(err, &answer) || answer.StatusCode != http.StatusRequestEntityTooLarge || answer.Body != "no" {
			t.Fatalf("got %v, want the early 413", err)
		}
		scribble()
		early.resume <- struct{}{}
	}
	c.CloseIdleConnections()
	early.close()
	if early.bytes < 4<<10 {
		t.Errorf("server has seen %d bytes: too few to prove anything", early.bytes)
	}
}

// scribble does what the next request would do: it overwrites the memory that it finds in the pool.
func scribble() {
	var taken []*payload
	for range 8 {
		p := newPayload()
		all := p.compressed[:cap(p.compressed)]
		for i := range all {
			all[i] = 'x'
		}
		taken = append(taken, p)
	}
	for _, p := range taken {
		p.release()
	}
}

// earlyServer answers 413 as soon as it has the headers, and on resume compares whatever still comes with the body
// it knows.
type earlyServer struct {
	t        *testing.T
	listener net.Listener
	want     []byte
	resume   chan struct{}
	done     sync.WaitGroup
	mu       sync.Mutex
	bytes    int64
}

func newEarlyServer(t *testing.T, want []byte) *earlyServer {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &earlyServer{t: t, listener: l, want: want, resume: make(chan struct{})}
	s.done.Add(1)
	go s.accept()
	return s
}

func (s *earlyServer) close() {
	_ = s.listener.Close()
	s.done.Wait()
}

func (s *earlyServer) accept() {
	defer s.done.Done()
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.done.Add(1)
		go s.serve(conn)
	}
}

func (s *earlyServer) serve(conn net.Conn) {
	defer s.done.Done()
	defer conn.Close()
	r := bufio.NewReader(conn)
	for {
		req, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		_, _ = io.WriteString(conn, "HTTP/1.1 413 Request Entity Too Large\r\nContent-Length: 2\r\n\r\nno")
		<-s.resume
		got, _ := io.ReadAll(req.Body) // the client may hang up in the middle
		if !bytes.Equal(got, s.want[:len(got)]) {
			s.t.Errorf("body of %d bytes differs from what was written", len(got))
		}
		s.mu.Lock()
		s.bytes += int64(len(got))
		s.mu.Unlock()
	}
}

// lateReader is a transport that fails at once and reads and closes the body afterwards, as net/http may.
type lateReader struct{ bodies []io.ReadCloser }

func (l *lateReader) RoundTrip(req *http.Request) (*http.Response, error) {
	l.bodies = append(l.bodies, req.Body)
	return nil, errors.New("gone")
}

func TestPayloadIsRecycledWhenTheLastReaderCloses(t *testing.T) {
	late := &lateReader{}
	c := newWriteClient(t, "http://host/", WithHTTPClient(&http.Client{Transport: late}), WithMessageType(v1), WithoutRetry())
	for _, name := range []string{"first", "second", "third"} {
		if _, err := c.Write(context.Background(), request(name, 3)); err == nil {
			t.Fatal("got no error")
		}
	}
	for i, name := range []string{"first", "second", "third"} {
		got, err := io.ReadAll(late.bodies[i])
		if err != nil || !bytes.Equal(got, body(t, request(name, 3), v1)) {
			t.Errorf("%s: body changed after Write, error %v", name, err)
		}
	}
	r := late.bodies[0].(*payloadReader)
	p := r.payload
	for range 3 { // transports close more than once
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if got := p.refs.Load(); got != 0 {
		t.Errorf("references: got %d, want 0", got)
	}
	if n, err := r.Read(make([]byte, 1)); n != 0 || !errors.Is(err, errBodyClosed) {
		t.Errorf("read after close: got %d, %v", n, err)
	}
}

// Every Write after a larger one sends what the first one sent.
func TestSecondUseOfPooledMemory(t *testing.T) {
	for _, message := range []promwire.MessageType{v1, v2} {
		r := newReceiver(t, func(w http.ResponseWriter, n int, got received) {
			want := request("small", 2)
			if n%2 == 1 {
				want = request("large", 500)
			}
			if got.request.Stats() != want.Stats() || !got.request.Timeseries[1].Labels.Equal(want.Timeseries[1].Labels) {
				t.Errorf("%s, request %d: got %d series, the second %s", message, n, len(got.request.Timeseries),
					got.request.Timeseries[1].Labels)
			}
			good(w, n, got)
		})
		c := newWriteClient(t, r.URL, WithMessageType(message))
		for range 4 {
			for _, req := range []*promwire.WriteRequest{request("small", 2), request("large", 500)} {
				if stats, err := c.Write(context.Background(), req); err != nil || stats != req.Stats() {
					t.Fatalf("%s: got %+v, %v", message, stats, err)
				}
			}
		}
	}
}

func TestParallelWriters(t *testing.T) {
	r := newReceiver(t, func(w http.ResponseWriter, n int, got received) {
		name := got.request.Timeseries[0].Labels.Get("__name__")
		want := request(name, len(got.request.Timeseries))
		for i, ts := range got.request.Timeseries {
			if !ts.Labels.Equal(want.Timeseries[i].Labels) || len(ts.Samples) != 2 ||
				ts.Samples[1].Value != want.Timeseries[i].Samples[1].Value {
				t.Errorf("%s, series %d: got %+v", name, i, ts)
			}
		}
		good(w, n, got)
	})
	c := newWriteClient(t, r.URL)
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			for i := range 20 {
				req := request(string(rune('a'+worker)), 1+(worker*7+i*13)%200)
				if stats, err := c.Write(context.Background(), req); err != nil || stats != req.Stats() {
					t.Errorf("worker %d: got %+v, %v", worker, stats, err)
				}
			}
		})
	}
	wg.Wait()
}

// discardAll is a transport that reads the body and answers 204.
type discardAll struct{ answer *http.Response }

func (d discardAll) RoundTrip(req *http.Request) (*http.Response, error) {
	_, err := io.Copy(io.Discard, struct{ io.Reader }{req.Body})
	_ = req.Body.Close()
	return d.answer, err
}

func TestAllocations(t *testing.T) {
	if raceEnabled {
		t.Log("sync.Pool drops memory at random under the race detector: allocations are not counted")
		return
	}
	req := request("m", 100)
	for _, message := range []promwire.MessageType{v1, v2} {
		encode := func() {
			p := newPayload()
			if _, _, err := p.encode(req, format{message, promwire.Snappy}); err != nil {
				t.Fatal(err)
			}
			p.release()
		}
		encode()
		if got := testing.AllocsPerRun(100, encode); got != 0 {
			t.Errorf("%s: encode and compress take %v allocations, want 0", message, got)
		}

		h := http.Header{}
		for name, value := range counts("200", "0", "100") {
			h.Set(name, value)
		}
		transport := discardAll{&http.Response{StatusCode: http.StatusNoContent, Header: h, Body: http.NoBody}}
		c := newWriteClient(t, "http://host/", WithHTTPClient(&http.Client{Transport: transport}), WithMessageType(message))
		write := func() {
			if stats, err := c.Write(context.Background(), req); err != nil || stats != req.Stats() {
				t.Fatalf("got %+v, %v", stats, err)
			}
		}
		write()
		// The request with its headers, body reader, deadline, and what http.Client makes of it.
		if got := testing.AllocsPerRun(100, write); got > maxWriteAllocs {
			t.Errorf("%s: Write takes %v allocations, want at most %d", message, got, maxWriteAllocs)
		}
	}
}

// maxWriteAllocs is what one Write allocates around net/http's transport, whatever the size of the request.
const maxWriteAllocs = 17
