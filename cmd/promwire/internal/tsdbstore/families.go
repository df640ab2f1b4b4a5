package tsdbstore

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/promwire/promwire"
)

const (
	familiesFile = "families.jsonl"
	// maxFamilyBytes bounds one family's name, help and unit; longer ones are not kept.
	maxFamilyBytes = 16 << 10
	// maxFamiliesBytes bounds all of them.
	maxFamiliesBytes = 64 << 20
)

// families keeps the metadata of metric families, bounded, in memory and in a file of one JSON object a line, where the
// last line of a family counts. At the bound an arbitrary other family goes.
type families struct {
	path string
	max  int // families; 0: none are kept
	log  *slog.Logger

	mu    sync.RWMutex
	m     map[string]promwire.Metadata
	bytes int
	lines int  // in the file
	torn  bool // the file may end within a line
}

type familyLine struct {
	Family string              `json:"family"`
	Type   promwire.MetricType `json:"type,omitempty"`
	Help   string              `json:"help,omitempty"`
	Unit   string              `json:"unit,omitempty"`
}

// Family returns the metadata of a metric family, as it came last; false if there is none.
func (s *Store) Family(name string) (promwire.Metadata, bool) {
	s.families.mu.RLock()
	defer s.families.mu.RUnlock()
	m, ok := s.families.m[name]
	return m, ok
}

// Families returns the metadata of all families, in order of their names.
func (s *Store) Families() []promwire.MetricMetadata {
	out := s.families.all()
	slices.SortFunc(out, func(a, b promwire.MetricMetadata) int { return strings.Compare(a.Family, b.Family) })
	return out
}

func (f *families) all() []promwire.MetricMetadata {
	f.mu.RLock()
	defer f.mu.RUnlock()
	out := make([]promwire.MetricMetadata, 0, len(f.m))
	for name, m := range f.m {
		out = append(out, promwire.MetricMetadata{Metadata: m, Family: name})
	}
	return out
}

// fresh reports whether m tells something new about the family.
func (f *families) fresh(family string, m *promwire.Metadata) bool {
	if f.max == 0 || family == "" || len(family)+len(m.Help)+len(m.Unit) > maxFamilyBytes {
		return false
	}
	f.mu.RLock()
	defer f.mu.RUnlock()
	old, ok := f.m[family]
	return !ok || old != *m
}

// put keeps the metadata given, whose strings must stay. A failing write is logged: metadata describes samples, it does
// not make a write fail.
func (f *families) put(ms []promwire.MetricMetadata) {
	if len(ms) == 0 {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	var lines bytes.Buffer
	if f.torn {
		lines.WriteByte('\n')
	}
	for i := range ms {
		f.set(ms[i].Family, ms[i].Metadata)
		f.encode(&lines, ms[i].Family, ms[i].Metadata)
	}
	if f.lines += len(ms); f.lines > 2*len(f.m)+1000 {
		f.rewrite()
		return
	}
	f.report(f.append(lines.Bytes()))
}

func (f *families) set(family string, m promwire.Metadata) {
	f.drop(family)
	f.m[family] = m
	f.bytes += len(family) + len(m.Help) + len(m.Unit)
	for other := range f.m {
		if len(f.m) <= f.max && f.bytes <= maxFamiliesBytes {
			return
		}
		if other != family {
			f.drop(other)
		}
	}
}

func (f *families) drop(family string) {
	if m, ok := f.m[family]; ok {
		f.bytes -= len(family) + len(m.Help) + len(m.Unit)
		delete(f.m, family)
	}
}

func (f *families) encode(dst *bytes.Buffer, family string, m promwire.Metadata) {
	line, err := json.Marshal(familyLine{family, m.Type, m.Help, m.Unit})
	if err != nil {
		return // strings and a number do not fail
	}
	dst.Write(append(line, '\n'))
}

// append writes lines to the end of the file.
func (f *families) append(lines []byte) error {
	file, err := os.OpenFile(f.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o666)
	if err != nil {
		return err
	}
	_, err = file.Write(lines)
	err = errors.Join(err, file.Close())
	f.torn = err != nil
	return err
}

// rewrite replaces the file by one without outdated lines.
func (f *families) rewrite() {
	var lines bytes.Buffer
	for family, m := range f.m {
		f.encode(&lines, family, m)
	}
	tmp := f.path + ".tmp"
	err := os.WriteFile(tmp, lines.Bytes(), 0o666)
	if err == nil {
		err = os.Rename(tmp, f.path)
	}
	f.lines, f.torn = len(f.m), f.torn && err != nil
	f.report(err)
}

func (f *families) report(err error) {
	if err != nil {
		f.log.Warn("metric metadata could not be written", "file", f.path, "err", err)
	}
}

// load reads the file. Lines that are no JSON, such as one that a crash cut, are left out.
func (f *families) load() error {
	file, err := os.Open(f.path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("metric metadata: %w", err)
	}
	defer file.Close()
	// JSON may need six bytes for one.
	in := bufio.NewScanner(file)
	in.Buffer(nil, 6*maxFamilyBytes+1024)
	for in.Scan() {
		var l familyLine
		f.lines++
		if json.Unmarshal(in.Bytes(), &l) == nil && l.Family != "" && f.max > 0 {
			f.set(l.Family, promwire.Metadata{Type: l.Type, Help: l.Help, Unit: l.Unit})
		}
	}
	if err := in.Err(); err != nil {
		f.log.Warn("metric metadata is read up to a bad line", "file", f.path, "err", err)
	}
	f.torn = true // for all we know
	return nil
}
