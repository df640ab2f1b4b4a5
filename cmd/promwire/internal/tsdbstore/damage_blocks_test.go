package tsdbstore

import (
	"bytes"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/promwire/promwire"
)

// TestDamagedBlocks damages files of blocks at random: the store does not open, or the damaged block can't be read, and
// the error names it; what can be read is what was written. PROMWIRE_DAMAGE_ROUNDS sets the number of rounds.
func TestDamagedBlocks(t *testing.T) {
	rounds := 20
	if n, err := strconv.Atoi(os.Getenv("PROMWIRE_DAMAGE_ROUNDS")); err == nil {
		rounds = n
	}
	sound, in := newDamaged(t)
	refused, unread, harmless := 0, 0, 0
	for round := range rounds {
		rnd := rand.New(rand.NewPCG(uint64(round), 0))
		dir := snapshotDir(t, sound)
		files := damageable(t, dir, []string{"01*/index", "01*/chunks/0*", "01*/meta.json", "01*/tombstones"}[round%4])
		d := logDamages[round/4%len(logDamages)]
		path := files[rnd.IntN(len(files))]
		d.do(t, rnd, path)
		what := fmt.Sprintf("round %d: %s: %s", round, path, d.name)
		block := strings.Split(strings.TrimPrefix(path, dir+"/"), "/")[0]
		var log bytes.Buffer
		s, err := Open(dir, Options{MinFree: -1, Retention: -1, Logger: slog.New(slog.NewTextHandler(&log, nil))})
		if err == nil {
			s.now = func() time.Time { return time.UnixMilli(base) }
			var missing int
			missing, err = in.tryRead(t, s)
			switch warned := strings.Contains(log.String(), "level=ERROR") && strings.Contains(log.String(), block); {
			case err != nil || warned:
				unread++
			case missing > 0:
				t.Errorf("%s: %d samples are missing\n%s", what, missing, &log)
			default:
				harmless++
			}
			_ = s.Close()
		} else {
			refused++
		}
		if err != nil && !strings.Contains(err.Error(), block) {
			t.Errorf("%s: the block is not named: %v", what, err)
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d damages: %d times the store did not open, %d times the block was not read, %d without effect", rounds, refused, unread, harmless)
}

// tryRead reads everything. What is there has to be what was written.
func (in inDamaged) tryRead(t *testing.T, s *Store) (missing int, err error) {
	t.Helper()
	found := 0
	for ts, err := range promwire.JoinSeries(s.Read(t.Context(), everything(t))) {
		if err != nil {
			return 0, err
		}
		name := ts.Labels.Get("__name__")
		for _, sample := range ts.Samples {
			if v, ok := in[fmt.Sprint(name, " ", sample.Timestamp)]; !ok || v != sample.Value {
				t.Errorf("%s has %v at %d: written %t, %v", name, sample.Value, sample.Timestamp-base, ok, v)
			}
			found++
		}
	}
	return len(in) - found, nil
}
