package spool_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/spool"
)

func TestWriteDrainReopen(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "spool")
	s := open(t, dir)
	r := reader(t, s, "a")
	write(t, s, 0, 10)
	if p := r.Stats().Pending; p.Records != 10 || p.Samples != 10 {
		t.Errorf("pending %+v", p)
	}
	w := &target{}
	if c := drain(t, r, w); c.Records != 10 {
		t.Errorf("delivered %+v", c)
	}
	write(t, s, 10, 15)
	closeSpool(t, s)
	s = open(t, dir)
	if p := reader(t, s, "a").Stats().Pending; p.Records != 5 || p.Samples != 5 {
		t.Errorf("pending after reopening %+v", p)
	}
	write(t, s, 15, 20)
	drain(t, reader(t, s, "a"), w)
	checkValues(t, w.values, 0, 20)
	if slices.Contains(w.replays, true) {
		t.Error("a replay, though every run ended in order")
	}
	late := &bodyTarget{}
	drain(t, reader(t, s, "late"), late)
	if n := len(late.values); n == 0 || late.values[n-1] != 19 {
		t.Errorf("a new reader starts with the oldest record there is, got %v", late.values)
	}
	closeSpool(t, s)
	files, err := filepath.Glob(filepath.Join(dir, "*.seg"))
	if err != nil || len(files) != 0 {
		t.Errorf("everything is delivered, still there are %v, %v", files, err)
	}
	s = open(t, dir)
	write(t, s, 20, 21)
	drain(t, reader(t, s, "a"), w)
	checkValues(t, w.values, 0, 21)
}

func TestPermissions(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Log("modes mean nothing here; only that opening works is tested")
	}
	dir := filepath.Join(t.TempDir(), "spool")
	s := open(t, dir)
	reader(t, s, "a")
	write(t, s, 0, 1)
	if runtime.GOOS == "windows" {
		return
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("folder: %v, %v", info.Mode(), err)
	}
	for _, pattern := range []string{"*.seg", "*.pos"} {
		files, _ := filepath.Glob(filepath.Join(dir, pattern))
		if len(files) != 1 {
			t.Fatalf("%s: %v", pattern, files)
		}
		if info, err := os.Stat(files[0]); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", files[0], info.Mode(), err)
		}
	}
}

func TestLocked(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	if _, err := spool.Open(dir); !errors.Is(err, spool.ErrLocked) || !strings.Contains(err.Error(), "process") {
		t.Errorf("got %v", err)
	}
	got := make(chan error, 1)
	go func() {
		s, err := spool.Open(dir, spool.WithLockWait(t.Context()))
		if err == nil {
			err = s.Close()
		}
		got <- err
	}()
	closeSpool(t, s)
	if err := <-got; err != nil {
		t.Error(err)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	open(t, dir)
	if _, err := spool.Open(dir, spool.WithLockWait(over)); !errors.Is(err, spool.ErrLocked) || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestWriteBody(t *testing.T) {
	s := open(t, t.TempDir())
	r := reader(t, s, "a")
	tenant := promwire.ContextWithTenant(t.Context(), "team")
	for n, m := range []promwire.MessageType{promwire.WriteV1, promwire.WriteV2} {
		if stats, err := s.WriteBody(tenant, encoded(t, request(n), m)); err != nil || stats.Samples != 1 {
			t.Fatalf("%+v, %v", stats, err)
		}
	}
	bad := encoded(t, request(9), promwire.WriteV1)
	msg, _ := bad.Decoded()
	cut, _ := promwire.Snappy.AppendEncoded(nil, msg[:len(msg)-3])
	v2 := encoded(t, request(9), promwire.WriteV2).Encoded // acknowledged as an empty 1.0 message, it would be lost
	for name, enc := range map[string][]byte{"cut": cut, "snappy": []byte("\x05abc"), "empty": {}, "2.0": v2} {
		bad.Reset(enc, promwire.EncodingSnappy, promwire.WriteV1, 1<<20)
		var malformed *promwire.DecodeError
		if _, err := s.WriteBody(tenant, bad); !errors.As(err, &malformed) || promwire.Retryable(err) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	large := encoded(t, request(9), promwire.WriteV1)
	large.MaxDecoded = 10
	if _, err := s.WriteBody(tenant, large); !errors.Is(err, promwire.ErrTooLarge) {
		t.Errorf("got %v", err)
	}
	many := encoded(t, request(9, 10), promwire.WriteV1)
	many.Rules.MaxSeries = 1
	if _, err := s.WriteBody(tenant, many); !errors.Is(err, promwire.ErrTooLarge) {
		t.Errorf("got %v", err)
	}
	w := &bodyTarget{}
	drain(t, r, w)
	checkValues(t, w.values, 0, 2)
	if !slices.Equal(w.tenants, []string{"team", "team"}) {
		t.Errorf("tenants %q", w.tenants)
	}
}

func TestWriteMetadata(t *testing.T) {
	s := open(t, t.TempDir())
	req := request(1)
	req.Metadata = []promwire.MetricMetadata{{Family: "m", Metadata: promwire.Metadata{Help: "helps"}}}
	if _, err := s.Write(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	families := []string{}
	w := writerFunc(func(_ context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
		for _, m := range req.Metadata {
			families = append(families, m.Family+" "+m.Help)
		}
		return req.Stats(), nil
	})
	drain(t, reader(t, s, "a"), w)
	if !slices.Equal(families, []string{"m helps"}) {
		t.Errorf("got %q", families)
	}
}

type writerFunc func(context.Context, *promwire.WriteRequest) (promwire.WriteStats, error)

func (f writerFunc) Write(ctx context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	return f(ctx, req)
}

// TestConcurrent lets writers and a delivery run side by side; what was acknowledged arrives, and syncs are shared.
func TestConcurrent(t *testing.T) {
	s := open(t, t.TempDir(), spool.WithSegmentBytes(4096))
	r := reader(t, s, "a")
	const writers, each = 8, 50
	w := &bodyTarget{target{got: make(chan int, writers*each)}}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.Deliver(ctx, w, spool.DeliverOptions{}) }()
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			for n := range each {
				if _, err := s.Write(ctx, request(i*each+n)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for n := range w.got {
		if n == writers*each {
			break
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	last := make([]int, writers)
	for _, v := range w.values {
		if i := v / each; v < last[i] {
			t.Fatalf("%d came after %d", v, last[i])
		}
		last[v/each] = v
	}
	slices.Sort(w.values)
	checkValues(t, w.values, 0, writers*each)
	st := s.Stats()
	if st.Appended.Records != writers*each || st.Fsyncs > writers*each {
		t.Errorf("%+v", st)
	}
	t.Logf("%d records, %d fsyncs", st.Appended.Records, st.Fsyncs)
}

func TestMaxBytes(t *testing.T) {
	var drops []spool.Drop
	s := open(t, t.TempDir(), spool.WithMaxBytes(16<<10), spool.WithHooks(spool.Hooks{
		Dropped: func(d spool.Drop) { drops = append(drops, d) },
	}))
	r := reader(t, s, "a")
	write(t, s, 0, 500)
	st := s.Stats()
	if st.Bytes > 16<<10 {
		t.Errorf("%d bytes", st.Bytes)
	}
	w := &target{}
	drain(t, r, w)
	checkValues(t, w.values, 500-len(w.values), 500)
	dropped := 500 - len(w.values)
	if st.DroppedFull.Samples != uint64(dropped) || dropped == 0 || len(drops) == 0 || drops[0].Reason != "full" ||
		r.Stats().DroppedFull.Records != uint64(dropped) {
		t.Errorf("%d dropped, %+v", dropped, st)
	}
	big := &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{{
		Labels: promwire.LabelsFromStrings("__name__", "m"),
	}}}
	for i := range 10000 {
		big.Timeseries[0].Samples = append(big.Timeseries[0].Samples, promwire.Sample{Timestamp: int64(i * i * 7), Value: float64(i) / 3})
	}
	if _, err := s.Write(t.Context(), big); !errors.Is(err, promwire.ErrTooLarge) || promwire.Retryable(err) {
		t.Errorf("got %v", err)
	}
}

func TestRefuseWhenFull(t *testing.T) {
	s := open(t, t.TempDir(), spool.WithMaxBytes(8<<10), spool.WithRefuseWhenFull())
	r := reader(t, s, "a")
	n, err := 0, error(nil)
	for ; n < 1000 && err == nil; n++ {
		_, err = s.Write(t.Context(), request(n))
	}
	if !errors.Is(err, spool.ErrFull) || !errors.Is(err, promwire.ErrUnavailable) || !promwire.Retryable(err) {
		t.Fatalf("got %v", err)
	}
	w := &target{}
	drain(t, r, w)
	checkValues(t, w.values, 0, n-1)
	write(t, s, n-1, n)
	if st := s.Stats(); st.Failed != 1 || st.DroppedFull.Records != 0 {
		t.Errorf("%+v", st)
	}
	// One that needs nearly all the room there is finds it as soon as all that was before is delivered.
	drain(t, r, w)
	body := &promwire.Body{}
	body.Reset(randomBody(t, 8<<10-500), promwire.EncodingSnappy, promwire.WriteV1, 1<<20)
	if _, err := s.WriteBody(t.Context(), body); err != nil {
		t.Errorf("got %v", err)
	}
	if st := s.Stats(); st.DroppedFull.Records != 0 || st.Bytes > 8<<10 {
		t.Errorf("%+v", st)
	}
}

// randomBody returns a 1.0 body of at least so many bytes and a few more.
func randomBody(t *testing.T, size int) []byte {
	t.Helper()
	noise := make([]byte, size)
	for i := range noise {
		noise[i] = byte('a' + rand.IntN(26))
	}
	req := &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{{
		Labels:  promwire.LabelsFromStrings("__name__", "m", "noise", string(noise)),
		Samples: []promwire.Sample{{Timestamp: 1, Value: 1}},
	}}}
	return encoded(t, req, promwire.WriteV1).Encoded
}

func TestClosed(t *testing.T) {
	s := open(t, t.TempDir())
	r := reader(t, s, "a")
	ended := make(chan error, 1)
	w := &target{got: make(chan int, 1)}
	go func() { ended <- r.Deliver(t.Context(), w, spool.DeliverOptions{}) }()
	write(t, s, 0, 1)
	<-w.got
	if _, err := r.Drain(t.Context(), w, spool.DeliverOptions{}); !errors.Is(err, spool.ErrBusy) {
		t.Errorf("got %v", err)
	}
	closeSpool(t, s)
	if err := <-ended; !errors.Is(err, spool.ErrClosed) {
		t.Errorf("got %v", err)
	}
	if _, err := s.Write(t.Context(), request(1)); !errors.Is(err, spool.ErrClosed) || !promwire.Retryable(err) {
		t.Errorf("got %v", err)
	}
	if _, err := s.Reader("b"); !errors.Is(err, spool.ErrClosed) {
		t.Errorf("got %v", err)
	}
	if err := r.Deliver(t.Context(), w, spool.DeliverOptions{}); !errors.Is(err, spool.ErrClosed) {
		t.Errorf("got %v", err)
	}
	closeSpool(t, s)
}

func TestReaderNames(t *testing.T) {
	s := open(t, t.TempDir())
	for _, name := range []string{"", "../a", "a/b", ".x", strings.Repeat("a", 65)} {
		if _, err := s.Reader(name); err == nil {
			t.Errorf("%q was taken", name)
		}
	}
	write(t, s, 0, 3)
	a := reader(t, s, "a")
	reader(t, s, "b")
	if err := s.RemoveReader("b"); err != nil {
		t.Error(err)
	}
	if err := s.RemoveReader("b"); err != nil {
		t.Error(err)
	}
	w := &target{}
	drain(t, a, w)
	checkValues(t, w.values, 0, 3)
}

func TestOptionsInvalid(t *testing.T) {
	for i, o := range []spool.Option{
		spool.WithMaxBytes(1), spool.WithSegmentBytes(0), spool.WithMaxAge(-1), spool.WithSyncInterval(0), spool.WithSync(7),
		spool.WithMessageType("x"),
	} {
		if _, err := spool.Open(t.TempDir(), o); err == nil {
			t.Errorf("option %d was taken", i)
		}
	}
}

func TestDrainHelper(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	write(t, s, 0, 3)
	closeSpool(t, s)
	w := &target{}
	if c, err := spool.Drain(t.Context(), dir, w); err != nil || c.Samples != 3 {
		t.Errorf("%+v, %v", c, err)
	}
	checkValues(t, w.values, 0, 3)
	if c, err := spool.Drain(t.Context(), dir, w); err != nil || c.Samples != 0 {
		t.Errorf("%+v, %v", c, err)
	}
}
