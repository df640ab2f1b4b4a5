package promwiretest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/promwire/promwire"
)

// maxBody bounds a request's body.
const maxBody = 128 << 20

// Received is one request as a [Receiver] saw it.
type Received struct {
	// N is the number of the request since the receiver was made or cleared, from 0.
	N      int
	Time   time.Time
	Method string
	Path   string
	Header http.Header
	// Type is the message; "" if the content type names none.
	Type promwire.MessageType
	// BodyBytes is the size of the body as it came.
	BodyBytes int
	// Data is what the message holds, also if nothing of it was stored; nil if it could not be read or decoded, and
	// with [WithoutRequestData].
	Data *promwire.WriteRequest
	// Stats counts what the message holds.
	Stats promwire.WriteStats
	// Stored counts what the receiver has taken of it.
	Stored promwire.WriteStats
	// Fault names what was done to the request; "" if nothing.
	Fault string
	// Status is that of the answer; 0 if there was none, or none yet.
	Status int
	// Err says why the body was not read or decoded.
	Err error
}

// decode fills in what the body holds.
func (r *Received) decode(req *http.Request, body []byte, leaveOut bool) {
	r.BodyBytes = len(body)
	t, err := promwire.ParseContentType(req.Header.Get("Content-Type"))
	if err != nil {
		r.Err = err
		return
	}
	var b promwire.Body
	b.Reset(body, req.Header.Get("Content-Encoding"), t, maxBody)
	message, err := b.Decoded()
	if err != nil {
		r.Type, r.Err = t, err
		return
	}
	data := &promwire.WriteRequest{}
	r.Type, r.Err = t, data.UnmarshalProto(message, t)
	if r.Err == nil {
		r.Stats = data.Stats()
		if !leaveOut {
			r.Data = data
		}
	}
}

// series is what arrived of one series, in order of arrival.
type series struct {
	labels     promwire.Labels
	samples    []promwire.Sample
	histograms []promwire.Histogram
	exemplars  []promwire.Exemplar
}

// log is the record of a receiver.
type log struct {
	mu       sync.Mutex
	changed  chan struct{} // closed and replaced with each change; nil if nobody waits
	requests []*Received
	index    index[series]
	metadata []promwire.MetricMetadata
	stored   promwire.WriteStats
}

// update runs f under the lock and tells who waits.
func (l *log) update(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f()
	if l.changed != nil {
		close(l.changed)
		l.changed = nil
	}
}

func (l *log) begin(req *http.Request, f Fault) *Received {
	entry := &Received{
		Time: time.Now(), Method: req.Method, Path: req.URL.Path, Header: req.Header.Clone(), Fault: f.name,
	}
	l.update(func() {
		entry.N = len(l.requests)
		l.requests = append(l.requests, entry)
	})
	return entry
}

// add keeps a request's data.
func (l *log) add(entry *Received, req *promwire.WriteRequest) {
	l.update(func() {
		for i := range req.Timeseries {
			ts := &req.Timeseries[i]
			s, isNew := l.index.get(ts.Labels)
			if isNew {
				s.labels = ts.Labels.Clone()
			}
			s.samples = append(s.samples, ts.Samples...)
			for j := range ts.Histograms {
				s.histograms = append(s.histograms, ts.Histograms[j].Clone())
			}
			for _, e := range ts.Exemplars {
				e.Labels = e.Labels.Clone()
				s.exemplars = append(s.exemplars, e)
			}
		}
		for _, m := range req.Metadata {
			l.metadata = append(l.metadata, cloneMetadata(m))
		}
		entry.Stored = entry.Stored.Add(req.Stats())
		l.stored = l.stored.Add(req.Stats())
	})
}

func cloneMetadata(m promwire.MetricMetadata) promwire.MetricMetadata {
	m.Family, m.Help, m.Unit = strings.Clone(m.Family), strings.Clone(m.Help), strings.Clone(m.Unit)
	return m
}

// Requests returns all requests so far, in order of their arrival. The data in them are shared, and read-only.
func (r *Receiver) Requests() []Received {
	r.log.mu.Lock()
	defer r.log.mu.Unlock()
	out := make([]Received, len(r.log.requests))
	for i, entry := range r.log.requests {
		out[i] = *entry
	}
	return out
}

// Samples returns the samples of a series in order of arrival, repeated ones included; nil if the series never
// arrived.
func (r *Receiver) Samples(ls promwire.Labels) []promwire.Sample {
	return slices.Clone(r.find(ls).samples)
}

// Histograms returns the native histograms of a series in order of arrival.
func (r *Receiver) Histograms(ls promwire.Labels) []promwire.Histogram {
	return slices.Clone(r.find(ls).histograms)
}

// Exemplars returns the exemplars of a series in order of arrival.
func (r *Receiver) Exemplars(ls promwire.Labels) []promwire.Exemplar {
	return slices.Clone(r.find(ls).exemplars)
}

// Metadata returns the family metadata in order of arrival: those of 1.0 messages that belong to no series.
func (r *Receiver) Metadata() []promwire.MetricMetadata {
	r.log.mu.Lock()
	defer r.log.mu.Unlock()
	return slices.Clone(r.log.metadata)
}

// Series returns the labels of all series that arrived, in label order.
func (r *Receiver) Series() []promwire.Labels {
	r.log.mu.Lock()
	defer r.log.mu.Unlock()
	var out []promwire.Labels
	for s := range r.log.index.all() {
		out = append(out, s.labels)
	}
	slices.SortFunc(out, promwire.Labels.Compare)
	return out
}

// Stats counts what was stored of all requests, repeated items included.
func (r *Receiver) Stats() promwire.WriteStats {
	r.log.mu.Lock()
	defer r.log.mu.Unlock()
	return r.log.stored
}

// Clear forgets what was received.
func (r *Receiver) Clear() {
	r.log.update(func() {
		r.log.requests, r.log.metadata, r.log.stored = nil, nil, promwire.WriteStats{}
		r.log.index = index[series]{}
	})
}

// WaitFor waits until the condition holds; it is asked again after each change of the records, and may call methods of
// r. The error is that of ctx.
func (r *Receiver) WaitFor(ctx context.Context, condition func() bool) error {
	for {
		r.log.mu.Lock()
		if r.log.changed == nil {
			r.log.changed = make(chan struct{})
		}
		changed := r.log.changed
		r.log.mu.Unlock()
		if condition() {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("receiver: condition not met: %w", ctx.Err())
		}
	}
}

func (r *Receiver) find(ls promwire.Labels) series {
	r.log.mu.Lock()
	defer r.log.mu.Unlock()
	if s := r.log.index.find(ls); s != nil {
		return *s
	}
	return series{}
}

// readAll reads a body through what the fault makes of it.
func readAll(body io.Reader, f Fault, stop <-chan struct{}) ([]byte, error) {
	if f.body != nil {
		body = f.body(body, stop)
	}
	all, err := io.ReadAll(io.LimitReader(body, maxBody+1))
	if err == nil && len(all) > maxBody {
		return nil, errors.New("body is too long for a test")
	}
	return all, err
}

func newBody(b []byte) io.ReadCloser { return io.NopCloser(bytes.NewReader(b)) }
