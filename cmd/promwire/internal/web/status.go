package web

import (
	"net/http"
	"path/filepath"
	"runtime"

	"github.com/promwire/promwire"
)

// status is what the status view shows; times are in milliseconds, sizes in bytes.
type status struct {
	program

	Dir              string `json:"dir"`
	Retention        int64  `json:"retention"`
	RetentionBytes   int64  `json:"retentionBytes"`
	OutOfOrderWindow int64  `json:"outOfOrderWindow"`
	FutureWindow     int64  `json:"futureWindow"`
	MinFree          int64  `json:"minFree"`
	Free             int64  `json:"free"` // -1: not known

	HeadSeries uint64 `json:"headSeries"`
	HeadBytes  int64  `json:"headBytes"`
	Blocks     int    `json:"blocks"`
	BlockBytes int64  `json:"blockBytes"`
	MinTime    int64  `json:"minTime"`
	MaxTime    int64  `json:"maxTime"`
	Families   int    `json:"families"`
	Failed     bool   `json:"failed"`
}

// program is what it shows of the program.
type program struct {
	Version    string `json:"version"`
	GoVersion  string `json:"goVersion"`
	Started    int64  `json:"started"`
	Now        int64  `json:"now"`
	Goroutines int    `json:"goroutines"`
}

func (u *UI) program() program {
	return program{
		Version: promwire.Version, GoVersion: runtime.Version(), Started: u.started.UnixMilli(), Now: u.now().UnixMilli(),
		Goroutines: runtime.NumGoroutine(),
	}
}

func (u *UI) serveStatus(w http.ResponseWriter, r *http.Request) {
	if foreign(r) {
		http.Error(w, "only for the page itself", http.StatusForbidden)
		return
	}
	if u.gateway != nil {
		writeJSON(w, struct {
			program
			Gateway Gateway `json:"gateway"`
		}{u.program(), u.gateway()})
		return
	}
	s, err := u.store.Status()
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	if dir, err := filepath.Abs(s.Dir); err == nil {
		s.Dir = dir
	}
	writeJSON(w, status{
		program: u.program(),
		Dir:     s.Dir, Retention: s.Retention.Milliseconds(), RetentionBytes: s.RetentionBytes,
		OutOfOrderWindow: s.OutOfOrderWindow.Milliseconds(), FutureWindow: s.FutureWindow.Milliseconds(),
		MinFree: s.MinFree, Free: s.Free,
		HeadSeries: s.HeadSeries, HeadBytes: s.HeadBytes, Blocks: s.Blocks, BlockBytes: s.BlockBytes,
		MinTime: s.MinTime, MaxTime: s.MaxTime, Families: s.Families, Failed: s.Failed,
	})
}
