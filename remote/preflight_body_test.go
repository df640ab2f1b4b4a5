package remote

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/promwire/promwire"
)

// A body in which nothing is found passes as it came; one with findings goes out mended.
func TestPreflightBody(t *testing.T) {
	good, shuffled, nameless := entryOf("__name__", "good"), entryOf("b", "1", "__name__", "m"), entryOf("a", "1")
	for _, tt := range []struct {
		name    string
		series  []promwire.TimeSeries
		same    bool
		want    []string
		refused string
	}{
		{"clean", []promwire.TimeSeries{good, good}, true, []string{shown(&good), shown(&good)}, ""},
		{"taken", []promwire.TimeSeries{good, nameless}, true, []string{shown(&good), shown(&nameless)}, ""},
		{"mended", []promwire.TimeSeries{shuffled, good}, false, []string{"__name__=m b=1 0:1", shown(&good)}, ""},
		{"refused", []promwire.TimeSeries{entryOf("__name__", "m", "", "x"), good}, false, []string{shown(&good)}, "0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k := newTaker(t, takesAll)
			p := preflight(newWriteClient(t, k.url, WithMessageType(v1)), LimitsThanos, PreflightRepair, 0)
			for range 2 { // pooled memory
				k.all = nil
				b := newBody(t, &promwire.WriteRequest{Timeseries: tt.series}, v1, promwire.Snappy)
				stats, err := p.WriteBody(context.Background(), b)
				if (err == nil) != (tt.refused == "") || indices(err) != tt.refused || stats.Samples != len(tt.want) {
					t.Fatalf("%+v, %v", stats, err)
				}
				if got := k.all[0]; bytes.Equal(got.body, b.Encoded) != tt.same {
					t.Errorf("the body came as it was: %v", !tt.same)
				}
				for i, ts := range k.all[0].request.Timeseries {
					if shown(&ts) != tt.want[i] {
						t.Errorf("%d: %s, want %s", i, shown(&ts), tt.want[i])
					}
				}
			}
		})
	}
}

// What can't be decoded is refused by its index in the body, beside what the preflight and the target refuse.
func TestPreflightBodyRefs(t *testing.T) {
	message := []byte{
		0x22, 0, 0x22, 8, '_', '_', 'n', 'a', 'm', 'e', '_', '_', 0x22, 1, 'm',
		0x2a, 8, 0x0a, 2, 1, 99, 0x12, 2, 0x10, 1, // no such symbol
		0x2a, 8, 0x0a, 2, 2, 2, 0x12, 2, 0x10, 1, // no metric name
		0x2a, 8, 0x0a, 2, 1, 2, 0x12, 2, 0x10, 1,
		0x2a, 8, 0x0a, 2, 1, 2, 0x12, 2, 0x10, 1,
	}
	profile := LimitsStrict
	profile.Takes = []PreflightRule{RuleTimeUnit}
	next := &answering{err: refusing(1)}
	var b promwire.Body
	b.Reset(message, promwire.EncodingIdentity, v2, 1<<20)
	stats, err := preflight(next, profile, PreflightRepair, 0).WriteBody(context.Background(), &b)
	if indices(err) != "0 1 3" || stats.Samples != 1 || len(next.took) != 1 {
		t.Errorf("%+v, %v", stats, err)
	}
	next.err = errBusy
	if _, err := preflight(next, profile, PreflightRepair, 0).WriteBody(context.Background(), &b); !errors.Is(err, errBusy) || indices(err) != "" {
		t.Errorf("%v", err)
	}
	b.Reset([]byte{0x0f}, promwire.EncodingIdentity, v2, 1<<20)
	var malformed *promwire.DecodeError
	if _, err := preflight(next, profile, PreflightRepair, 0).WriteBody(context.Background(), &b); !errors.As(err, &malformed) {
		t.Errorf("%v", err)
	}
}

func TestPreflightDeadLetters(t *testing.T) {
	mixed := sampled(1, 1, 0, 2)
	mixed.Samples[0].Timestamp = ago(0) / 1000 // looks like seconds
	request := func() *promwire.WriteRequest {
		return &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{entryOf("__name__", "good"), entryOf("a", "1"), mixed}}
	}
	for _, tt := range []struct {
		name string
		mode PreflightMode
		err  error
		want []string
	}{
		{"repair", PreflightRepair, nil, []string{"a=1 0:1", "__name__=m 1793812392:1"}},
		{"may pass", PreflightRepair, errBusy, nil},
		{"refused", PreflightRepair, errBad, []string{"a=1 0:1", "__name__=m 1793812392:1"}},
		{"strict", PreflightStrict, nil, []string{"__name__=good 0:1", "a=1 0:1", "__name__=m 1793812392:1 0:2"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			box := &letterBox{}
			p := NewPreflight(&answering{err: tt.err}, PreflightOptions{
				Mode: tt.mode, Now: preflight(nil, LimitsStrict, 0, 0).options.Now, DeadLetters: box, Endpoint: "here",
			})
			_, err := p.Write(promwire.ContextWithTenant(context.Background(), "team"), request())
			var got []string
			for _, l := range box.all {
				got = append(got, shown(&l.Series))
				if l.Endpoint != "here" || l.Tenant != "team" || l.Reason == "" || l.Time.IsZero() {
					t.Errorf("letter %+v", l)
				}
			}
			if len(got) != len(tt.want) {
				t.Fatalf("letters %q, want %q", got, tt.want)
			}
			for i := range got {
				if got[i] != tt.want[i] {
					t.Errorf("letter %q, want %q", got[i], tt.want[i])
				}
			}
			if tt.want == nil {
				return
			}
			box.err = errors.New("the disk is full")
			if _, again := p.Write(context.Background(), request()); again == nil || again.Error() == err.Error() || promwire.Retryable(again) {
				t.Errorf("letters that are lost: %v", again)
			}
		})
	}
}
