package queryapi

import (
	"net/http"
	"time"
)

const (
	// clientPause is how long a client may take nothing of an answer, which is held in memory until it is sent.
	clientPause = time.Minute
	pieceBytes  = 64 << 10
)

// steady ends an answer whose client takes nothing of it for a while.
type steady struct {
	http.ResponseWriter
	control *http.ResponseController
	pause   time.Duration
}

func newSteady(w http.ResponseWriter, pause time.Duration) *steady {
	return &steady{w, http.NewResponseController(w), pause}
}

// Write implements [http.ResponseWriter]. Each piece has its own time.
func (s *steady) Write(b []byte) (n int, err error) {
	for first := true; first || len(b) > 0; first = false {
		piece := b[:min(len(b), pieceBytes)]
		_ = s.control.SetWriteDeadline(time.Now().Add(s.pause)) // what can't do that bounds clients itself, or not
		m, err := s.ResponseWriter.Write(piece)
		if n += m; err != nil {
			return n, err
		}
		b = b[m:]
	}
	return n, nil
}

// end lets the connection serve the next request without a deadline.
func (s *steady) end() { _ = s.control.SetWriteDeadline(time.Time{}) }

// Unwrap is for [http.ResponseController].
func (s *steady) Unwrap() http.ResponseWriter { return s.ResponseWriter }
