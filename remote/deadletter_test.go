package remote

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/promwire/promwire"
)

func hardLetter() DeadLetter {
	nan := math.Float64frombits(0x7ff8000000000123)
	return DeadLetter{
		Time: time.Date(2026, 1, 2, 3, 4, 5, 678, time.UTC), Tenant: "t", Endpoint: "http://h/w", Reason: "no\nway <\xff>", Status: 409,
		Series: promwire.TimeSeries{
			Labels: promwire.Labels{{Name: "__name__", Value: "m"}, {Name: "a", Value: "\xff\u2028"}, {Name: "a", Value: ""}},
			Samples: []promwire.Sample{
				{Timestamp: math.MinInt64, Value: promwire.StaleNaN()},
				{Timestamp: math.MaxInt64, StartTimestamp: 1, Value: nan},
				{Value: math.Inf(1)},
				{Value: math.Inf(-1)},
				{Value: math.Copysign(0, -1)},
				{Value: 0.1},
				{Value: math.SmallestNonzeroFloat64},
			},
			Histograms: []promwire.Histogram{
				{
					Timestamp: 1, Schema: -4, Count: math.MaxUint64, ZeroCount: 1, Sum: nan, PositiveDeltas: []int64{math.MinInt64, 1},
					PositiveSpans: []promwire.BucketSpan{{Offset: -3, Length: 2}}, ResetHint: promwire.ResetGauge,
				},
				{
					Timestamp: 2, StartTimestamp: 1, IsFloat: true, Schema: promwire.CustomBucketsSchema, CountFloat: nan,
					ZeroCountFloat: math.Copysign(0, -1), PositiveCounts: []float64{1.5}, NegativeCounts: []float64{2},
					NegativeSpans: []promwire.BucketSpan{{Length: 1}}, CustomValues: []float64{0.1, 2},
				},
			},
			Exemplars: []promwire.Exemplar{{Timestamp: 3, Value: -0.5, Labels: promwire.Labels{{Name: "id", Value: "x"}}}},
			Metadata:  promwire.Metadata{Type: promwire.TypeCounter, Help: "help", Unit: "seconds"},
		},
	}
}

// sameLetter compares bit for bit: %x of a float tells no NaN from another one, so both go through JSON, too.
func sameLetter(t *testing.T, got, want DeadLetter) {
	t.Helper()
	a, err := got.AppendJSON(nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := want.AppendJSON(nil)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a, b) {
		t.Errorf("got  %s\nwant %s", a, b)
	}
}

func lettersIn(t *testing.T, path string) (letters []DeadLetter, errs []error) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for l, err := range ReadDeadLetters(f) {
		if err != nil {
			errs = append(errs, err)
		} else {
			letters = append(letters, l)
		}
	}
	return letters, errs
}

func TestDeadLettersRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "letters")
	f, err := OpenDeadLetters(path, DeadLetterOptions{Sync: true})
	if err != nil {
		t.Fatal(err)
	}
	want := hardLetter()
	if err := f.WriteDeadLetters(context.Background(), []DeadLetter{want, want}); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.WriteDeadLetters(context.Background(), nil); err == nil {
		t.Error("a closed file takes letters")
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("got mode %v, %v", info.Mode(), err)
	}
	got, errs := lettersIn(t, path)
	if len(got) != 2 || len(errs) != 0 {
		t.Fatalf("got %d letters, %v", len(got), errs)
	}
	sameLetter(t, got[1], want)
	for i, s := range got[1].Series.Samples {
		if w := want.Series.Samples[i]; math.Float64bits(s.Value) != math.Float64bits(w.Value) || s.Timestamp != w.Timestamp {
			t.Errorf("sample %d: got %v, want %v", i, s, w)
		}
	}
	if h := got[0].Series.Histograms; math.Float64bits(h[0].Sum) != math.Float64bits(want.Series.Histograms[0].Sum) ||
		!math.Signbit(h[1].ZeroCountFloat) || h[0].PositiveDeltas[0] != math.MinInt64 {
		t.Errorf("got histograms %+v", h)
	}
	if !reflect.DeepEqual(got[0].Series.Labels, want.Series.Labels) || got[0].Reason != want.Reason {
		t.Errorf("got labels %q, reason %q", got[0].Series.Labels, got[0].Reason)
	}
}

// The files stay within their bounds, and the newest letters are there.
func TestDeadLettersRotate(t *testing.T) {
	for _, keep := range []int{-1, 2} {
		t.Run(fmt.Sprint(keep), func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "letters")
			f, err := OpenDeadLetters(path, DeadLetterOptions{MaxBytes: 1000, Keep: keep})
			if err != nil {
				t.Fatal(err)
			}
			for i := range 100 {
				l := DeadLetter{Reason: "no", Status: i}
				if err := f.WriteDeadLetters(context.Background(), []DeadLetter{l}); err != nil {
					t.Fatal(err)
				}
			}
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
			files, err := filepath.Glob(path + "*")
			if err != nil || len(files) != 1+max(0, keep) {
				t.Fatalf("got files %v, %v", files, err)
			}
			next := 99
			for i := range files {
				name := path
				if i > 0 {
					name = fmt.Sprintf("%s.%d", path, i)
				}
				if info, err := os.Stat(name); err != nil || info.Size() > 1000 {
					t.Errorf("%s: %v bytes, %v", name, info.Size(), err)
				}
				letters, errs := lettersIn(t, name)
				for j := len(letters) - 1; j >= 0; j-- {
					if letters[j].Status != next {
						t.Fatalf("%s has letter %d where %d should be", name, letters[j].Status, next)
					}
					next--
				}
				if len(letters) == 0 || len(errs) > 0 {
					t.Errorf("%s: %d letters, %v", name, len(letters), errs)
				}
			}
		})
	}
}

// Damage costs the lines that it hits.
func TestDeadLettersDamaged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "letters")
	damage := strings.Repeat("x", MaxDeadLetterLine+1) + "\n{\"reason\":\"one\",\"labels\":[]}\nnonsense\n\n{\"reason\":\"cut"
	if err := os.WriteFile(path, []byte(damage), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := OpenDeadLetters(path, DeadLetterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Write(context.Background(), seriesWithBad(1, -1)); err != nil {
		t.Fatal(err)
	}
	letters, errs := lettersIn(t, path)
	if len(letters) != 2 || letters[0].Reason != "one" || letters[1].Series.Labels.Get("__name__") != "m0" {
		t.Errorf("got %+v", letters)
	}
	if len(errs) != 3 || !strings.Contains(errs[0].Error(), "line 1: too large") || !strings.Contains(errs[2].Error(), "line 5:") {
		t.Errorf("got errors %v", errs)
	}
}

// A series that is too long for a line becomes several.
func TestDeadLettersLongSeries(t *testing.T) {
	path := filepath.Join(t.TempDir(), "letters")
	f, err := OpenDeadLetters(path, DeadLetterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	l := DeadLetter{Series: promwire.TimeSeries{Labels: promwire.LabelsFromStrings("__name__", "m")}}
	for i := range int64(50_000) {
		l.Series.Samples = append(l.Series.Samples, promwire.Sample{Timestamp: 1e12 + i, Value: 0.123456789})
	}
	if err := f.WriteDeadLetters(context.Background(), []DeadLetter{l}); err != nil {
		t.Fatal(err)
	}
	letters, errs := lettersIn(t, path)
	n := 0
	for _, got := range letters {
		n += len(got.Series.Samples)
	}
	if len(letters) < 2 || n != 50_000 || len(errs) > 0 {
		t.Errorf("got %d letters with %d samples, %v", len(letters), n, errs)
	}
}

// The refused part of a queue's batch goes to the file, with the reason.
func TestDeadLettersOfQueue(t *testing.T) {
	path := filepath.Join(t.TempDir(), "letters")
	f, err := OpenDeadLetters(path, DeadLetterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	refuse := writerFunc(func(context.Context, *promwire.WriteRequest) (promwire.WriteStats, error) {
		return promwire.WriteStats{}, answerOf(400, "nothing of this")
	})
	q, err := NewQueue(refuse, QueueOptions{DeadLetters: f, WaitForDelivery: true, BatchDeadline: -1})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := q.Write(promwire.ContextWithTenant(context.Background(), "me"), seriesWithBad(2, -1)); err == nil {
		t.Error("no error")
	}
	if _, err := q.Shutdown(context.Background()); err != nil {
		t.Fatal(err)
	}
	letters, _ := lettersIn(t, path)
	if len(letters) != 2 || letters[0].Status != 400 || !strings.Contains(letters[0].Reason, "nothing of this") || letters[0].Tenant != "me" {
		t.Errorf("got %+v", letters)
	}
}

func FuzzReadDeadLetters(f *testing.F) {
	hard := hardLetter()
	line, err := hard.AppendJSON(nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(line)
	f.Add([]byte("{\"labels\":[[\"a\",{\"bytes\":\"/w==\"}]],\"samples\":[{\"v\":\"nan:7ff0000000000002\"}]}\n{}\nx"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for l, err := range ReadDeadLetters(bytes.NewReader(data)) {
			if err != nil {
				continue
			}
			out, err := l.AppendJSON(nil)
			if err != nil {
				t.Fatal(err)
			}
			again, err := parseDeadLetter(out)
			if err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			sameLetter(t, again, l)
		}
	})
}
