package transfer

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/promwire/promwire"
)

// DefaultWindow is the default of Copy.Window: Prometheus takes nothing that is more than an hour older than the newest
// sample of any series.
const DefaultWindow = 30 * time.Minute

// Copy copies a range of time from one endpoint to another, window by window.
type Copy struct {
	// Read reads what is to be copied of a range, whose ends are inclusive.
	Read func(ctx context.Context, start, end time.Time) iter.Seq2[promwire.TimeSeries, error]
	// Start and End are inclusive.
	Start, End time.Time
	// Window is how much is read at once. DefaultWindow if 0.
	Window time.Duration
	// Progress is told how many milliseconds of the range are done, or nil.
	Progress func(ms int)
}

// windows calls do with each window, in order.
func (c *Copy) windows(do func(number int64, start, end time.Time) error) error {
	length := c.Window.Milliseconds()
	if length <= 0 {
		length = DefaultWindow.Milliseconds()
	}
	from, to := c.Start.UnixMilli(), c.End.UnixMilli()
	for at, number := from, int64(1); at <= to; number++ {
		end := min(at+length-1-floorMod(at, length), to) // windows begin at multiples of their length
		if err := do(number, time.UnixMilli(at), time.UnixMilli(end)); err != nil {
			return err
		}
		if c.Progress != nil {
			c.Progress(int(end - at + 1))
		}
		at = end + 1
	}
	return nil
}

func floorMod(a, b int64) int64 { return (a%b + b) % b }

// Send copies what the sender's journal does not call done. A window whose data have changed since an interrupted run is
// sent again.
func (c *Copy) Send(ctx context.Context, s *Sender) error {
	return c.windows(func(number int64, start, end time.Time) error {
		if number < s.Journal.Position.Window {
			return nil
		}
		err := s.Send(ctx, number, c.Read(ctx, start, end))
		if !errors.Is(err, ErrChanged) {
			return err
		}
		s.Journal.Position = Position{Window: number}
		s.again = true
		defer func() { s.again = false }()
		return s.Send(ctx, number, c.Read(ctx, start, end))
	})
}

// Verify compares the whole range.
func (c *Copy) Verify(ctx context.Context, v *Verifier) error {
	return c.windows(func(_ int64, start, end time.Time) error {
		return v.Verify(ctx, c.Read(ctx, start, end))
	})
}
