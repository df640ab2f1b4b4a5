package remote

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/compress/gzip"
	"github.com/promwire/promwire/compress/zstd"
)

// arrival is one request as it came.
type arrival struct {
	encoding string
	message  promwire.MessageType
	body     []byte
	request  promwire.WriteRequest
}

// taker is a receiver that takes some formats, and keeps what came.
type taker struct {
	url   string
	takes func(promwire.MessageType, string) int // the status, 0 for what a good receiver answers
	mu    sync.Mutex
	all   []arrival
}

func newTaker(t testing.TB, takes func(m promwire.MessageType, encoding string) int) *taker {
	k := &taker{takes: takes}
	k.url = newServer(t, func(w http.ResponseWriter, req *http.Request) {
		a := arrival{encoding: req.Header.Get("Content-Encoding")}
		var err error
		if a.body, err = io.ReadAll(req.Body); err != nil {
			t.Error(err)
		}
		if a.message, err = promwire.ParseContentType(req.Header.Get("Content-Type")); err != nil {
			t.Error(err)
		}
		var b promwire.Body
		b.Reset(a.body, a.encoding, a.message, 1<<24)
		b.Compressions = []promwire.Compression{zstd.Codec{}, gzip.Codec{}}
		msg, err := b.Decoded()
		if err == nil {
			err = a.request.UnmarshalProto(msg, a.message)
		}
		if err != nil {
			t.Errorf("%s %s: %v", a.encoding, a.message, err)
		}
		k.mu.Lock()
		k.all = append(k.all, a)
		k.mu.Unlock()
		if status := k.takes(a.message, a.encoding); status != 0 {
			w.WriteHeader(status)
			return
		}
		if a.message == v2 {
			writtenHeaders(w, a.request.Stats())
		}
		w.WriteHeader(http.StatusNoContent)
	})
	return k
}

// formats returns what came since the last call.
func (k *taker) formats() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	var out []string
	for _, a := range k.all {
		out = append(out, a.message.Version()[:1]+" "+a.encoding)
	}
	k.all = nil
	return out
}

func takesAll(promwire.MessageType, string) int { return 0 }

func only(m promwire.MessageType, encodings string) func(promwire.MessageType, string) int {
	return func(got promwire.MessageType, encoding string) int {
		if m != "" && got != m || !strings.Contains(encodings, encoding) {
			return http.StatusUnsupportedMediaType
		}
		return 0
	}
}

// silent is a 1.0 receiver that answers 204 to anything.
func silent(m promwire.MessageType, _ string) int { return http.StatusNoContent }

func newBody(t testing.TB, req *promwire.WriteRequest, m promwire.MessageType, c promwire.Compression) *promwire.Body {
	t.Helper()
	msg, err := req.AppendProto(nil, m)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := c.AppendEncoded(nil, msg)
	if err != nil {
		t.Fatal(err)
	}
	b := &promwire.Body{}
	b.Reset(encoded, c.ContentEncoding(), m, 1<<24)
	b.Compressions = []promwire.Compression{zstd.Codec{}, gzip.Codec{}}
	return b
}

func TestWriteBody(t *testing.T) {
	var z promwire.Compression = zstd.Codec{}
	tests := []struct {
		name     string
		takes    func(promwire.MessageType, string) int
		message  promwire.MessageType
		encoding promwire.Compression
		options  []WriteOption
		first    []string // what goes out for the first body
		second   []string
		plain    bool // the last body is the one that was given
	}{
		{"1.0 as it is", takesAll, v1, promwire.Snappy, nil, []string{"0 snappy"}, []string{"0 snappy"}, true},
		{"2.0 as it is", takesAll, v2, promwire.Snappy, nil, []string{"2 snappy"}, []string{"2 snappy"}, true},
		{"2.0 to 1.0 only", only(v1, "snappy"), v2, promwire.Snappy, nil, []string{"2 snappy", "0 snappy"}, []string{"0 snappy"}, false},
		{"2.0 to the silent", silent, v2, promwire.Snappy, nil, []string{"2 snappy", "0 snappy"}, []string{"0 snappy"}, false},
		{"1.0 to 2.0 only", only(v2, "snappy"), v1, promwire.Snappy, nil, []string{"0 snappy", "2 snappy"}, []string{"2 snappy"}, false},
		{"pinned", takesAll, v1, promwire.Snappy, []WriteOption{WithMessageType(v2)}, []string{"2 snappy"}, []string{"2 snappy"}, false},
		{"zstd comes, snappy goes", takesAll, v2, z, nil, []string{"2 snappy"}, []string{"2 snappy"}, false},
		{"zstd comes and goes", takesAll, v2, z, []WriteOption{WithCompression(z)}, []string{"2 zstd"}, []string{"2 zstd"}, true},
		{"none comes, gzip goes", takesAll, v1, promwire.Identity, []WriteOption{WithCompression(gzip.Codec{})}, []string{"0 gzip"}, []string{"0 gzip"}, false},
		{
			"zstd refused", only("", "snappy"), v2, z,
			[]WriteOption{WithCompression(z)},
			[]string{"2 zstd", "2 snappy"},
			[]string{"2 snappy"},
			false,
		},
		{
			"both refused", only(v1, "snappy"), v2, z,
			[]WriteOption{WithCompression(z)},
			[]string{"2 zstd", "2 snappy", "0 snappy"},
			[]string{"0 snappy"},
			false,
		},
		{
			"silent, takes zstd", silent, v2, z,
			[]WriteOption{WithCompression(z)},
			[]string{"2 zstd", "0 zstd"},
			[]string{"0 zstd"},
			false,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			k := newTaker(t, tt.takes)
			c := newWriteClient(t, k.url, tt.options...)
			for _, want := range [][]string{tt.first, tt.second} {
				req := request("m", 2)
				b := newBody(t, req, tt.message, tt.encoding)
				stats, err := c.WriteBody(context.Background(), b)
				if err != nil || stats != req.Stats() {
					t.Fatalf("got %+v, %v", stats, err)
				}
				last := k.all[len(k.all)-1]
				if got := k.formats(); !reflect.DeepEqual(got, want) {
					t.Errorf("sent %q, want %q", got, want)
				}
				if bytes.Equal(last.body, b.Encoded) != tt.plain {
					t.Errorf("passed on as it is: %v, want %v", !tt.plain, tt.plain)
				}
				for i, ts := range last.request.Timeseries {
					if want := req.Timeseries[i]; !ts.Labels.Equal(want.Labels) || len(ts.Samples) != 2 || ts.Samples[1].Value != want.Samples[1].Value {
						t.Errorf("got %+v, want %+v", ts, want)
					}
				}
			}
		})
	}
}

// A body whose counts are given is not looked into.
func TestWriteBodyIsNotDecoded(t *testing.T) {
	url := newServer(t, func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		if string(body) != "anything" {
			t.Errorf("got %q", body)
		}
		writtenHeaders(w, promwire.WriteStats{Samples: 5})
	})
	c := newWriteClient(t, url)
	b := &promwire.Body{}
	b.Reset([]byte("anything"), "snappy", v2, 1<<20)
	b.SetStats(promwire.WriteStats{Samples: 7})
	stats, err := c.WriteBody(context.Background(), b)
	var part *promwire.PartialWriteError
	if stats.Samples != 5 || !errors.As(err, &part) {
		t.Errorf("Written headers are judged by the counts: got %+v, %v", stats, err)
	}
	b.SetStats(promwire.WriteStats{Samples: 5})
	if stats, err = c.WriteBody(context.Background(), b); err != nil || stats.Samples != 5 {
		t.Errorf("got %+v, %v", stats, err)
	}
}

func TestWriteBodyMalformed(t *testing.T) {
	c := newWriteClient(t, newServer(t, func(http.ResponseWriter, *http.Request) { t.Error("got a request") }))
	var malformed *promwire.DecodeError
	b := &promwire.Body{}
	b.Reset([]byte("\x09anything"), "snappy", v2, 1<<20)
	if _, err := c.WriteBody(context.Background(), b); !errors.As(err, &malformed) || promwire.Retryable(err) {
		t.Errorf("got %v", err)
	}
	b.Reset([]byte("\xff\xff\x03anything"), "snappy", v2, 1000)
	if _, err := c.WriteBody(context.Background(), b); !errors.Is(err, promwire.ErrTooLarge) || promwire.Retryable(err) {
		t.Errorf("got %v", err)
	}
	b.Reset(nil, "snappy", v2, 1000)
	if _, err := c.WriteBody(context.Background(), b); err != nil {
		t.Errorf("nothing to send: got %v", err)
	}
}

// What has to be decoded is judged by the rules, and refusals have the places of the body as it came.
func TestWriteBodyRefusesWhatItDecodes(t *testing.T) {
	custom := promwire.Histogram{
		Timestamp: 2, Schema: promwire.CustomBucketsSchema, Count: 1, CustomValues: []float64{1},
		PositiveSpans: []promwire.BucketSpan{{Length: 1}}, PositiveDeltas: []int64{1},
	}
	req := &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{
		{Labels: promwire.LabelsFromStrings("nameless", "a"), Samples: []promwire.Sample{{Timestamp: 1}}},
		{Labels: promwire.LabelsFromStrings("__name__", "good"), Samples: []promwire.Sample{{Timestamp: 1}}},
		{Labels: promwire.LabelsFromStrings("__name__", "h"), Histograms: []promwire.Histogram{custom}},
	}}
	k := newTaker(t, only(v1, "snappy"))
	c := newWriteClient(t, k.url)
	for range 2 {
		stats, err := c.WriteBody(context.Background(), newBody(t, req, v2, promwire.Snappy))
		var part *promwire.PartialWriteError
		if !errors.As(err, &part) || stats != (promwire.WriteStats{Samples: 1}) || len(part.Refused) != 2 {
			t.Fatalf("got %+v, %v", stats, err)
		}
		if r := part.Refused; r[0].Series != 0 || !errors.Is(r[0], promwire.ErrNoMetricName) || r[1].Series != 2 || !errors.Is(r[1], promwire.ErrInvalidHistogram) {
			t.Errorf("refused %v", part.Refused)
		}
	}
}

// Family metadata of a 1.0 body go to their series in 2.0.
func TestWriteBodyKeepsMetadata(t *testing.T) {
	req := request("m_total", 1)
	req.Timeseries[0].Metadata = promwire.Metadata{}
	req.Metadata = []promwire.MetricMetadata{
		{Family: "m", Metadata: promwire.Metadata{Type: promwire.TypeCounter, Help: "of m"}},
		{Family: "other", Metadata: promwire.Metadata{Help: "lost"}},
	}
	k := newTaker(t, only(v2, "snappy"))
	if _, err := newWriteClient(t, k.url).WriteBody(context.Background(), newBody(t, req, v1, promwire.Snappy)); err != nil {
		t.Fatal(err)
	}
	if got := k.all[len(k.all)-1].request.Timeseries[0].Metadata; got.Help != "of m" || got.Type != promwire.TypeCounter {
		t.Errorf("got %+v", got)
	}
}

// The encoding is forgotten after a while, as the message is, and a data error does not pass for a refusal of it.
func TestCompressionMemory(t *testing.T) {
	status := http.StatusUnsupportedMediaType
	takes := func(_ promwire.MessageType, encoding string) int {
		if encoding == "zstd" {
			return status
		}
		return 0
	}
	k := newTaker(t, takes)
	c := newWriteClient(t, k.url, WithCompression(zstd.Codec{}))
	now := time.Unix(1_700_000_000, 0)
	c.now = func() time.Time { return now }
	write := func(ok bool, want ...string) {
		t.Helper()
		if _, err := c.Write(context.Background(), request("m", 2)); (err == nil) != ok {
			t.Fatal(err)
		}
		if got := k.formats(); !reflect.DeepEqual(got, want) {
			t.Fatalf("sent %q, want %q", got, want)
		}
	}
	write(true, "2 zstd", "2 snappy")
	write(true, "2 snappy")
	s := c.State()
	if s.ContentEncoding != "snappy" || !s.NoEncoding.Since.Equal(now) || !s.NoEncoding.Until.Equal(now.Add(time.Hour)) ||
		!strings.Contains(s.NoEncoding.Why, "415") || s.NoV2 != (Fallback{}) || s.Fallbacks != 1 || s.MessageType != v2 {
		t.Errorf("state %+v", s)
	}
	now = now.Add(retryBetterAfter)
	status = http.StatusBadRequest // from a receiver that does not look at the encoding
	write(true, "2 zstd", "2 snappy")
	now = now.Add(retryBetterAfter)
	status = 0
	write(true, "2 zstd")
	if s := c.State(); s.ContentEncoding != "zstd" || s.NoEncoding != (Fallback{}) {
		t.Errorf("state %+v", s)
	}
	status = http.StatusBadRequest // from a receiver that is known to take it: the data are bad
	write(false, "2 zstd")
}

// Many batches find out at the same time what the endpoint takes, and none is lost.
func TestNegotiationUnderConcurrency(t *testing.T) {
	k := newTaker(t, only(v1, "snappy"))
	c := newWriteClient(t, k.url, WithCompression(zstd.Codec{}))
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range 5 {
				if stats, err := c.Write(context.Background(), request("m", 3)); err != nil || stats.Samples != 6 {
					t.Errorf("got %+v, %v", stats, err)
				}
			}
		})
	}
	wg.Wait()
	stored := 0
	for _, f := range k.formats() {
		if f == "0 snappy" {
			stored++
		}
	}
	if stored != 80 {
		t.Errorf("%d of 80 batches stored", stored)
	}
}
