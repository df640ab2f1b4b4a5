package server_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	kzstd "github.com/klauspost/compress/zstd"

	"github.com/promwire/promwire"
	ourgzip "github.com/promwire/promwire/compress/gzip"
	"github.com/promwire/promwire/compress/zstd"
	"github.com/promwire/promwire/server"
)

// bombs are bodies of some kB or less that decompress to a GiB of zeros, or say so.
func bombs(t *testing.T) map[string][]byte {
	t.Helper()
	var zipped, framed bytes.Buffer
	z, err := gzip.NewWriterLevel(&zipped, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	f, err := kzstd.NewWriter(&framed, kzstd.WithEncoderLevel(kzstd.SpeedFastest), kzstd.WithEncoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	zeros := make([]byte, 1<<20)
	for i := range 64 {
		if _, err := z.Write(zeros); err != nil {
			t.Fatal(err)
		}
		if i%8 == 0 { // what is flushed announces nothing
			f.Flush()
		}
		if _, err := f.Write(zeros); err != nil {
			t.Fatal(err)
		}
	}
	z.Close()
	f.Close()
	lying := bytes.Clone(zipped.Bytes())
	copy(lying[len(lying)-4:], "\x10\x00\x00\x00")
	return map[string][]byte{
		"gzip":              zipped.Bytes(),
		"gzip, lying":       lying,
		"zstd, unannounced": framed.Bytes(),
		"zstd, announced":   append([]byte{0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0, 0, 0, 0x40, 1, 0, 0}, framed.Bytes()...),
		"snappy":            append(unhex(t, "ffffffff0f"), make([]byte, 1000)...),
	}
}

// Bodies that decompress to more than is allowed end with 413 or, if they can't hold what they say, with 400, and take no more
// memory than the limit.
func TestWriteBombs(t *testing.T) {
	const limit = 4 << 20
	h := server.NewWriteHandler(newStore(), server.WithCompressions(zstd.Codec{}, ourgzip.Codec{}),
		server.WithWriteLimits(server.WriteLimits{MaxDecodedBytes: limit}))
	for name, body := range bombs(t) {
		t.Run(name, func(t *testing.T) {
			encoding, _, _ := strings.Cut(name, ",")
			send := func() {
				r := rawRequest(promwire.WriteV2, body)
				r.Header.Set("Content-Encoding", encoding)
				w := do(h, r)
				if w.Code != 413 && (name != "zstd, announced" || w.Code != 400) || counts(w) != "0/0/0" {
					t.Errorf("answer %d, %q: %s", w.Code, counts(w), w.Body)
				}
			}
			send() // decoders are kept
			// The race detector has pools forget at random.
			if used := allocated(send); used > 4*limit && !raceEnabled {
				t.Errorf("took %d KiB for %d bytes", used>>10, len(body))
			}
		})
	}
}

// A body that says less than it holds counts as what it holds, and gets no more than there is.
func TestWriteMembersInFlight(t *testing.T) {
	store := slowStore{make(chan struct{}), make(chan struct{})}
	msg := encode(t, promwire.WriteV2, many(2000))
	h := server.NewWriteHandler(store, server.WithCompressions(ourgzip.Codec{}),
		server.WithWriteLimits(server.WriteLimits{MaxBytesInFlight: len(msg) + len(msg)/2}))
	var body []byte
	for _, part := range [][]byte{msg[:len(msg)-10], msg[len(msg)-10:]} { // the last member announces ten bytes
		var err error
		if body, err = (ourgzip.Codec{}).AppendEncoded(body, part); err != nil {
			t.Fatal(err)
		}
	}
	send := func() (int, string) {
		r := rawRequest(promwire.WriteV2, body)
		r.Header.Set("Content-Encoding", "gzip")
		w := do(h, r)
		return w.Code, w.Body.String()
	}
	for range 2 {
		first := make(chan int)
		go func() {
			code, _ := send()
			first <- code
		}()
		<-store.begun
		if code, text := send(); code != 503 || !strings.Contains(text, "too many requests") {
			t.Errorf("answer %d: %s", code, text)
		}
		store.goOn <- struct{}{}
		if code := <-first; code != 204 {
			t.Errorf("answer %d", code)
		}
	}
}

func TestWriteManyLabels(t *testing.T) {
	m := map[string]string{promwire.MetricName: "m"}
	for i := range 100_000 {
		m[fmt.Sprint("label", i)] = "v"
	}
	req := many(1)
	req.Timeseries = append(req.Timeseries, promwire.TimeSeries{Labels: promwire.LabelsFromMap(m), Samples: []promwire.Sample{{Timestamp: 1}}})
	for _, version := range bothTypes {
		for road, h := range bothRoads() {
			store, handler := h()
			w := write(t, handler, version, req)
			if w.Code != 400 || !strings.Contains(w.Body.String(), "too many labels: 100001, limit 1000") || len(w.Body.String()) > 8<<10 || len(store.series) != 1 {
				t.Errorf("%s, %s: %d series, answer %d: %s", version, road, len(store.series), w.Code, w.Body)
			}
		}
	}
}

// A million symbols that nobody uses cost their place in the table; a million that one series uses break a limit.
func TestWriteManySymbols(t *testing.T) {
	msg := field(nil, 4, "")
	for range 1_000_000 {
		msg = field(msg, 4, "s")
	}
	unused := field(bytes.Clone(msg), 5, string(field(nil, 1, "\x01\x02"))+"\x12\x02\x10\x01")
	var refs []byte
	for range 500_000 {
		refs = append(refs, 1, 2)
	}
	used := field(bytes.Clone(msg), 5, string(field(nil, 1, string(refs)))+"\x12\x02\x10\x01")
	for road, h := range bothRoads() {
		_, handler := h()
		memory := allocated(func() {
			expect(t, do(handler, request(promwire.WriteV2, unused)), 400, "0/0/0", "metric name is missing")
		})
		if memory > 128<<20 {
			t.Errorf("%s: took %d MiB", road, memory>>20)
		}
		expect(t, do(handler, request(promwire.WriteV2, used)), 400, "0/0/0", "too many labels: 500000, limit 1000")
	}
}

// largeRequest is near the limit of 32 MiB.
func largeRequest() *promwire.WriteRequest {
	req := &promwire.WriteRequest{}
	for i := range 80_000 {
		ts := series(make([]float64, 12), "__name__", "http_requests_total", "instance", fmt.Sprintf("10.0.0.%d:9090", i), "job", "api",
			"method", "get", "namespace", "monitoring", "path", fmt.Sprintf("/path/of/some/length/%d", i*7919))
		for k := range ts.Samples {
			ts.Samples[k].Timestamp += 1_700_000_000_000
			ts.Samples[k].Value = float64(i*k) / 7
		}
		req.Timeseries = append(req.Timeseries, ts)
	}
	return req
}

// The documented bound on what a request takes: the compressed body and the decompressed one, 16 bytes for each symbol and 8 MiB
// for decoded series. All that is ever allocated is counted here, what was garbage before the end too, so that the peak
// is below; without parts, the structs alone take twice the message in 1.0 and three times in 2.0.
func TestWriteMemoryOfLargeRequest(t *testing.T) {
	req := largeRequest()
	for i, c := range []promwire.Compression{promwire.Snappy, zstd.Codec{}} {
		version := bothTypes[i]
		msg := encode(t, version, req)
		t.Run(string(version), func(t *testing.T) {
			body, err := c.AppendEncoded(nil, msg)
			if err != nil {
				t.Fatal(err)
			}
			var got promwire.WriteStats
			h := server.NewWriteHandler(writerFunc(func(_ context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
				got = got.Add(req.Stats())
				return req.Stats(), nil
			}), server.WithCompressions(zstd.Codec{}))
			r := rawRequest(version, body)
			r.Header.Set("Content-Encoding", c.ContentEncoding())
			used := allocated(func() {
				if w := do(h, r); w.Code != http.StatusNoContent {
					t.Errorf("answer %d: %s", w.Code, w.Body)
				}
			})
			t.Logf("%s, %s: %d MiB for a message of %d MiB, %d MiB compressed: %.2f times", version, c.ContentEncoding(),
				used>>20, len(msg)>>20, len(body)>>20, float64(used)/float64(len(msg)))
			if got != req.Stats() {
				t.Errorf("written %+v, want %+v", got, req.Stats())
			}
			// Twice the compressed body, as it grows; twice the structs and the table of symbols, as they do.
			if most := len(msg) + 2*len(body) + 2*(8<<20) + 2*16*160_000; used > uint64(most) && !raceEnabled {
				t.Errorf("%d MiB allocated, at most %d expected", used>>20, most>>20)
			}
		})
	}
}
