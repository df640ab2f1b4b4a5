package browser

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"
)

// Patience bounds each wait. It is long, since machines that run tests are busy.
const Patience = 30 * time.Second

// Browser is a running Chromium.
type Browser struct {
	in io.WriteCloser

	mu      sync.Mutex
	last    int
	waiting map[int]chan answer
	pages   map[string]*Page // by session
	ended   error
}

type answer struct {
	ID        int             `json:"id"`
	Method    string          `json:"method"`
	SessionID string          `json:"sessionId"`
	Params    json.RawMessage `json:"params"`
	Result    json.RawMessage `json:"result"`
	Error     *struct {
		Message string `json:"message"`
	} `json:"error"`
}

// Start runs the program at path until the test ends, in a profile of its own.
func Start(t testing.TB, path string) *Browser {
	t.Helper()
	b := &Browser{waiting: map[int]chan answer{}, pages: map[string]*Page{}}
	commands, in, err1 := os.Pipe()
	out, answers, err2 := os.Pipe()
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, path, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
		"--no-first-run", "--disable-extensions", "--disable-background-networking", "--disable-component-update",
		"--hide-scrollbars", "--remote-debugging-pipe", "--user-data-dir="+t.TempDir(), "about:blank")
	cmd.ExtraFiles = []*os.File{commands, answers} // descriptors 3 and 4
	if err := cmd.Start(); err != nil {
		cancel()
		t.Fatal(err)
	}
	_ = commands.Close() // the browser has them
	_ = answers.Close()
	b.in = in
	done := make(chan struct{})
	go func() {
		defer close(done)
		b.receive(out)
	}()
	t.Cleanup(func() {
		_, _ = b.call("", "Browser.close", nil) // it may be gone
		stop := time.AfterFunc(Patience, cancel)
		_ = cmd.Wait() // how it ends is no matter
		stop.Stop()
		cancel()
		_ = in.Close()
		<-done
		_ = out.Close()
	})
	return b
}

// receive hands answers to those who wait for them, and events to their pages.
func (b *Browser) receive(out io.Reader) {
	in := bufio.NewReader(out)
	for {
		message, err := in.ReadBytes(0)
		if err != nil {
			b.end(fmt.Errorf("the browser has ended: %w", err))
			return
		}
		var a answer
		if err := json.Unmarshal(message[:len(message)-1], &a); err != nil {
			b.end(err)
			return
		}
		b.mu.Lock()
		waiting, page := b.waiting[a.ID], b.pages[a.SessionID]
		delete(b.waiting, a.ID)
		b.mu.Unlock()
		switch {
		case waiting != nil:
			waiting <- a
		case page != nil:
			page.event(a.Method, a.Params)
		}
	}
}

func (b *Browser) end(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ended = err
	for _, w := range b.waiting {
		close(w)
	}
	clear(b.waiting)
}

// call sends a command and waits for its answer.
func (b *Browser) call(session, method string, params any) (json.RawMessage, error) {
	b.mu.Lock()
	if b.ended != nil {
		defer b.mu.Unlock()
		return nil, b.ended
	}
	b.last++
	id, got := b.last, make(chan answer, 1)
	b.waiting[id] = got
	message, err := json.Marshal(map[string]any{"id": id, "sessionId": session, "method": method, "params": params})
	if session == "" {
		message, err = json.Marshal(map[string]any{"id": id, "method": method, "params": params})
	}
	if err == nil {
		_, err = b.in.Write(append(message, 0))
	}
	b.mu.Unlock()
	if err != nil {
		return nil, err
	}
	select {
	case a, ok := <-got:
		switch {
		case !ok:
			return nil, fmt.Errorf("%s: the browser has ended", method)
		case a.Error != nil:
			return nil, fmt.Errorf("%s: %s", method, a.Error.Message)
		}
		return a.Result, nil
	case <-time.After(Patience):
		return nil, fmt.Errorf("%s: no answer within %v", method, Patience)
	}
}
