package realserver

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/transfer"
	"github.com/promwire/promwire/remote"
)

// cutOff loses the answer to a request, or the request.
type cutOff struct {
	promwire.Writer
	after  int
	stored bool // the request has arrived
}

var errCutOff = errors.New("cut off")

func (c *cutOff) Write(ctx context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	if c.after--; c.after >= 0 {
		return c.Writer.Write(ctx, req)
	}
	if c.stored {
		_, _ = c.Writer.Write(ctx, req)
	}
	return promwire.WriteStats{}, errCutOff
}

// Where an interrupted transfer goes on, a server that takes nothing twice out of order may have the first request, or may
// not, and may have something newer besides: nothing is lost, and nothing counts as refused that is there.
func TestResumedTransfer(t *testing.T) {
	each(t, func(t *testing.T, p program) {
		s := start(t, p, "global: {}\n")
		for i, stored := range []bool{true, false} {
			parts, n := partsOf(fmt.Sprint("resumed", i), time.Now().Add(-20*time.Minute).UnixMilli())
			newer := promwire.TimeSeries{Labels: parts[7].Labels, Samples: []promwire.Sample{{Timestamp: time.Now().UnixMilli(), Value: 1}}}
			c, err := remote.NewWriteClient(s.writeURL(), remote.WithHTTPClient(noting()))
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(t.TempDir(), "journal")
			w := transfer.NewCareful(c)
			if err := send(t, path, &cutOff{w, 1, stored}, parts); !errors.Is(err, errCutOff) {
				t.Fatal(err)
			}
			if !stored {
				if _, err := c.Write(t.Context(), &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{newer}}); err != nil {
					t.Fatal(err)
				}
			}
			if err := send(t, path, w, parts); err != nil {
				t.Fatal(err)
			}
			j, err := transfer.OpenJournal(path, "task", 0)
			if err != nil || j.Written.Samples != n || j.Refused.Total() != 0 {
				t.Errorf("stored %v: %v, %+v of %d written, refused %+v", stored, err, j.Written, n, j.Refused.Reasons)
			}
			r, err := remote.NewReadClient(s.readURL())
			if err != nil {
				t.Fatal(err)
			}
			missing := 0
			if !stored { // the series that has something newer
				missing = len(parts[7].Samples)
			}
			v := transfer.Verifier{Reader: r}
			if err := v.Verify(t.Context(), sequence(parts)); err != nil || int(v.Missing.Total()) != missing {
				t.Errorf("stored %v: %v, missing %+v, want %d", stored, err, v.Missing.Reasons, missing)
			}
		}
	})
}

// partsOf are ten series with ten samples each, five of which make a request.
func partsOf(name string, begin int64) (parts []promwire.TimeSeries, n int) {
	for i := range 10 {
		ts := promwire.TimeSeries{Labels: promwire.LabelsFromStrings("__name__", name, "i", fmt.Sprint(i))}
		for k := range 10 {
			ts.Samples = append(ts.Samples, promwire.Sample{Timestamp: begin + int64(k)*1000, Value: float64(k)})
		}
		n += len(ts.Samples)
		parts = append(parts, ts)
	}
	return parts, n
}

func sequence(parts []promwire.TimeSeries) iter.Seq2[promwire.TimeSeries, error] {
	return func(yield func(promwire.TimeSeries, error) bool) {
		for _, p := range parts {
			if !yield(p, nil) {
				return
			}
		}
	}
}

func noting() *http.Client {
	return &http.Client{Transport: transfer.NoteCounts(http.DefaultTransport)}
}

func send(t *testing.T, journal string, w promwire.Writer, parts []promwire.TimeSeries) error {
	t.Helper()
	j, err := transfer.OpenJournal(journal, "task", 0)
	if err != nil {
		t.Fatal(err)
	}
	s := transfer.Sender{Writer: w, Journal: j, Batch: 50}
	return s.Send(t.Context(), 0, sequence(parts))
}
