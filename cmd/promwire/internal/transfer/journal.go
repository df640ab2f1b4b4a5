package transfer

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/transfer/tally"
)

// ErrOtherJournal says that a journal was written by another command, or for other data.
var ErrOtherJournal = errors.New("it was written for something else")

// Journal is what of a transfer is done, in a file that is replaced after each acknowledged request: whatever the moment
// a process dies at, the next one sends what is not acknowledged, and at most one request again.
type Journal struct {
	path    string
	Resumed bool // it was there before
	JournalState
}

// JournalState is what a Journal holds.
type JournalState struct {
	// Task says what is done: a journal goes on with the same task only.
	Task string `json:"task"`
	// Now is when the transfer began, in milliseconds: relative times stay what they were.
	Now int64 `json:"now"`
	// Position is up to where it is done.
	Position Position `json:"position"`
	// Written and Refused are what became of it.
	Written promwire.WriteStats `json:"written"`
	Refused tally.Tally         `json:"refused"`
	// Done says that nothing is left to send.
	Done bool `json:"done"`
}

// Position is a place in the order in which things are sent: a number of points in a window, and a hash of them, by which
// a change of the data is noticed.
type Position struct {
	Window int64  `json:"window"`
	Points int64  `json:"points"`
	Hash   uint64 `json:"hash"`
}

// OpenJournal reads the journal at a path, or begins one. With an empty path it is kept nowhere.
func OpenJournal(path, task string, now int64) (*Journal, error) {
	j := &Journal{path: path, JournalState: JournalState{Task: task, Now: now}}
	if path == "" {
		return j, nil
	}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return j, j.Save()
	}
	if err != nil {
		return nil, err
	}
	var state JournalState
	if err := json.Unmarshal(text, &state); err != nil {
		return nil, fmt.Errorf("--resume %s: %w; remove it to begin anew", path, err)
	}
	if state.Task != task {
		return nil, fmt.Errorf("--resume %s: %w: %s", path, ErrOtherJournal, state.Task)
	}
	j.JournalState, j.Resumed = state, true
	return j, nil
}

// Save writes the journal. The file is replaced as a whole; it is not forced to disk, as an old one costs requests that are
// sent again, and nothing else.
func (j *Journal) Save() error {
	if j.path == "" {
		return nil
	}
	text, err := json.Marshal(&j.JournalState)
	if err != nil {
		return err
	}
	temp := filepath.Join(filepath.Dir(j.path), "."+filepath.Base(j.path)+".new")
	if err := os.WriteFile(temp, append(text, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(temp, j.path)
}
