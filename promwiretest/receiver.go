package promwiretest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/server"
)

// Receiver is a remote-write endpoint on loopback that takes 1.0 and 2.0, keeps what it got, and makes the faults that
// a [Script] asks for. All methods are safe for concurrent use.
//
// It keeps all data until [Receiver.Clear]; a long test makes it with [WithoutRequestData].
type Receiver struct {
	// URL is the endpoint, such as http://127.0.0.1:40001/api/v1/write. It stays the same between Stop and Start.
	URL string

	config  config
	handler http.Handler
	address string

	mu     sync.Mutex
	server *http.Server // nil while stopped
	served chan struct{}
	stop   chan struct{} // closed when the server stops
	script Script
	number int // of the next request, for the script

	log log
}

type config struct {
	storage      promwire.Writer
	handler      []server.WriteOption
	leaveDataOut bool
}

// Option configures a [Receiver].
type Option func(*config)

// WithStorage passes what arrives on to w, whose errors become the answer: a [Memory], for a receiver that refuses
// what Prometheus refuses. Default: everything is taken. The receiver's own records hold what arrived, also if w
// refuses it.
func WithStorage(w promwire.Writer) Option { return func(c *config) { c.storage = w } }

// WithHandlerOptions sets options of the write handler, such as limits.
func WithHandlerOptions(opts ...server.WriteOption) Option {
	return func(c *config) { c.handler = append(c.handler, opts...) }
}

// WithoutRequestData leaves [Received.Data] empty. Samples are kept all the same, once, by series.
func WithoutRequestData() Option { return func(c *config) { c.leaveDataOut = true } }

// NewReceiver starts a receiver on a free port of 127.0.0.1. It panics if there is none, as httptest does. The caller
// closes it.
func NewReceiver(opts ...Option) *Receiver {
	r := &Receiver{address: "127.0.0.1:0"}
	for _, o := range opts {
		o(&r.config)
	}
	r.handler = server.NewWriteHandler(storage{r}, r.config.handler...)
	if err := r.Start(); err != nil {
		panic("promwiretest: " + err.Error())
	}
	r.URL = "http://" + r.address + "/api/v1/write"
	return r
}

// Start makes a stopped receiver listen again, at the same address. It fails if another program has taken the port,
// and does nothing if the receiver is running.
func (r *Receiver) Start() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.server != nil {
		return nil
	}
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", r.address)
	if err != nil {
		return fmt.Errorf("receiver: %w", err)
	}
	r.address = l.Addr().String()
	s, served, stop := &http.Server{Handler: http.HandlerFunc(r.serve)}, make(chan struct{}), make(chan struct{})
	r.server, r.served, r.stop = s, served, stop
	go func() {
		defer close(served)
		if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			panic("promwiretest: " + err.Error())
		}
	}()
	return nil
}

// Stop closes the port and all connections, those of running requests included: further connections are refused, until
// Start. What was received stays.
func (r *Receiver) Stop() {
	r.mu.Lock()
	s, served := r.server, r.served
	if s != nil {
		r.server = nil
		close(r.stop)
	}
	r.mu.Unlock()
	if s != nil {
		_ = s.Close() // nothing to be done about a socket that does not close
		<-served
	}
}

// Close stops the receiver.
func (r *Receiver) Close() { r.Stop() }

// SetScript sets what happens to the requests from now on, numbered from 0 again. nil means that nothing happens to
// them.
func (r *Receiver) SetScript(s Script) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.script, r.number = s, 0
}

// fault returns what is to happen to a request, and the channel that ends waiting.
func (r *Receiver) fault(req *http.Request) (Fault, <-chan struct{}) {
	r.mu.Lock()
	script, n, stop := r.script, r.number, r.stop
	r.number++
	r.mu.Unlock()
	if script == nil {
		return Fault{}, stop
	}
	return script(n, req), stop
}

// serve takes one request: what the fault does before the body is read, the body, the record, the answer.
func (r *Receiver) serve(w http.ResponseWriter, req *http.Request) {
	fault, stop := r.fault(req)
	entry := r.log.begin(req, fault)
	if fault.early != nil {
		fault.early(w, req)
		return
	}
	body, err := readAll(req.Body, fault, stop)
	if err != nil {
		r.log.update(func() { entry.Err = err })
		return // nobody is left to answer
	}
	r.log.update(func() { entry.decode(req, body, r.config.leaveDataOut) })
	call := &call{log: &r.log, entry: entry, fault: fault, stop: stop}
	req = req.WithContext(context.WithValue(req.Context(), callKey{}, call))
	req.Body = newBody(body)
	watched := &watchedWriter{ResponseWriter: w, call: call}
	if fault.handle == nil {
		r.handler.ServeHTTP(watched, req)
		return
	}
	fault.handle(watched, req, r.handler)
}

// call is a request on its way through fault, handler and storage.
type call struct {
	log   *log
	entry *Received
	fault Fault
	stop  <-chan struct{}
}

type callKey struct{}

func callOf(ctx context.Context) *call { return ctx.Value(callKey{}).(*call) }

// storage is the Writer behind the handler.
type storage struct{ r *Receiver }

// Write implements [promwire.Writer].
func (s storage) Write(ctx context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	call, keep := callOf(ctx), req
	var verdict error
	if call.fault.judge != nil {
		if keep, verdict = call.fault.judge(req); keep == nil {
			return promwire.WriteStats{}, verdict
		}
	}
	s.r.log.add(call.entry, keep)
	if s.r.config.storage != nil {
		stats, err := s.r.config.storage.Write(ctx, keep)
		if verdict == nil {
			verdict = err
		}
		return stats, verdict
	}
	return keep.Stats(), verdict
}
