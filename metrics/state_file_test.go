package metrics_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/promwire/promwire/metrics"
)

// stateFile returns the path and the contents of a state with a counter, a histogram and values not delivered.
func stateFile(t testing.TB) (string, []byte) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "job.state")
	st, err := metrics.OpenState(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	reg := metrics.NewRegistry(metrics.WithState(st))
	s := &sink{}
	p := metrics.NewPusher(reg, s)
	metrics.Must(reg.Counter("hits")).Inc()
	if err := p.Push(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.err = errDown
	metrics.Must(reg.Histogram("took")).Observe(1)
	metrics.Must(reg.Gauge("depth")).Set(1)
	if err := p.Push(t.Context()); !errors.Is(err, metrics.ErrKept) {
		t.Fatalf("got %v, want ErrKept", err)
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return path, data
}

func damagedFiles(t *testing.T, path string) []string {
	t.Helper()
	files, err := filepath.Glob(path + ".damaged-*")
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestStateDamage(t *testing.T) {
	path, sound := stateFile(t)
	flipped := bytes.Clone(sound)
	flipped[len(flipped)/2] ^= 4
	for name, data := range map[string][]byte{
		"empty": {}, "cut": sound[:len(sound)-1], "cut to half": sound[:len(sound)/2], "longer": append(bytes.Clone(sound), 0),
		"a bit": flipped, "other file": []byte("hello\nworld\n"), "zeros": make([]byte, len(sound)),
		"version 0": append([]byte("promwire-state 0"), sound[len("promwire-state 1"):]...),
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(filepath.Dir(path), strings.ReplaceAll(name, " ", ""))
			if err := os.WriteFile(path, data, 0o666); err != nil {
				t.Fatal(err)
			}
			for range 2 { // the second time, there is only the file set aside
				if _, err := metrics.OpenState(t.Context(), path); !errors.Is(err, metrics.ErrStateDamaged) ||
					!strings.Contains(err.Error(), path+".damaged-") {
					t.Fatalf("got %v, want ErrStateDamaged and the new name", err)
				}
			}
			aside := damagedFiles(t, path)
			if len(aside) != 1 {
				t.Fatalf("set aside: %v, want one file", aside)
			}
			if got, err := os.ReadFile(aside[0]); err != nil || !bytes.Equal(got, data) {
				t.Errorf("the file set aside has other contents, or %v", err)
			}
			if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("the state is still there, or %v", err)
			}
			st, err := metrics.OpenState(t.Context(), path, metrics.WithFreshStart())
			if err != nil {
				t.Fatal(err)
			}
			if err := st.Close(); err != nil {
				t.Fatal(err)
			}
			if st, err = metrics.OpenState(t.Context(), path); err != nil { // the decision stands
				t.Fatal(err)
			}
			if err := st.Close(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestStateOfLaterVersion(t *testing.T) {
	path, data := stateFile(t)
	data = bytes.Replace(data, []byte("state 2\n"), []byte("state 3\n"), 1)
	if err := os.WriteFile(path, data, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, opts := range [][]metrics.StateOption{nil, {metrics.WithFreshStart()}} {
		if _, err := metrics.OpenState(t.Context(), path, opts...); !errors.Is(err, metrics.ErrStateVersion) {
			t.Errorf("got %v, want ErrStateVersion", err)
		}
	}
	if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, data) {
		t.Errorf("the file was touched, or %v", err)
	}
	if _, err := metrics.PeekState(path); !errors.Is(err, metrics.ErrStateVersion) {
		t.Errorf("got %v, want ErrStateVersion", err)
	}
}

func TestStateIsLocked(t *testing.T) {
	path, _ := stateFile(t)
	st, err := metrics.OpenState(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = metrics.OpenState(ctx, path)
	if !errors.Is(err, metrics.ErrStateLocked) || !errors.Is(err, context.Canceled) ||
		!strings.Contains(err.Error(), "process ") || !strings.Contains(err.Error(), filepath.Base(os.Args[0])) {
		t.Errorf("got %v, want ErrStateLocked, the context's error and the holder", err)
	}
	got := make(chan error)
	go func() {
		next, err := metrics.OpenState(context.Background(), path)
		if err == nil {
			err = next.Close()
		}
		got <- err
	}()
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-got; err != nil {
		t.Errorf("a run that waited: %v", err)
	}
}

func TestStateWithoutFolder(t *testing.T) {
	path, _ := stateFile(t)
	for _, p := range []string{filepath.Join(path, "s"), filepath.Join(filepath.Dir(path), "no", "s")} {
		if _, err := metrics.OpenState(t.Context(), p); err == nil || !strings.Contains(err.Error(), p) {
			t.Errorf("got %v, want an error that names %s", err, p)
		}
	}
}

// A state that can't be saved means that nothing is sent: the next run would start below what was.
func TestStateCannotBeSaved(t *testing.T) {
	path := filepath.Join(t.TempDir(), "job.state")
	st, err := metrics.OpenState(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	if err := os.Mkdir(path+".new", 0o777); err != nil {
		t.Fatal(err)
	}
	reg, s := metrics.NewRegistry(metrics.WithState(st)), &sink{}
	p := metrics.NewPusher(reg, s)
	metrics.Must(reg.Counter("hits")).Inc()
	if err := p.Push(t.Context()); err == nil || errors.Is(err, metrics.ErrKept) {
		t.Errorf("got %v, want an error that is not ErrKept", err)
	}
	s.wantRequests(t, 0)
	if err := os.RemoveAll(path + ".new"); err != nil {
		t.Fatal(err)
	}
	push(t, p)
	s.wantRequests(t, 1)
}

// FuzzState reads any bytes as a state; what is accepted works for a push and can be read again.
func FuzzState(f *testing.F) {
	_, data := stateFile(f)
	f.Add(data)
	f.Add([]byte("promwire-state 1\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		st, err := metrics.DecodeState(metrics.WithChecksum(data))
		if err != nil {
			if !errors.Is(err, metrics.ErrStateDamaged) && !errors.Is(err, metrics.ErrStateVersion) {
				t.Fatal(err)
			}
			return
		}
		reg := metrics.NewRegistry(metrics.WithState(st))
		if c, err := reg.Counter("hits"); err == nil {
			c.Inc()
		}
		if g, err := reg.Gauge("depth"); err == nil {
			g.Set(1)
		}
		if h, err := reg.Histogram("took"); err == nil {
			h.Observe(1)
		}
		if err := metrics.NewPusher(reg, discard).Push(t.Context()); err != nil {
			t.Fatal(err)
		}
		again, err := st.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := metrics.DecodeState(again); err != nil {
			t.Fatal(err)
		}
	})
}
