package transfer

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"slices"

	"github.com/promwire/promwire"
)

// DefaultBatch is the default of Sender.Batch, maxBatchBytes a bound on the memory of a request.
const (
	DefaultBatch  = 5000
	maxBatchBytes = 4 << 20
)

// maxFutile is how many requests may be refused as a whole, for reasons that say nothing of samples, before a transfer ends
// of which nothing was taken yet: it is the wrong endpoint, or the wrong data.
const maxFutile = 10

// ErrChanged says that what was sent before is not what the data begin with now.
var ErrChanged = errors.New("the data are not those that the interrupted run began to send")

// Sender sends parts of series in requests, one after the other. Its fields are set before the first Send.
type Sender struct {
	// Writer is mostly a Careful.
	Writer  promwire.Writer
	Journal *Journal
	// Batch is how many samples and histograms make a request. DefaultBatch if 0.
	Batch int
	// Pace bounds the rate; nil for none.
	Pace *Pace
	// Sent is told how many points were settled, or nil.
	Sent func(n int)

	futile  int  // requests of which nothing was taken, as long as nothing was
	again   bool // what is sent now may have been sent before
	request promwire.WriteRequest
	points  int
	bytes   int
	hash    uint64 // of all points up to the end of the request
	text    []byte
}

// Send sends the parts of a window, without those that the journal calls done. A window before that of the journal is
// done. It returns when all are acknowledged or refused for good; the error says that the rest was not sent.
//
// If the points that are done are not those that the parts begin with, it is ErrChanged, and nothing of this window is
// sent.
func (s *Sender) Send(ctx context.Context, window int64, parts iter.Seq2[promwire.TimeSeries, error]) error {
	at := &s.Journal.Position
	if window < at.Window {
		return nil
	}
	if window > at.Window {
		*at = Position{Window: window}
	}
	s.reset()
	s.hash = 0
	skip := skipper{Position: *at}
	for part, err := range parts {
		if err != nil {
			return err
		}
		rest, err := skip.rest(&part)
		if err != nil {
			return err
		}
		if err := s.add(ctx, &rest, skip.hash); err != nil {
			return err
		}
	}
	if skip.done < skip.Points {
		return ErrChanged
	}
	return s.flush(ctx)
}

// skipper passes over the points that are done.
type skipper struct {
	Position
	done int64
	hash uint64
	text []byte
}

// rest returns what of a part is not done.
func (s *skipper) rest(part *promwire.TimeSeries) (promwire.TimeSeries, error) {
	out := *part
	if s.done == s.Points {
		return out, nil
	}
	series := seriesHash(part.Labels, &s.text)
	last := int64(0)
	for len(out.Samples) > 0 && s.done < s.Points {
		s.hash, last = mixSample(s.hash, series, &out.Samples[0]), out.Samples[0].Timestamp
		out.Samples = out.Samples[1:]
		s.done++
	}
	for len(out.Histograms) > 0 && s.done < s.Points {
		s.hash, last = mixHistogram(s.hash, series, &out.Histograms[0]), out.Histograms[0].Timestamp
		out.Histograms = out.Histograms[1:]
		s.done++
	}
	if s.done == s.Points && s.hash != s.Hash {
		return out, ErrChanged
	}
	out.Exemplars = slices.DeleteFunc(slices.Clone(out.Exemplars), func(e promwire.Exemplar) bool { return e.Timestamp <= last })
	return out, nil
}

// add adds a part to the request. before is the hash of the points that are done.
func (s *Sender) add(ctx context.Context, part *promwire.TimeSeries, before uint64) error {
	n := len(part.Samples) + len(part.Histograms)
	if n == 0 {
		return nil
	}
	if s.points > 0 && (s.points+n > s.batch() || s.bytes > maxBatchBytes) {
		if err := s.flush(ctx); err != nil {
			return err
		}
	}
	if s.hash == 0 {
		s.hash = before
	}
	series := seriesHash(part.Labels, &s.text)
	for i := range part.Samples {
		s.hash = mixSample(s.hash, series, &part.Samples[i])
	}
	for i := range part.Histograms {
		s.hash = mixHistogram(s.hash, series, &part.Histograms[i])
	}
	s.request.Timeseries = append(s.request.Timeseries, part.Clone())
	s.points += n
	s.bytes += len(s.text) + 24*len(part.Samples) + 500*len(part.Histograms) + 200*len(part.Exemplars)
	return nil
}

func (s *Sender) batch() int {
	if s.Batch > 0 {
		return s.Batch
	}
	return DefaultBatch
}

func (s *Sender) reset() {
	s.request = promwire.WriteRequest{Timeseries: s.request.Timeseries[:0]}
	s.points, s.bytes = 0, 0
}

// flush sends the request, and notes what became of it.
func (s *Sender) flush(ctx context.Context) error {
	if s.points == 0 {
		return nil
	}
	if err := s.Pace.Wait(ctx, s.points); err != nil {
		return err
	}
	if s.Journal.Resumed || s.again {
		ctx = promwire.ContextWithReplay(ctx)
	}
	stats, err := s.Writer.Write(ctx, &s.request)
	if err != nil {
		if err = s.settle(err); err != nil {
			return err
		}
	}
	s.Journal.Resumed = false // only the first request can have been sent before
	j := &s.Journal.JournalState
	j.Written = j.Written.Add(stats)
	j.Position.Points += int64(s.points)
	j.Position.Hash = s.hash
	if s.Sent != nil {
		s.Sent(s.points)
	}
	s.reset()
	return s.Journal.Save()
}

// settle counts what is refused for good. It returns an error that is not about single items.
func (s *Sender) settle(err error) error {
	var partial *promwire.PartialWriteError
	if !errors.As(err, &partial) || promwire.Retryable(err) {
		return err
	}
	if aboutAll(partial) {
		return cause(partial)
	}
	if sum(partial.Written) == 0 && s.Journal.Written == (promwire.WriteStats{}) && knownReason(err) == nil {
		if s.futile++; s.futile >= maxFutile {
			return fmt.Errorf("nothing of %d requests was taken: %w", s.futile, cause(partial))
		}
	}
	refused := &s.Journal.Refused
	n := sum(s.request.Stats()) - sum(partial.Written)
	for _, r := range partial.Refused {
		items := s.items(&r)
		refused.Add(reasonOf(r.Reason), items, func() string { return describe(&r) })
		n -= items
	}
	if n > 0 { // those that the receiver counts, and does not name
		for _, example := range examples(partial.Err) {
			refused.Add(reasonOf(partial.Err), n, func() string { return example })
			n = 0
		}
	}
	return nil
}

// cause is the answer in a refusal, which alone is short enough for a message.
func cause(err *promwire.PartialWriteError) error {
	if err.Err != nil {
		return err.Err
	}
	return err
}

// aboutAll reports whether an answer refuses whatever is sent, such as 401 or 404.
func aboutAll(err *promwire.PartialWriteError) bool {
	if sum(err.Written) > 0 {
		return false
	}
	var answer *promwire.HTTPError
	if errors.As(err, &answer) {
		switch answer.StatusCode {
		case http.StatusBadRequest, http.StatusConflict, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity:
			return false
		}
		return true
	}
	return errors.Is(err, promwire.ErrUnsupported)
}

// items is how many items of the request a refusal is about.
func (s *Sender) items(r *promwire.Refusal) int {
	if r.Timestamp != 0 || r.Series < 0 || r.Series >= len(s.request.Timeseries) {
		return 1
	}
	ts := &s.request.Timeseries[r.Series]
	if slices.ContainsFunc(ts.Samples, func(p promwire.Sample) bool { return p.Timestamp == 0 }) {
		return 1
	}
	return max(1, sum(ts.Stats()))
}

func sum(s promwire.WriteStats) int { return s.Samples + s.Histograms + s.Exemplars }
