package tenants

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/tsdbstore"
)

// message encodes req, and appends what is malformed or of the other message.
func message(t *testing.T, mt promwire.MessageType, req *promwire.WriteRequest, more string) string {
	t.Helper()
	msg, err := req.AppendProto(nil, mt)
	if err != nil {
		t.Fatal(err)
	}
	return string(msg) + more
}

// TestFirstWrite lets a tenant begin with bodies of all kinds. What is empty or refused in full must leave no trace, and have
// the answer of a tenant that is there already.
func TestFirstWrite(t *testing.T) {
	now := []promwire.Sample{{Timestamp: time.Now().UnixMilli(), Value: 1}}
	good := promwire.TimeSeries{Labels: promwire.LabelsFromStrings("__name__", "first"), Samples: now}
	bad := promwire.TimeSeries{Labels: promwire.LabelsFromStrings("job", "j"), Samples: now}
	empty := promwire.TimeSeries{Labels: promwire.LabelsFromStrings("__name__", "first")}
	of := func(all ...promwire.TimeSeries) *promwire.WriteRequest {
		return &promwire.WriteRequest{Timeseries: all}
	}
	metadata := &promwire.WriteRequest{Metadata: []promwire.MetricMetadata{{Family: "m", Metadata: promwire.Metadata{Help: "h"}}}}
	const v1, v2, plain, snappy = promwire.WriteV1, promwire.WriteV2, "", promwire.EncodingSnappy
	malformed := new(promwire.DecodeError)
	for _, tc := range []struct {
		name, encoding string
		mt             promwire.MessageType
		body           string
		begins         bool
		want           error
	}{
		{"corrupt snappy", snappy, v1, "\x20\xff\xff", false, malformed},
		{"more than a message may have", snappy, v1, "\xff\xff\xff\xff\x0f", false, promwire.ErrTooLarge},
		{"malformed behind what is good", plain, v1, message(t, v1, of(good), "\x0a\x09"), false, malformed},
		{"no name", plain, v1, message(t, v1, of(bad, bad), ""), false, promwire.ErrNoMetricName},
		{"no name, 2.0", plain, v2, message(t, v2, of(bad), ""), false, promwire.ErrNoMetricName},
		{"symbols that are not there", plain, v2, "\x22\x00\x2a\x06\x0a\x02\x07\x08\x12\x00", false, promwire.ErrInvalidSymbolRef},
		{"no samples", plain, v1, message(t, v1, of(empty), ""), false, nil},
		{"no samples, 2.0", plain, v2, message(t, v2, of(empty), ""), false, promwire.ErrEmptySeries},
		{"nothing", plain, v1, "", false, nil},
		{"the other message", plain, v1, message(t, v2, of(good), ""), false, malformed},
		{"good", plain, v1, message(t, v1, of(good), ""), true, nil},
		{"good, 2.0", plain, v2, message(t, v2, of(good), ""), true, nil},
		{"good between bad", plain, v1, message(t, v1, of(bad, good, bad), ""), true, promwire.ErrNoMetricName},
		{"metadata", plain, v1, message(t, v1, metadata, ""), true, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := openSet(t, tsdbstore.Options{})
			writeBody := func(tenant string) (promwire.WriteStats, error) {
				var b promwire.Body
				b.Reset([]byte(tc.body), tc.encoding, tc.mt, 1<<20)
				return s.WriteBody(promwire.ContextWithTenant(t.Context(), tenant), &b)
			}
			stats, err := writeBody("new")
			if !alike(err, tc.want) {
				t.Errorf("answer %v, want %v", err, tc.want)
			}
			if _, noFolder := os.Stat(filepath.Join(s.dir, "new")); (noFolder == nil) != tc.begins || (len(s.all()) == 1) != tc.begins {
				t.Errorf("%d tenants, folder: %v", len(s.all()), noFolder)
			}
			if err := write(t, s, "old"); err != nil {
				t.Fatal(err)
			}
			if there, want := writeBody("old"); there != stats || text(err) != text(want) {
				t.Errorf("answer %v, %v; to one that is there %v, %v", stats, err, there, want)
			}
		})
	}
}

// alike reports whether err is want, or malformed as want is.
func alike(err, want error) bool {
	var d *promwire.DecodeError
	return errors.Is(err, want) || errors.As(want, &d) && errors.As(err, &d)
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
